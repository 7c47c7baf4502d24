"""A spike, a line and a trace lead to each other; states and waiting; the gateway's own counts add up."""

import re
import threading
import unittest

import case
import otlp
import tutorial


class LinksTest(case.GatewayCase):
    def test_the_tutorials_examples_find_each_other(self):
        self.assertEqual(tutorial.run(self.binary), [])

    def test_tenants_do_not_meet(self):
        gateway = self.gateway()
        gateway.otlp("team-a").post("/v1/traces", otlp.spans([1]), "application/json")
        path = "/api/v1/traces/" + otlp.trace_id(1)
        self.assertEqual(gateway.http("team-a").get(path).status, 200)
        self.assertEqual(gateway.http("team-b").get(path).status, 404)
        self.assertEqual(gateway.http().get(path).status, 404)

    def test_a_lookup_may_wait_for_what_is_on_its_way(self):
        gateway = self.gateway()
        path = "/api/v1/traces/" + otlp.trace_id(9)
        absent = gateway.http().get(path)
        self.assertEqual((absent.status, absent.json()["state"]), (404, "never_seen"))
        answers = []
        waiter = threading.Thread(target=lambda: answers.append(gateway.http().get(path, wait="30s")))
        waiter.start()
        client = gateway.otlp()
        self.assertEqual(client.post("/v1/traces", otlp.spans([9]), "application/json").status, 200)
        waiter.join(60)
        self.assertEqual([a.status for a in answers], [200])

    def test_a_line_before_its_trace_is_pending(self):
        gateway = self.gateway()
        gateway.http().post("/api/v1/logs", otlp.lines([4]), "application/x-ndjson")
        path = "/api/v1/traces/" + otlp.trace_id(4)
        self.assertEqual(gateway.http().get(path).json()["state"], "pending")
        gateway.otlp().post("/v1/traces", otlp.spans([4]), "application/json")
        self.assertEqual(gateway.http().get(path).json()["state"], "live")

    def test_own_counters_add_up(self):
        gateway = self.gateway()
        otlp_door = gateway.otlp()
        for _ in range(2):  # The second time all is deduplicated.
            otlp_door.post("/v1/traces", otlp.spans(range(7)), "application/json")
            otlp_door.post("/v1/metrics", otlp.exemplars(range(3)), "application/json")
            gateway.http().post("/api/v1/logs", otlp.lines(range(4)) + b"no id here\n", "application/x-ndjson")
        text = gateway.http().get("/metrics").body.decode()
        counts = {}
        pattern = r"^throughline_records_(\w+)_total\{([^}]*)\} (\d+)"
        for what, labels, value in re.findall(pattern, text, re.M):
            counts.setdefault(labels, {})[what] = int(value)
        self.assertTrue(counts, text[:2000])
        for labels, by in counts.items():
            parts = sum(by[part] for part in ("stored", "rejected", "deduplicated", "unlinked", "failed"))
            self.assertEqual(by["received"], parts, f"{labels}: {by}")
        self.assertEqual(sum(by["received"] for by in counts.values()), 2 * (7 + 3 + 5))
        self.assertEqual(sum(by["unlinked"] for by in counts.values()), 2)
        self.assertEqual(sum(by["deduplicated"] for by in counts.values()), 7 + 3 + 4)


if __name__ == "__main__":
    unittest.main()
