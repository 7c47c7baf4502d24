"""The program at a terminal: configuration, client commands, exit codes."""

import json
import subprocess
import unittest

import case
import otlp


class CommandTest(case.GatewayCase):
    def run_program(self, *arguments, environment=None, text=None):
        return subprocess.run([str(self.binary), *arguments], capture_output=True, text=True,
                              timeout=60, input=text, env=environment)

    def test_version_and_help(self):
        self.assertEqual(self.run_program("--version").returncode, 0)
        self.assertIn("serve", self.run_program("--help").stdout)

    def test_flags_win_over_environment_over_file(self):
        file = self.work / "throughline.yaml"
        file.write_text("limits:\n  tenants: 11\n  watches: 22\n  connections: 33\n")
        environment = {"THROUGHLINE_LIMITS_WATCHES": "44", "THROUGHLINE_LIMITS_CONNECTIONS": "55"}
        done = self.run_program("serve", "--config", str(file), "--limits-connections", "66",
                                "--print-config", environment=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in ("tenants: 11", "watches: 44", "connections: 66"):
            self.assertIn(line, done.stdout)

    def test_a_bad_file_is_refused_with_its_line(self):
        file = self.work / "bad.yaml"
        file.write_text("limits:\n  tenants: 11\n  tennants: 12\n")
        done = self.run_program("serve", "--config", str(file), "--check-config")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("3", done.stderr)
        self.assertIn("tennants", done.stderr)

    def test_lookups_and_their_exit_codes(self):
        gateway = self.gateway()
        for kind, (door, path, content_type, encode) in otlp.KINDS.items():
            client = gateway.otlp() if door == "otlp" else gateway.http()
            self.assertEqual(client.post(path, encode([1]), content_type).status, 200, kind)
        url = "http://" + gateway.doors["http"]
        trace_id = otlp.trace_id(1)
        found = self.run_program("trace", trace_id, "--url", url)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn("work 1", found.stdout)
        self.assertIn("line 1", found.stdout)
        for command in (("locate", trace_id), ("logs", "--trace-id", trace_id), ("resolve", "trace_id=" + trace_id)):
            done = self.run_program(*command, "--url", url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(trace_id, done.stdout)
        as_json = self.run_program("locate", trace_id, "--url", url, "--json")
        self.assertEqual(json.loads(as_json.stdout)["matches"][0]["trace_id"], trace_id)
        in_range = ("--start", "1700000000", "--end", "1700000001")
        doctor = self.run_program("doctor", "--url", url, *in_range)
        self.assertEqual(doctor.returncode, 0, doctor.stderr)
        self.assertRegex(doctor.stdout, r"crash +1 +100 % +1 +- +1 +100 % +hex32\n")
        doctor = self.run_program("doctor", "--url", url, "--json", *in_range)
        self.assertEqual(json.loads(doctor.stdout)["wrong"], 0)
        self.assertEqual(self.run_program("doctor", "--url", url, "--end", "1").returncode, 1)
        self.assertEqual(self.run_program("trace", otlp.trace_id(2), "--url", url).returncode, 1)
        self.assertEqual(self.run_program("trace", "no-id", "--url", url).returncode, 2)
        self.assertEqual(self.run_program("trace", trace_id, "--url", "http://127.0.0.1:1").returncode, 3)


if __name__ == "__main__":
    unittest.main()
