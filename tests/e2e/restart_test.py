"""What a restart keeps: records, and the memory of what was sent already."""

import unittest

import case
import otlp


class RestartTest(case.GatewayCase):
    def counts(self, gateway, number):
        answer = gateway.http().get("/api/v1/traces/" + otlp.trace_id(number))
        self.assertEqual(answer.status, 200, answer.body)
        trace = answer.json()
        return {kind: len(trace[kind]) for kind in otlp.KINDS}

    def send(self, gateway, kind, numbers):
        door, path, content_type, encode = otlp.KINDS[kind]
        client = gateway.otlp() if door == "otlp" else gateway.http()
        answer = client.post(path, encode(numbers), content_type)
        self.assertEqual(answer.status, 200, answer.body)

    def test_sigterm_drains_and_a_restart_finds_all(self):
        gateway = self.gateway()
        for kind in otlp.KINDS:
            self.send(gateway, kind, range(20))
        before = gateway.http().get("/api/v1/traces/" + otlp.trace_id(3)).json()
        gateway.stop()
        gateway.start()
        after = gateway.http().get("/api/v1/traces/" + otlp.trace_id(3)).json()
        self.assertEqual(before, after)

    def test_a_retry_after_a_restart_doubles_nothing(self):
        gateway = self.gateway()
        for kind in otlp.KINDS:
            self.send(gateway, kind, range(5))
        gateway.kill()
        gateway.start()
        for kind in otlp.KINDS:
            self.send(gateway, kind, range(5))
        for number in range(5):
            self.assertEqual(self.counts(gateway, number), {"spans": 1, "logs": 1, "exemplars": 1})

    def test_two_processes_do_not_share_a_directory(self):
        gateway = self.gateway()
        with self.assertRaisesRegex(RuntimeError, "ended with 1:"):
            case.Gateway(gateway.data_dir, self.binary).start()
        self.send(gateway, "spans", [1])


if __name__ == "__main__":
    unittest.main()
