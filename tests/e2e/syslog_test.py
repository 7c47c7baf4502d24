"""util-linux's logger, rsyslog and syslog-ng send over UDP and TCP, in every format that they have."""

import shutil
import subprocess
import unittest

import case
import clients
import daemons
import otlp

ARGUMENTS = ("--syslog-udp-listen", "127.0.0.1:0", "--syslog-tcp-listen", "127.0.0.1:0")


class SyslogCase(case.GatewayCase):
    def setUp(self):
        super().setUp()
        self.running = self.gateway(arguments=ARGUMENTS)

    def port(self, protocol):
        return self.running.doors[f"syslog_{protocol}"].rsplit(":", 1)[1]

    def line(self, number):
        """The one line of trace `number`."""
        def ask():
            answer = self.running.http().get("/api/v1/traces/" + otlp.trace_id(number))
            return answer.status == 200 and answer.json()["logs"]
        lines = clients.eventually(ask, f"a line of trace {number}")
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def check(self, number, body, **attributes):
        line = self.line(number)
        self.assertEqual(line["body"], body)
        self.assertEqual(line["service"], "shop")
        for name, value in {"syslog.facility": "local0", **attributes}.items():
            self.assertEqual(line["attributes"].get(name.replace("__", ".")), value, line)
        return line


class LoggerTest(SyslogCase):
    def log(self, *arguments):
        program = shutil.which("logger") or clients.skip("logger is not installed: apt-get install bsdutils")
        subprocess.run(
            [program, "--server", "127.0.0.1", "--priority", "local0.warning", "--tag", "shop", *arguments],
            check=True, timeout=60)

    def test_rfc5424_over_udp_and_tcp(self):
        for number, protocol in enumerate(("udp", "tcp")):
            text = f"order «ü» trace_id={otlp.trace_id(number)}"
            self.log("--rfc5424", f"--{protocol}", "--port", self.port(protocol), text)
            line = self.check(number, text)
            self.assertEqual((line["severity_text"], line["severity_number"]), ("warning", 13))

    def test_octet_counts(self):
        text = f"two\nlines trace_id={otlp.trace_id(1)}"
        self.log("--rfc5424", "--tcp", "--octet-count", "--port", self.port("tcp"), text)
        self.check(1, text)

    def test_rfc3164(self):
        text = f"order trace_id={otlp.trace_id(1)}"
        self.log("--rfc3164", "--udp", "--port", self.port("udp"), text)
        self.check(1, text)

    def test_structured_data_alone_names_the_trace(self):
        self.log("--rfc5424", "--udp", "--port", self.port("udp"), "--msgid", "ORD", "--id=42", "--sd-id", "t@32473",
                 "--sd-param", f'trace_id="{otlp.trace_id(1)}"', "--sd-param", f'span_id="{otlp.span_id(1)}"', "paid")
        line = self.check(1, "paid", syslog__msgid="ORD", syslog__procid="42")
        self.assertEqual((line["span_id"], line["found_by"]), (otlp.span_id(1), "field"))


class DaemonTest(SyslogCase):
    def send(self, daemon, configuration, numbers):
        included = self.work / "forward.conf"
        included.write_text(configuration)
        with daemon(self.work / daemon.__name__, included) as running:
            for number in numbers:
                running.say(f"<132>Nov 22 21:16:04 shop[42]: order {number} trace_id={otlp.trace_id(number)}")
            for number in numbers:
                self.check(number, f"order {number} trace_id={otlp.trace_id(number)}", syslog__procid="42")

    def rsyslog(self, protocol, more):
        self.send(daemons.Rsyslog, f'action(type="omfwd" target="127.0.0.1" port="{self.port(protocol)}" '
                  f'protocol="{protocol}" {more})\n', range(50))

    def test_rsyslog_counts_octets(self):
        self.rsyslog("tcp", 'TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"')

    def test_rsyslog_ends_lines(self):
        self.rsyslog("tcp", 'template="RSYSLOG_ForwardFormat"')

    def test_rsyslog_traditional_over_udp(self):
        self.rsyslog("udp", 'template="RSYSLOG_TraditionalForwardFormat"')

    def test_syslog_ng(self):
        self.send(daemons.SyslogNg,
                  f'destination d {{ syslog("127.0.0.1" transport("tcp") port({self.port("tcp")})); }};\n'
                  "log { source(s_src); destination(d); };\n", range(50))


if __name__ == "__main__":
    unittest.main()
