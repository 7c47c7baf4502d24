"""The configurations of examples/senders, run with the real programs where Debian has them.

Each file is used as it stands but for its ports and paths. What comes out is looked up as the pages of
docs/senders say.
"""

import subprocess
import unittest

import case
import clients
import daemons

EXAMPLES = clients.SOURCE / "examples/senders"
TRACE = "0af7651916cd43dd8448eb211c80319c"
OTHER = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "b7ad6b7169203331"


class Example(case.GatewayCase):
    def example(self, path, changes):
        """A copy of an example with texts replaced, each of which must be there. Returns its path."""
        text = (EXAMPLES / path).read_text()
        for old, new in changes.items():
            self.assertIn(old, text, path)
            text = text.replace(old, str(new))
        copy = self.work / path.replace("/", "-")
        copy.write_text(text)
        return copy

    def trace(self, gateway, trace_id):
        """The answer of traces/{id}, waited for: senders send when they like."""
        def found():
            answer = gateway.http().get(f"/api/v1/traces/{trace_id}", wait="5s")
            return answer.status == 200 and answer.json()
        return clients.eventually(found, f"trace {trace_id} at {gateway.doors}", seconds=120)

    def line(self, gateway, trace_id):
        """The one log line of a trace."""
        logs = self.trace(gateway, trace_id)["logs"]
        self.assertEqual(len(logs), 1, logs)
        return logs[0]


class SyslogExamples(Example):
    """What rsyslog and syslog-ng have in common: RFC 5424 in frames with a length."""

    def check(self, gateway, daemon):
        # As an application writes it, with the id in structured data; then as syslog(3) does, in the text.
        daemon.say(f'<11>1 2026-11-25T14:08:35.625168Z vm shop 17 pay [trace@32473 trace_id="{TRACE}"'
                   f' span_id="{SPAN}"] payment refused')
        daemon.say(f"<14>Nov 25 14:08:35 shop[17]: order taken trace_id={OTHER}")

        line = self.line(gateway, TRACE)
        self.assertEqual((line["body"], line["service"], line["severity"], line["found_by"], line["span_id"]),
                         ("payment refused", "shop", "error", "field", SPAN))
        self.assertEqual(line["time"], "2026-11-25T14:08:35.625168000Z")
        line = self.line(gateway, OTHER)
        self.assertEqual((line["body"], line["service"], line["severity"], line["found_by"], line["span_id"]),
                         (f"order taken trace_id={OTHER}", "shop", "info", "key", None))

    def test_rsyslog_to_syslog(self):
        door = self.example("rsyslog/throughline.yaml", {"127.0.0.1:5514": "127.0.0.1:0"})
        gateway = self.gateway(arguments=["--config", str(door)])
        port = gateway.doors["syslog_tcp"].rsplit(":", 1)[1]
        actions = self.example("rsyslog/60-throughline.conf", {'port="5514"': f'port="{port}"'})
        with daemons.Rsyslog(self.work / "rsyslog", actions) as rsyslog:
            self.check(gateway, rsyslog)

    def test_rsyslog_to_bulk(self):
        gateway = self.gateway()
        port = gateway.doors["http"].rsplit(":", 1)[1]
        actions = self.example("rsyslog/61-throughline-bulk.conf",
                               {'serverport="4380"': f'serverport="{port}"',
                                        "/var/spool/rsyslog": self.work})
        with daemons.Rsyslog(self.work / "rsyslog", actions) as rsyslog:
            self.check(gateway, rsyslog)

    def test_rsyslog_waits_for_bulk(self):
        gateway = self.gateway()
        address = gateway.doors["http"]
        gateway.stop()
        port = address.rsplit(":", 1)[1]
        actions = self.example("rsyslog/61-throughline-bulk.conf",
                               {'serverport="4380"': f'serverport="{port}"',
                                        "/var/spool/rsyslog": self.work,
                                        'resumeRetryCount="-1"': 'resumeRetryCount="-1" action.resumeInterval="1"'})
        with daemons.Rsyslog(self.work / "rsyslog", actions) as rsyslog:
            rsyslog.say(f"<14>Nov 25 14:08:35 shop[17]: order taken trace_id={OTHER}")
            clients.eventually(lambda: "Failed to connect" in rsyslog.log.read_text(), "a failed attempt")
            again = self.gateway(http_listen=address)
            self.assertEqual(self.line(again, OTHER)["service"], "shop")

    def test_syslog_ng_to_syslog(self):
        door = self.example("syslog-ng/throughline.yaml", {"127.0.0.1:5514": "127.0.0.1:0"})
        gateway = self.gateway(arguments=["--config", str(door)])
        port = gateway.doors["syslog_tcp"].rsplit(":", 1)[1]
        destination = self.example("syslog-ng/throughline.conf",
                                   {"port(5514)": f"port({port})",
                                            "disk-buffer(": f'disk-buffer(dir("{self.work}") '})
        with daemons.SyslogNg(self.work / "syslog-ng", destination) as syslog_ng:
            self.check(gateway, syslog_ng)


