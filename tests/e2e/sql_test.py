"""`throughline sql` beside a gateway that runs, and after it; at a terminal; its exit codes."""

import csv
import io
import json
import os
import pty
import signal
import sqlite3
import subprocess
import unittest

import case
import otlp

ENDLESS = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"


class SqlTest(case.GatewayCase):
    def setUp(self):
        super().setUp()
        # So that a test can see what is left behind.
        self.copies = self.work / "copies"
        self.copies.mkdir()
        self.environment = {**os.environ, "TMPDIR": str(self.copies), "LC_ALL": "C.UTF-8"}

    def sql(self, *arguments, text=None, data="data"):
        done = subprocess.run([str(self.binary), "sql", "--data", str(self.work / data), *arguments],
                              capture_output=True, text=True, timeout=120, input=text,
                              env=self.environment)
        self.assertEqual(list(self.copies.iterdir()), [], "a copy was left behind")
        return done

    def rows(self, query):
        done = self.sql("--format", "json", query)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def fill(self, gateway, numbers):
        for door, path, content_type, encode in otlp.KINDS.values():
            client = gateway.otlp() if door == "otlp" else gateway.http()
            self.assertEqual(client.post(path, encode(numbers), content_type).status, 200)

    def test_beside_a_gateway_and_after_it(self):
        # Small parts, so that some are sealed while others are hot.
        gateway = self.gateway(arguments=["--store-seal-bytes", "1MiB"])
        count = "SELECT (SELECT count(*) FROM span) s, (SELECT count(*) FROM log) l, (SELECT count(*) FROM exemplar) e"
        total = 0
        for begin in range(1, 6001, 1000):
            self.fill(gateway, range(begin, begin + 1000))
            total += 1000
            # What was acknowledged is in the answer.
            self.assertEqual(self.rows(count), [{"s": total, "l": total, "e": total}])
        one = otlp.trace_id(17)
        joined = ("SELECT s.name, l.body, e.metric FROM span s JOIN log l USING (trace_id) "
                  f"JOIN exemplar e USING (trace_id) WHERE s.trace_id = '{one}'")
        expected = [{"name": "work 17", "body": "line 17", "metric": "work.duration"}]
        self.assertEqual(self.rows(joined), expected)
        self.assertEqual(self.rows(f"SELECT kind FROM link WHERE trace_id = '{one}' ORDER BY kind"),
                         [{"kind": "exemplar"}, {"kind": "log"}, {"kind": "span"}])
        self.assertEqual(self.rows("SELECT count(*) n, sum(log_count) l FROM trace"),
                         [{"n": total, "l": total}])
        gateway.stop()
        self.assertEqual(self.rows(joined), expected)
        self.assertEqual(self.rows(count), [{"s": total, "l": total, "e": total}])
        # The same query over what export writes.
        tables = self.work / "tables.db"
        subprocess.run([str(self.binary), "export", "--data", str(self.work / "data"), "--sqlite", str(tables)],
                       check=True, capture_output=True, timeout=120)
        query = ("SELECT trace_id, span_id, name, start_unix_ns, attributes, resource FROM span "
                 "ORDER BY start_unix_ns LIMIT 100")
        with sqlite3.connect(tables) as exported:
            exported.row_factory = sqlite3.Row
            self.assertEqual(self.rows(query), [dict(row) for row in exported.execute(query)])

    def test_formats_and_input(self):
        self.fill(self.gateway(), [1, 2])
        query = "SELECT name, duration_ns, parent_span_id FROM span ORDER BY name"
        self.assertEqual(self.sql(query).stdout,
                         "name    duration_ns  parent_span_id\n"
                         "──────  ───────────  ──────────────\n"
                         "work 1         1000  NULL\n"
                         "work 2         1000  NULL\n")
        rows = list(csv.reader(io.StringIO(self.sql("--format", "csv", query).stdout)))
        self.assertEqual(rows, [["name", "duration_ns", "parent_span_id"],
                                ["work 1", "1000", ""], ["work 2", "1000", ""]])
        self.assertEqual(self.sql("--format", "ndjson", text=f"-- all\n{query}\nLIMIT 1;\n.tables\n").stdout,
                         '{"name":"work 1","duration_ns":1000,"parent_span_id":null}\n'
                         "span\nlog\nexemplar\nlink\ntrace\n")
        self.assertEqual(self.sql("--format", "line", f"{query} LIMIT 1").stdout,
                         "          name = work 1\n   duration_ns = 1000\nparent_span_id = NULL\n")

    def test_what_is_refused_and_exit_codes(self):
        self.fill(self.gateway(), [1])
        before = sorted((entry.name, entry.stat().st_size) for entry in (self.work / "data").iterdir())
        for query in ("DELETE FROM span", "ATTACH 'x.db' AS x", "PRAGMA user_version = 1",
                      "CREATE TABLE x(y)", "SELECT servce FROM span"):
            done = self.sql(query)
            self.assertEqual(done.returncode, 2, query)
            self.assertTrue(done.stderr.startswith("throughline: "), done.stderr)
        self.assertIn("line 1, column 8", done.stderr)
        self.assertEqual(self.sql("SELECT json('{')").returncode, 1)
        self.assertEqual(self.sql("--timeout", "50ms", "--format", "csv", ENDLESS).returncode, 1)
        self.assertEqual(self.sql("--timeout", "50", "SELECT 1").returncode, 2)
        self.assertEqual(self.sql("--format", "xml", "SELECT 1").returncode, 2)
        self.assertEqual(self.sql("--tenant", "a/b", "SELECT 1").returncode, 2)
        self.assertEqual(self.sql("SELECT 1", data=".").returncode, 2)
        self.assertEqual(self.sql("--tenant", "other", "SELECT count(*) FROM span").stdout.split(), ["count(*)", "────────", "0"])
        # The last statement of an input that went wrong says how it ended.
        self.assertEqual(self.sql(text="SELECT 1;\nSELECT nothing;\nSELECT 2;\n").returncode, 2)
        after = sorted((entry.name, entry.stat().st_size) for entry in (self.work / "data").iterdir())
        self.assertEqual(before, after)

    def test_a_signal_ends_a_command(self):
        self.fill(self.gateway(), [1])
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                [str(self.binary), "sql", "--data", str(self.work / "data"), "--format", "ndjson", ENDLESS],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)
            self.assertTrue(process.stdout.readline())  # It runs.
            process.send_signal(number)
            _, said = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 3)
            self.assertIn(b"interrupted", said)
            self.assertEqual(list(self.copies.iterdir()), [])

    def test_a_reader_that_goes_ends_a_command(self):
        self.fill(self.gateway(), [1])
        process = subprocess.Popen(
            [str(self.binary), "sql", "--data", str(self.work / "data"), "--format", "csv", ENDLESS],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)
        self.assertTrue(process.stdout.readline())
        process.stdout.close()
        process.stderr.read()
        self.assertEqual(process.wait(120), 1)

    def test_at_a_terminal(self):
        gateway = self.gateway()
        self.fill(gateway, [1])
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(self.binary, [str(self.binary), "sql", "--data", str(self.work / "data"),
                                    "--format", "ndjson"], self.environment)
        seen = b""

        def until(text):
            nonlocal seen
            while text not in seen:
                seen += os.read(terminal, 65536)
            before, seen = seen.split(text, 1)
            return before

        try:
            self.assertIn(b"as it was at", until(b"sql> "))
            os.write(terminal, b"SELECT name\n")
            until(b"...> ")
            os.write(terminal, b"FROM span;\n")
            until(b'{"name":"work 1"}')
            until(b"1 row, ")
            until(b"sql> ")
            # Ctrl-C ends the query, not the shell; and a statement that is not complete.
            os.write(terminal, ENDLESS.encode() + b";\n")
            until(b'{"i":1000}')
            os.write(terminal, b"\x03")
            until(b"interrupted")
            until(b"sql> ")
            os.write(terminal, b"SELECT 1\n")
            until(b"...> ")
            os.write(terminal, b"\x03")
            until(b"sql> ")
            # The data as it was, until it is looked at anew.
            self.fill(gateway, [2])
            os.write(terminal, b"SELECT count(*) AS n FROM span;\n")
            until(b'{"n":1}')
            until(b"sql> ")
            os.write(terminal, b".refresh\n")
            until(b"as it was at")
            until(b"sql> ")
            os.write(terminal, b"SELECT count(*) AS n FROM span;\n")
            until(b'{"n":2}')
            until(b"sql> ")
            os.write(terminal, b"SELECT servce FROM span;\n")
            until(b"no such column: servce")
            until(b"sql> ")
            os.write(terminal, b".quit\n")
            _, status = os.waitpid(pid, 0)
            pid = 0
        finally:
            if pid != 0:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertEqual(list(self.copies.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
