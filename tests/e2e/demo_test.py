"""What `./run` promises: the demo's three lookups, run as it prints them, find a spike, its cause and a bad canary."""

import json
import re
import shlex
import subprocess
import unittest

import case


class DemoTest(case.GatewayCase):
    def setUp(self):
        super().setUp()
        self.served = self.gateway()
        self.url = "http://" + self.served.doors["http"]
        # Four visits a second are enough for each of the windows, and quick to send.
        done = subprocess.run(
            [str(self.binary), "demo", "--url", "http://" + self.served.doors["otlp_http"], "--logs-url", self.url,
             "--rate", "4", "--duration", "0.5", "--seed", "11"],
            capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.printed = done.stdout
        self.commands = [line.strip() for line in done.stdout.splitlines() if line.startswith("   ")]
        self.assertEqual(len(self.commands), 6, done.stdout)

    def run_printed(self, word):
        """The printed command that asks for `word`, and its call by HTTP: (exit code, output), body."""
        command = next(c for c in self.commands if c.split()[1] == word)
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=60)
        self.assertNotIn(done.returncode, (2, 3), done.stderr)
        # What curl would do with its line.
        line = shlex.split(self.commands[self.commands.index(command) + 1])
        data = line[line.index("-d") + 1]
        path = next(part for part in line if part.startswith(self.url)).removeprefix(self.url)
        client = self.served.http()
        if "-sG" in line:
            match = line[line.index("--data-urlencode") + 1].removeprefix("match=")
            answer = client.get(path, match=match, **dict([data.split("=", 1)]))
        else:
            answer = client.post(path, data.encode(), "application/json")
        self.assertEqual(answer.status, 200, answer.body)
        return done.returncode, done.stdout, answer.body.decode()

    def test_from_the_spike_to_the_api_outside(self):
        code, table, body = self.run_printed("exemplars")
        self.assertEqual(code, 0)
        exemplars = json.loads(body)["exemplars"]
        self.assertTrue(exemplars)
        for exemplar in exemplars:
            self.assertEqual(exemplar["link"]["state"], "live")
            self.assertGreaterEqual(exemplar["value"], 1)
        # The trace to explain is one of them.
        command = next(c for c in self.commands if " explain " in c)
        trace_id = re.search(r"--trace-id ([0-9a-f]{32})", command)[1]
        self.assertIn(trace_id, [exemplar["trace_id"] for exemplar in exemplars])
        self.assertIn(trace_id, table)

        code, text, by_http = self.run_printed("explain")
        self.assertEqual(code, 0, text)
        self.assertEqual(text, by_http)
        self.assertTrue(text.startswith("culprit: external-api (score "), text)
        self.assertIn("external-api, 1.4 s of 1.8 s: "
                      "payment-service 1.8 s > fraud-check 1.5 s > external-api 1.4 s\n", text)
        self.assertRegex(text, r"fraud-check > external-api: \+1\.3\d s in (\d+) of \d+ calls, normally 4\d ms")

        asked = json.dumps({"trace_id": trace_id, "service": "payment-service"}).encode()
        answer = self.served.http().post("/api/v1/explain", asked, "application/json").json()
        culprit = answer["culprits"][0]
        self.assertEqual((answer["verdict"], culprit["service"], culprit["kind"]),
                         ("culprit", "external-api", "network"))
        self.assertEqual(culprit["example"]["trace_id"], trace_id)
        self.assertEqual([step["service"] for step in culprit["example"]["steps"]],
                         ["payment-service", "fraud-check", "external-api"])

        # And to its log lines.
        trace = self.served.http().get("/api/v1/traces/" + trace_id).json()
        self.assertTrue([line for line in trace["logs"] if line["body"].startswith("external-api was slow: 14")])
        self.assertTrue([e for e in trace["exemplars"] if e["metric"] == "http.server.request.duration"])

    def test_the_canary_calls_an_index_that_is_missing(self):
        code, text, by_http = self.run_printed("compare")
        self.assertEqual(code, 1, text)
        self.assertRegex(text.splitlines()[0], "^fail: .*there are more errors$")
        self.assertEqual(by_http.splitlines()[0], text.splitlines()[0])
        self.assertRegex(text, r'new log: "index orders_by_customer is missing: \* exc=SearchException" '
                               r"in checkout POST /orders, 100 % instead of 0 % of traces")
        self.assertRegex(text, r'new call: "checkout search orders_by_customer" in checkout POST /orders')


if __name__ == "__main__":
    unittest.main()
