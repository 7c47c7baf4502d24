"""Debian's Prometheus scrapes a program that uses its Python client, and writes on to the gateway."""

import json
import pathlib
import subprocess
import time
import unittest

import case
import clients

PROMETHEUS = clients.program("prometheus", "prometheus")
prometheus_client = clients.require("prometheus_client", "prometheus_client", "prometheus_client.exposition")[0]

TRACES = [f"{n:032x}" for n in range(0xABC000, 0xABC005)]
SPANS = [f"{n:016x}" for n in range(0xDEF000, 0xDEF005)]


class Target:
    """A program with a counter and a histogram, each measurement with the trace behind it, and a gauge."""

    def __init__(self):
        registry = prometheus_client.CollectorRegistry()
        self.orders = prometheus_client.Counter("orders", "Orders.", ["status"], registry=registry)
        self.seconds = prometheus_client.Histogram("order_seconds", "Of orders.", ["route"], registry=registry,
                                                   buckets=(0.1, 0.5, 1, 5))
        self.use = prometheus_client.Gauge("process_cpu_use", "Of processors.", ["pod"], registry=registry)
        self.server, self.thread = prometheus_client.start_http_server(0, "127.0.0.1", registry=registry)

    @property
    def address(self):
        return "127.0.0.1:%d" % self.server.server_port

    def work(self):
        self.orders.labels("ok").inc(1, {"trace_id": TRACES[0], "span_id": SPANS[0]})
        for trace_id, span_id, seconds in zip(TRACES[1:], SPANS[1:], (0.05, 0.3, 0.7, 9)):
            self.seconds.labels('/a "b"\\c').observe(seconds, {"trace_id": trace_id, "span_id": span_id, "user": "u1"})

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


class PrometheusTest(case.GatewayCase):
    def prometheus(self, target, gateway):
        folder = pathlib.Path(self.work) / "prometheus"
        folder.mkdir()
        (folder / "prometheus.yml").write_text(json.dumps({  # JSON is YAML.
            "global": {"scrape_interval": "1s", "external_labels": {"cluster": "c1"}},
            "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [target.address]}]}],
            "remote_write": [{
                "url": f"http://{gateway.doors['http']}/api/v1/write", "send_exemplars": True,
                "queue_config": {"batch_send_deadline": "1s"}}],
        }))
        log = self.enterContext(open(folder / "log", "wb"))
        process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             "--web.listen-address=127.0.0.1:0", "--enable-feature=exemplar-storage"],
            stdout=log, stderr=log)
        self.addCleanup(lambda: (process.terminate(), process.wait(60)))

    def test_exemplars_arrive_by_remote_write(self):
        gateway, target = self.gateway(), Target()
        self.addCleanup(target.stop)
        target.work()
        before = time.time()
        self.prometheus(target, gateway)
        client = gateway.http()

        def search(**query):
            answer = client.get("/api/v1/exemplars", **query)
            self.assertEqual(answer.status, 200, answer.body)
            return answer.json()["exemplars"]

        clients.eventually(lambda: len(search(match="order_seconds_bucket")) == 4, "four exemplars of the histogram")
        clients.eventually(lambda: len(search(match="orders_total")) == 1, "the exemplar of the counter")

        found = search(match='order_seconds_bucket{job="shop",cluster="c1"}', min_value="0.6")
        self.assertEqual({(e["trace_id"], e["span_id"], float(e["value"])) for e in found},
                         {(TRACES[3], SPANS[3], 0.7), (TRACES[4], SPANS[4], 9.0)})
        for exemplar in found:
            self.assertEqual(exemplar["labels"]["route"], '/a "b"\\c')
            self.assertEqual(exemplar["attributes"], {"user": "u1"})
            self.assertLess(abs(int(exemplar["time_unix_nano"]) / 1e9 - before), 120)
        self.assertEqual([e["trace_id"] for e in search(match="order_seconds_bucket", le="0.5")], [TRACES[2]])
        for trace_id in TRACES:
            answer = client.get("/api/v1/traces/" + trace_id)
            self.assertEqual((answer.status, len(answer.json()["exemplars"])), (200, 1))

    def test_named_gauges_arrive_by_remote_write(self):
        gateway, target = self.gateway(), Target()
        self.addCleanup(target.stop)
        target.use.labels("p-0").set(0.5)
        self.prometheus(target, gateway)

        def points():
            return gateway.http().get("/api/v1/gauges", metric="process_cpu_use").json()["gauges"]

        found = clients.eventually(points, "a point of the gauge")
        self.assertEqual({(p["value"], p["service"], p["labels"]["pod"], p["labels"]["cluster"]) for p in found},
                         {(0.5, "shop", "p-0", "c1")})
        self.assertLess(abs(int(found[0]["time_unix_nano"]) / 1e9 - time.time()), 120)

    def test_what_is_scraped_again_is_kept_once(self):
        gateway, target = self.gateway(), Target()
        self.addCleanup(target.stop)
        target.work()
        self.prometheus(target, gateway)

        def writes():
            text = gateway.http().get("/metrics").body.decode()
            lines = [line for line in text.splitlines() if line.startswith("throughline_http_requests_total")
                     and "/api/v1/write" in line]
            return sum(float(line.split()[-1]) for line in lines)

        clients.eventually(lambda: writes() >= 4, "four requests of Prometheus")
        for trace_id in TRACES:
            found = clients.eventually(lambda: gateway.http().get("/api/v1/traces/" + trace_id).json(), trace_id)
            self.assertEqual(len(found["exemplars"]), 1)


if __name__ == "__main__":
    unittest.main()
