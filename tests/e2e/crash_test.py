"""kill -9, acknowledgement and retries, with a few rounds of what the conformance run does at length."""

import unittest

import case
import crash


class CrashTest(case.GatewayCase):
    def test_nothing_acknowledged_is_lost_and_nothing_doubled(self):
        totals = crash.run(self.work / "crash", self.binary, rounds=3, seed=7)
        self.assertGreater(totals["acknowledged"], 0)
        self.assertGreater(totals["retried"], 0)
        self.assertEqual((totals["lost"], totals["doubled"]), (0, 0), totals)

    def test_what_was_acknowledged_is_readable_at_once(self):
        self.assertEqual(crash.read_after_acknowledgement(self.work / "read", self.binary, 150), 0)


if __name__ == "__main__":
    unittest.main()
