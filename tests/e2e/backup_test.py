"""Backup and restore with real processes: under load, through kill -9, and while nothing runs."""

import os
import signal
import subprocess
import unittest

import case
import crash
import otlp

# Less than an empty part takes: every append is sealed, so that there are many files.
SEALS = {"THROUGHLINE_STORE_SEAL_BYTES": "1MiB"}


class BackupTest(case.GatewayCase):
    def setUp(self):
        super().setUp()
        self.data, self.backup = self.work / "data", self.work / "backup"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("THROUGHLINE_")}

    def command(self, name, *arguments):
        return [str(self.binary), name, *map(str, arguments)]

    def run_program(self, name, *arguments, exit_code=0):
        done = subprocess.run(self.command(name, *arguments), capture_output=True, text=True,
                              timeout=120, env=self.environment)
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def back_up(self, gateway=None, exit_code=0):
        url = ["--url", "http://" + gateway.doors["http"]] if gateway else []
        return self.run_program("backup", self.backup, "--data", self.data, *url, exit_code=exit_code)

    def restored(self, name="restored"):
        self.run_program("fsck", "--data", self.backup)
        self.run_program("restore", self.backup, "--data", self.work / name)
        return self.gateway(name)

    def traces(self, gateway, batches):
        """The records of all that `batches` hold; fails where there are none."""
        client, found = gateway.http(), {}
        for number in (n for batch in batches for n in batch):
            answer = client.get("/api/v1/traces/" + otlp.trace_id(number))
            self.assertEqual(answer.status, 200, answer.body)
            trace = answer.json()  # Its state may say how long ago something was.
            found[number] = {kind: trace[kind] for kind in otlp.KINDS}
        return found

    def senders(self, gateway, numbers):
        senders = [crash.Sender(gateway, kind, numbers.take, numbers.progress) for kind in otlp.KINDS]
        for sender in senders:
            sender.start()
        return senders

    def acknowledged(self, senders):
        return [batch for sender in senders for batch in list(sender.acknowledged)]

    def send(self, gateway, numbers):
        for door, path, content_type, encode in otlp.KINDS.values():
            client = gateway.otlp() if door == "otlp" else gateway.http()
            self.assertEqual(client.post(path, encode(numbers), content_type).status, 200)

    def test_what_was_acknowledged_before_is_in_it_under_load(self):
        gateway = self.gateway(environment=SEALS)
        numbers = crash.Numbers()
        senders = self.senders(gateway, numbers)
        numbers.wait_for(20)
        first = self.acknowledged(senders)
        self.back_up(gateway)
        before = {path.name: path.stat().st_ino for path in self.backup.glob("seg-*")}
        self.assertTrue(before)
        numbers.wait_for(numbers.answered + 20)
        second = self.acknowledged(senders)
        self.back_up(gateway)
        after = {path.name: path.stat().st_ino for path in self.backup.glob("seg-*")}
        self.assertEqual({name: after.get(name) for name in before}, before, "copied again")
        self.assertGreater(len(after), len(before))
        inodes = {path.stat().st_ino for path in self.data.glob("*")}
        self.assertFalse(inodes & set(after.values()), "shares files with the data directory")
        gateway.kill()
        for sender in senders:
            sender.join()
        gateway.start()
        self.assertFalse((self.data / "snapshot").exists())
        self.assertGreater(len(second), len(first))
        restored = self.restored()
        self.assertEqual(self.traces(restored, second), self.traces(gateway, second))
        # It is a gateway's directory like any other.
        self.send(restored, range(1_000_000, 1_000_005))
        self.traces(restored, [range(1_000_000, 1_000_005)])

    def test_kill_9_of_the_gateway_in_the_middle_of_a_backup(self):
        gateway = self.gateway(environment=SEALS)
        for number in range(0, 150, 5):
            self.send(gateway, range(number, number + 5))
        expected = self.traces(gateway, [range(150)])
        url = "http://" + gateway.doors["http"]
        with subprocess.Popen(self.command("backup", self.backup, "--data", self.data, "--url", url),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment) as backup:
            while backup.poll() is None and not list(self.backup.glob("seg-*.db")):
                pass
            gateway.kill()
            output = backup.communicate(timeout=60)[0]
        # It has its files still, until the next start takes them away.
        self.assertIn(backup.returncode, (0, 1), output)
        self.assertEqual((self.backup / "catalog.db").exists(), backup.returncode == 0, output)
        gateway.start()
        self.back_up(gateway)
        self.assertEqual(self.traces(self.restored(), [range(150)]), expected)

    def test_a_stopped_gateway_and_a_stopped_backup(self):
        with self.gateway(environment=SEALS) as gateway:
            for number in range(0, 100, 5):
                self.send(gateway, range(number, number + 5))
            expected = self.traces(gateway, [range(100)])
        with subprocess.Popen(self.command("backup", self.backup, "--data", self.data),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment) as backup:
            while backup.poll() is None and not list(self.backup.glob("seg-*.db")):
                pass
            backup.send_signal(signal.SIGINT)
            output = backup.communicate(timeout=60)[0]
        self.assertIn(backup.returncode, (0, 3), output)
        self.back_up()
        self.assertEqual(self.traces(self.restored(), [range(100)]), expected)

    def test_what_is_refused(self):
        gateway = self.gateway()
        self.send(gateway, range(5))
        self.back_up(gateway)
        said = self.run_program("restore", self.backup, "--data", self.data, exit_code=1)
        self.assertIn(f"process {gateway.pid} holds this data directory", said)
        other = self.gateway("other")
        said = self.back_up(other, exit_code=2)
        self.assertIn("has another data directory", said)
        said = self.run_program("backup", self.backup, "--data", self.data, "--url",
                                "http://127.0.0.1:1", exit_code=1)
        self.assertIn(f"process {gateway.pid} holds", said)
        self.assertIn("127.0.0.1:1", said)
        gateway.stop()
        said = self.run_program("restore", self.backup, "--data", self.data, exit_code=2)
        self.assertIn("holds a store already", said)
        self.assertIn("no data directory",
                      self.run_program("backup", self.backup, "--data", self.work / "no", exit_code=2))
        # One byte of a file.
        segment = next(self.backup.glob("seg-*.db"))
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        said = self.run_program("restore", self.backup, "--data", self.work / "new", exit_code=1)
        self.assertIn(segment.name, said)
        self.assertIn("--damaged", said)
        self.assertFalse((self.work / "new" / "catalog.db").exists())
        self.run_program("restore", self.backup, "--data", self.work / "new", "--damaged", exit_code=1)
        self.gateway("new")

    def test_the_calls(self):
        gateway = self.gateway()
        client = gateway.http()
        begun = client.request("POST", "/api/v1/snapshots")
        self.assertEqual(begun.status, 202, begun.body)
        path = "/api/v1/snapshots/" + begun.json()["id"]
        self.assertEqual(client.request("POST", "/api/v1/snapshots").status, 409)
        answer = client.get(path)
        while answer.status == 202:
            answer = client.get(path)
        self.assertEqual((answer.status, answer.json()["state"]), (200, "ready"))
        self.assertTrue((self.data / "snapshot" / "catalog.db").exists())
        self.assertIn("another backup", self.back_up(gateway, exit_code=2))
        for wrong in ("0", "zz", "1", "..%2F..%2Fetc"):
            self.assertEqual(client.get("/api/v1/snapshots/" + wrong).status, 404)
        self.assertEqual(client.request("DELETE", path).status, 204)
        self.assertEqual(client.request("DELETE", path).status, 404)
        self.assertEqual(client.get(path).status, 404)
        self.back_up(gateway)
        memory = self.gateway("memory", arguments=["--store-kind", "memory"])
        self.assertEqual(memory.http().request("POST", "/api/v1/snapshots").status, 501)


if __name__ == "__main__":
    unittest.main()
