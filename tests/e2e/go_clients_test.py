"""Go clients that others publish read the gateway's answers: tests/e2e/go, built into build/go."""

import os
import subprocess
import unittest

import case
import clients

BUILT = clients.SOURCE / "build/go"
if not (BUILT / "built").exists():
    clients.skip("the Go clients are not built: run tests/e2e/prepare-clients, with Go (tests/e2e/go/go.mod says "
                 "which) and a network")


class GoClientsTest(case.GatewayCase):
    def test_answers_are_what_the_clients_expect(self):
        gateway = self.gateway()
        ran = subprocess.run([BUILT / "clients_test", "-test.v", "-test.timeout=240s"], capture_output=True, text=True,
                             timeout=260, env={**os.environ, "THROUGHLINE_URL": f"http://{gateway.doors['http']}"})
        self.assertEqual(ran.returncode, 0, ran.stdout[-20000:] + ran.stderr[-5000:])
        self.assertNotIn("--- SKIP", ran.stdout)
        self.assertIn("--- PASS", ran.stdout)


if __name__ == "__main__":
    unittest.main()