class MetricExamples(Example):
    """Prometheus that writes on, and Throughline that scrapes by itself."""

    def target(self):
        """The address of a program that uses Prometheus' Python client, with one exemplar."""
        client = clients.require("prometheus_client", "prometheus_client")
        registry = client.CollectorRegistry()
        seconds = client.Histogram("http_request_duration_seconds", "Of requests.", ["route"], registry=registry)
        seconds.labels("/pay").observe(0.3, {"trace_id": TRACE, "span_id": SPAN})
        server, thread = client.start_http_server(0, "127.0.0.1", registry=registry)
        self.addCleanup(lambda: (server.shutdown(), server.server_close(), thread.join(10)))
        return "127.0.0.1:%d" % server.server_port

    def check(self, gateway):
        self.trace(gateway, TRACE)
        found = gateway.http().get(
            "/api/v1/exemplars", match='http_request_duration_seconds_bucket{job="app",route="/pay"}', le="0.5")
        exemplars = found.json()["exemplars"]
        self.assertEqual([(e["trace_id"], e["span_id"], float(e["value"])) for e in exemplars], [(TRACE, SPAN, 0.3)])

    def test_prometheus(self):
        prometheus = clients.program("prometheus", "prometheus")
        gateway = self.gateway()
        configuration = self.example("prometheus/prometheus.yml", {
            "127.0.0.1:8000": self.target(), "127.0.0.1:4380": gateway.doors["http"], ": 15s": ": 1s"})
        log = self.enterContext(open(self.work / "prometheus.log", "wb"))
        process = subprocess.Popen(
            [prometheus, f"--config.file={configuration}", "--enable-feature=exemplar-storage",
             f"--storage.tsdb.path={self.work}/prometheus", "--web.listen-address=127.0.0.1:0"],
            stdout=log, stderr=log)
        self.addCleanup(lambda: (process.terminate(), process.wait(60)))
        self.check(gateway)

    def test_scraping(self):
        configuration = self.example("openmetrics/throughline.yaml", {
            "127.0.0.1:8000": self.target(), ": 15s": ": 1s"})
        self.check(self.gateway(arguments=["--config", str(configuration)]))


class FileExamples(Example):
    def test_files(self):
        folder = self.work / "app"
        folder.mkdir()
        log = folder / "shop.log"
        log.write_text("")
        configuration = self.example("files/throughline.yaml", {"/var/log/app": folder})
        gateway = self.gateway(arguments=["--config", str(configuration)])
        with open(log, "a") as out:
            out.write(f"2026-11-25T14:08:35Z ERROR payment refused trace_id={TRACE}\n")
        line = self.line(gateway, TRACE)
        self.assertEqual(line["found_by"], "key")


if __name__ == "__main__":
    unittest.main()
