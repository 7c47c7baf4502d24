"""What Grafana's Prometheus and Loki data sources ask, over HTTP; and promtool against the same API."""

import json
import subprocess
import unittest
import urllib.parse

import case
import clients
import otlp

PROMTOOL = clients.program("promtool", "prometheus")

AT = 1_700_000_000
FORM = "application/x-www-form-urlencoded"
RANGE = {"start": str(AT - 60), "end": str(AT + 60)}


class GrafanaTest(case.GatewayCase):
    def shop(self):
        """Three traces with an exemplar and a line each, and a fourth exemplar whose trace never comes."""
        gateway = self.gateway()
        door = gateway.otlp()
        for path, body in (("/v1/traces", otlp.spans(range(3))), ("/v1/metrics", otlp.exemplars(range(4)))):
            self.assertEqual(door.post(path, body, "application/json").status, 200)
        streams = [{"stream": {"service_name": "crash", "env": "test"}, "values": [
            [str(AT * 10**9 + n), f"level=warn trace_id={otlp.trace_id(n)} took={n}s"] for n in range(3)]}]
        pushed = gateway.http().post("/loki/api/v1/push", json.dumps({"streams": streams}).encode(),
                                     "application/json")
        self.assertEqual(pushed.status, 204, pushed.body)
        return gateway

    def post(self, gateway, path, **form):
        answer = gateway.http().post("/prometheus/api/v1" + path, urllib.parse.urlencode(form).encode(), FORM)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json()["status"], "success")
        return answer.json()

    def promtool(self, gateway, *arguments):
        url = f"http://{gateway.doors['http']}/prometheus"
        command = [PROMTOOL, "query", arguments[0], *arguments[1:-1], url, *arguments[-1:]]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        return ran.stdout

    def test_exemplars_by_a_panels_expression(self):
        gateway = self.shop()
        found = self.post(gateway, "/query_exemplars", query='max(rate(work_duration_seconds{job="crash"}[1m0s]))',
                          **RANGE)["data"]
        self.assertEqual([series["seriesLabels"]["__name__"] for series in found], ["work_duration_seconds"])
        by_value = {float(exemplar["value"]): exemplar for exemplar in found[0]["exemplars"]}
        self.assertEqual(sorted(by_value), [0.0, 0.001, 0.002, 0.003])
        for number in range(3):
            exemplar = by_value[number / 1000]
            self.assertEqual(exemplar["labels"], {"trace_id": otlp.trace_id(number), "span_id": otlp.span_id(number)})
            self.assertEqual(exemplar["timestamp"], AT)

    def test_grafanas_probe_and_health(self):
        gateway = self.shop()
        probe = self.post(gateway, "/query_exemplars", query="test", start=AT * 1000, end=AT * 1000 + 3_600_000)
        self.assertEqual(probe["data"], [])
        health = self.post(gateway, "/query", query="1+1", time="4")
        self.assertEqual(health["data"], {"resultType": "scalar", "result": [4, "2"]})
        unknown = self.post(gateway, "/query_range", query="rate(up[5m])", step="15", **RANGE)
        self.assertEqual(unknown["data"]["result"], [])
        self.assertTrue(unknown["warnings"])
        for path in ("/loki/loki/api/v1", "/loki/api/v1"):
            answer = gateway.http().get(path + "/query", query="vector(1)+vector(1)", time="4000000000")
            self.assertEqual(answer.json()["data"]["result"][0]["value"][1], "2")

    def test_promtool_reads_the_answers(self):
        gateway = self.shop()
        self.assertIn("scalar: 2", self.promtool(gateway, "instant", "1+1"))
        self.assertEqual(self.promtool(gateway, "instant", "up").strip(), "")
        self.assertIn("{} =>\n2 @", self.promtool(gateway, "range", "--start=0", "--end=60", "--step=30s", "1+1"))
        window = ("--start=%d" % (AT - 60), "--end=%d" % (AT + 60))
        labels = self.promtool(gateway, "labels", *window, "__name__")
        self.assertEqual(labels.split(), ["work_duration_seconds"])
        url = f"http://{gateway.doors['http']}/prometheus"
        series = subprocess.run([PROMTOOL, "query", "series", "--match=work_duration_seconds", *window, url],
                                capture_output=True, text=True, timeout=60)
        self.assertIn('service="crash"', series.stdout, series.stderr)

    def test_lines_of_a_trace_and_how_many_there_are(self):
        gateway = self.shop()
        client = gateway.http()
        times = {"start": str((AT - 60) * 10**9), "end": str((AT + 60) * 10**9)}
        answer = client.get("/loki/loki/api/v1/query_range",
                            query=f'{{service_name="crash"}} | trace_id="{otlp.trace_id(1)}"', **times)
        self.assertEqual(answer.status, 200, answer.body)
        streams = answer.json()["data"]["result"]
        self.assertEqual([value for stream in streams for value in stream["values"]],
                         [[str(AT * 10**9 + 1), f"level=warn trace_id={otlp.trace_id(1)} took=1s"]])
        self.assertEqual(streams[0]["stream"]["env"], "test")
        count = client.get("/loki/api/v1/query",
                           query='sum by (env) (count_over_time({env="test"} | logfmt | took >= 1s [5m]))',
                           time=str(AT + 60))
        self.assertEqual(count.json()["data"]["result"],
                         [{"metric": {"env": "test"}, "value": [AT + 60, "2"]}])
        labels = client.get("/loki/api/v1/labels", **times).json()["data"]
        self.assertEqual(labels, ["env", "job", "service_name"])
        bad = client.get("/loki/api/v1/query_range", query='{a="b"} foo', **times)
        self.assertEqual((bad.status, bad.body.decode()),
                         (400, "parse error at line 1, col 9: syntax error: unexpected IDENTIFIER\n"))


if __name__ == "__main__":
    unittest.main()
