"""Malformed and hostile input: an answer that names the fault, bounded memory, and a gateway that goes on."""

import gzip
import json
import pathlib
import socket
import unittest

import case
import otlp

GOOD = otlp.spans([1])
JSON = "application/json"
PROTO = "application/x-protobuf"
KEY = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":'

# name, path, body, headers, statuses that may be answered
CASES = [
    ("truncated json", "/v1/traces", GOOD[:-5], {"Content-Type": JSON}, {400}),
    ("truncated protobuf", "/v1/traces", b"\x0a\x7f\x00", {"Content-Type": PROTO}, {400}),
    ("a length of 2 GiB", "/v1/traces", b"\x0a\xff\xff\xff\xff\x07", {"Content-Type": PROTO}, {400}),
    ("wire type 7", "/v1/traces", b"\x0f\x00", {"Content-Type": PROTO}, {400}),
    ("json as protobuf", "/v1/traces", GOOD, {"Content-Type": PROTO}, {400}),
    ("protobuf as json", "/v1/traces", b"\x0a\x02\x12\x00", {"Content-Type": JSON}, {400}),
    ("unknown type", "/v1/traces", GOOD, {"Content-Type": "text/csv"}, {415}),
    ("no type", "/v1/traces", GOOD, {}, {415}),
    ("unknown encoding", "/v1/traces", GOOD, {"Content-Type": JSON, "Content-Encoding": "br"}, {415}),
    ("not gzip", "/v1/traces", GOOD, {"Content-Type": JSON, "Content-Encoding": "gzip"}, {400}),
    ("cut gzip", "/v1/traces", gzip.compress(GOOD)[:-9], {"Content-Type": JSON, "Content-Encoding": "gzip"}, {400}),
    ("a bomb", "/v1/traces", gzip.compress(bytes(200 << 20), 9),
     {"Content-Type": PROTO, "Content-Encoding": "gzip"}, {413}),
    ("too large", "/v1/logs", b" " * (21 << 20), {"Content-Type": JSON}, {413}),
    ("deep json", "/v1/traces", b"[" * 100_000, {"Content-Type": JSON}, {400}),
    ("deep unknown field", "/v1/traces", b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", {"Content-Type": JSON}, {400}),
    ("id of a number", "/v1/traces", KEY + b"17}]}]}]}", {"Content-Type": JSON}, {400}),
    ("an empty request", "/v1/traces", b"", {"Content-Type": PROTO}, {200}),
    ("no array", "/api/v1/logs", b"[{]", {"Content-Type": JSON}, {400}),
    ("unknown path", "/v1/nothing", GOOD, {"Content-Type": JSON}, {404}),
    ("odd tenant", "/v1/traces", GOOD, {"Content-Type": JSON, "X-Scope-OrgID": "a/b"}, {400}),
]

LARGE = [
    ("/v1/traces", otlp.spans([2], service="a" * (10 << 20)), JSON),
    ("/api/v1/logs", b'{"m":"' + b"x" * (5 << 20) + b'"}\n', "application/x-ndjson"),
    ("/api/v1/logs", b"y" * (5 << 20), "text/plain"),
]

RAW = [
    ("two lengths", b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", b"400"),
    ("length and chunks", b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    ("a bad chunk", b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
     b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
    ("100 GB", b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000000000\r\n\r\n", b"413"),
    ("no http", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
    ("a header of 64 KiB", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 65536 + b"\r\n\r\n", b"431"),
]


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


class BadInputTest(case.GatewayCase):
    def test_each_gets_its_answer_and_costs_nothing_else(self):
        gateway = self.gateway()
        client = gateway.otlp()
        self.assertEqual(client.post("/v1/traces", GOOD, JSON).status, 200)
        before = resident_kib(gateway.pid)
        for name, path, body, headers, statuses in CASES:
            door = gateway.http() if path.startswith("/api/") else gateway.otlp()
            answer = door.request("POST", path, body, headers)
            with self.subTest(name):
                self.assertIn(answer.status, statuses, answer.body[:300])
        for name, request, status in RAW:
            with self.subTest(name):
                self.assertIn(status, self.raw(gateway.doors["otlp_http"], request).split(b"\r\n")[0])
        # Taken, and kept: what they cost beyond their own size goes back at once.
        for path, body, kind in LARGE:
            door = gateway.http() if path.startswith("/api/") else gateway.otlp()
            answer = door.post(path, gzip.compress(body), kind, **{"Content-Encoding": "gzip"})
            self.assertEqual(answer.status, 200, answer.body[:300])
        self.assertLess(resident_kib(gateway.pid) - before, 64 << 10, "KiB more than before")
        self.assertEqual(gateway.http().get("/api/v1/traces/" + otlp.trace_id(1)).status, 200)

    def raw(self, door, request):
        host, port = door.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 20) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def test_failures_speak_the_requests_own_encoding(self):
        client = self.gateway().otlp()
        answer = client.post("/v1/traces", b"{", JSON)
        self.assertEqual(answer.headers["Content-Type"], JSON)
        self.assertTrue(answer.json()["message"])
        answer = client.post("/v1/traces", b"\x0a\x7f", PROTO)
        self.assertEqual(answer.headers["Content-Type"], PROTO)

    def test_a_bad_record_costs_only_itself(self):
        gateway = self.gateway()
        body = json.loads(otlp.spans([1, 2, 3]))
        body["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["traceId"] = "abcd"
        answer = gateway.otlp().post("/v1/traces", json.dumps(body).encode(), JSON)
        self.assertEqual(answer.status, 200)
        partial = answer.json()["partialSuccess"]
        self.assertEqual(int(partial["rejectedSpans"]), 1)
        self.assertIn("span 1", partial["errorMessage"])
        for number, status in ((1, 200), (2, 404), (3, 200)):
            self.assertEqual(gateway.http().get("/api/v1/traces/" + otlp.trace_id(number)).status, status)


if __name__ == "__main__":
    unittest.main()
