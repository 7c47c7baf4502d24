"""Debian's Prometheus behind the gateway: its answers come through, and exemplars of both are merged."""

import http.server
import json
import pathlib
import re
import subprocess
import threading
import time
import unittest
import urllib.parse

import case
import clients
import otlp

PROMETHEUS = clients.program("prometheus", "prometheus")

AT = int(time.time())
FORM = "application/x-www-form-urlencoded"
# Not the ids of otlp.py, so these exemplars are Prometheus' alone.
THEIRS = "99999999999999998888888888888888"


class Exposition(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("# TYPE shop_seconds histogram\n"
                f'shop_seconds_bucket{{le="1"}} 1 # {{trace_id="{THEIRS}"}} 0.5\n'
                'shop_seconds_bucket{le="+Inf"} 1\nshop_seconds_sum 0.5\nshop_seconds_count 1\n# EOF\n').encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class UpstreamTest(case.GatewayCase):
    def target(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exposition)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close(), thread.join(10)))
        return "127.0.0.1:%d" % server.server_port

    def prometheus(self, target):
        """The address of a running one, which says it in its log."""
        folder = pathlib.Path(self.work) / "prometheus"
        folder.mkdir()
        (folder / "prometheus.yml").write_text(json.dumps({  # JSON is YAML.
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [target]}]}]}))
        log = self.enterContext(open(folder / "log", "wb"))
        process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             "--web.listen-address=127.0.0.1:0", "--enable-feature=exemplar-storage"], stdout=log, stderr=log)
        self.addCleanup(lambda: (process.terminate(), process.wait(60)))
        found = clients.eventually(
            lambda: re.search(r"(?:Listening on|msg=Listening).*?address=(127\.0\.0\.1:\d+)",
                              (folder / "log").read_text(errors="replace")), "an address in Prometheus' log")
        return found.group(1)

    def ask(self, gateway, path, **form):
        answer = gateway.http().post("/prometheus/api/v1" + path, urllib.parse.urlencode(form).encode(), FORM)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()["data"]

    def test_a_real_prometheus_answers_through_the_gateway(self):
        upstream = self.prometheus(self.target())
        gateway = self.gateway(arguments=["--prometheus-upstream", f"http://{upstream}"])
        window = {"start": AT - 60, "end": AT + 300}
        clients.eventually(
            lambda: self.ask(gateway, "/query_range", query="shop_seconds_count", step="1", **window)["result"],
            "samples of the metric")
        series = self.ask(gateway, "/query_range", query="shop_seconds_count", step="1", **window)["result"]
        self.assertEqual(series[0]["metric"]["job"], "shop")
        self.assertEqual({value for _, value in series[0]["values"]}, {"1"})
        page = gateway.http().get("/prometheus/api/v1/targets")
        self.assertEqual(page.json()["data"]["activeTargets"][0]["labels"]["job"], "shop")
        bad = gateway.http().get("/prometheus/api/v1/query", query="rate(")
        self.assertEqual((bad.status, bad.json()["errorType"]), (400, "bad_data"))

        def exemplars():
            found = self.ask(gateway, "/query_exemplars",
                             query="shop_seconds_bucket or work_duration_seconds", start=0, end=AT + 300)
            return {one["labels"].get("trace_id") or one["labels"].get("trace_id_unavailable")
                    for series in found for one in series["exemplars"]}

        door = gateway.otlp()
        for path, body in (("/v1/traces", otlp.spans(range(2))), ("/v1/metrics", otlp.exemplars(range(2)))):
            self.assertEqual(door.post(path, body, "application/json").status, 200)
        both = {THEIRS, otlp.trace_id(0), otlp.trace_id(1)}
        clients.eventually(lambda: exemplars() == both, "exemplars of both")


if __name__ == "__main__":
    unittest.main()
