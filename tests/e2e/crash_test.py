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

    def test_the_same_while_everything_is_sealed_at_once(self):
        seals = {"THROUGHLINE_STORE_SEAL_BYTES": "1MiB"}  # Less than an empty part takes.
        totals = crash.run(self.work / "sealed", self.binary, rounds=3, seed=8, environment=seals)
        self.assertGreater(totals["acknowledged"], 0)
        self.assertEqual((totals["lost"], totals["doubled"]), (0, 0), totals)
        self.assertTrue(list((self.work / "sealed").glob("**/seg-*.db")))

    def test_what_was_acknowledged_is_readable_at_once(self):
        self.assertEqual(crash.read_after_acknowledgement(self.work / "read", self.binary, 150), 0)


if __name__ == "__main__":
    unittest.main()
