"""Malformed and hostile inputs: each gets the status that it is due, and costs the gateway nothing.

Sends every case of corpus/bad to one gateway, compares with its expectation, and looks up what had
to survive between the broken. Afterwards the gateway must be healthy, and its resident size at most
MAX_GROWTH_BYTES larger.
"""

import gzip
import json
import pathlib
import socket
import tempfile
import time

import doors
import grpc_client
import raw_http
from gateway_process import Client

MAX_GROWTH_BYTES = 64 << 20
SETTLE_S = 5
OPENMETRICS_PATH = "/api/v1/import/openmetrics"
OTLP_PATHS = ("/v1/",)
LINES_PATH = "/api/v1/logs"
LINKED_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HOP = {"host", "content-length", "connection"}

# Where an expectation and ../shared/design/intake.md part ways, the gateway does what intake.md says, and
# that is checked: a case here must be answered 200, nothing rejected, "repaired" in the message.
DISPUTED = ("json-traceid-base64", "json-spanid-base64")
WHY_DISPUTED = (
    'intake.md: "ids that can be repaired are repaired and counted (repaired in the partial success\' warning, '
    'rejected = 0)"; the expectation wants the span rejected (OTLP, JSON Protobuf Encoding: ids are hex, not base64)')


class Case:
    def __init__(self, path):
        self.meta = json.loads(path.read_text())
        self.expect = json.loads(path.with_name(path.stem + ".expect.json").read_text())
        self.body = path.with_suffix(".body").read_bytes()
        self.name = self.meta["name"]
        self.group = self.name.split("-")[0]
        self.headers = [(k, v) for k, v in self.meta["headers"] if k.lower() not in HOP]

    @property
    def kind(self):
        path = self.meta["path"]
        if self.meta.get("transport") == "grpc":
            return "grpc"
        if path.startswith("(syslog"):
            return "syslog"
        return "raw" if self.meta.get("raw_tcp") else "http"

    @property
    def path(self):
        """The path that the gateway has for it."""
        path = self.meta["path"]
        if path.startswith("/openmetrics"):
            return OPENMETRICS_PATH
        return LINES_PATH if path.startswith("(json lines") else path

    def content_headers(self):
        if self.headers:
            return self.headers
        if self.path == OPENMETRICS_PATH:
            return [("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")]
        return [("Content-Type", "application/x-ndjson")] if self.path == LINES_PATH else []

    def wanted(self):
        wanted = self.expect.get("grpc_status", self.expect.get("status"))
        if wanted == "no crash":
            return [200] if self.path == LINES_PATH else []
        return [wanted, *self.expect["also_acceptable"]]


class Table:
    """The outcome of each case."""

    def __init__(self):
        self.groups, self.wrong, self.disputed, self.no_door = {}, [], [], []

    def right(self, case):
        self._count(case, "right")

    def missing(self, case, door):
        self._count(case, "no_door")
        self.no_door.append((case.name, door))

    def dispute(self, case):
        self._count(case, "disputed")
        self.disputed.append(case.name)

    def fail(self, case, got, problem, body):
        self._count(case, "wrong")
        self.wrong.append((case.name, case.wanted() or "no crash", got, problem, body))

    def _count(self, case, what):
        self.groups.setdefault(case.group, dict(right=0, wrong=0, disputed=0, no_door=0))[what] += 1

    def print(self):
        print("\nbad input: cases / right / wrong / disputed / without a door")
        for name, group in sorted(self.groups.items()):
            print(f"  {name:<10} {sum(group.values()):>5} {group['right']:>5} {group['wrong']:>5} "
                  f"{group['disputed']:>5} {group['no_door']:>5}")
        total = {k: sum(g[k] for g in self.groups.values()) for k in ("right", "wrong", "disputed", "no_door")}
        print(f"  {'total':<10} {sum(total.values()):>5} {total['right']:>5} {total['wrong']:>5} "
              f"{total['disputed']:>5} {total['no_door']:>5}")
        for name, want, got, problem, body in self.wrong:
            print(f"  ! {name}: want {want}, got {got}{': ' + problem if problem else ''} {body!r}")
        if self.disputed:
            print(f"  ? {', '.join(self.disputed)}: {WHY_DISPUTED}")
        if self.no_door:
            print(f"  - no door: {', '.join(sorted({d for _, d in self.no_door}))}")


# --- What an answer of the right status must say.


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def fields(data):
    """{field number: last value} of a protobuf message of varints and strings."""
    out, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        out[tag >> 3] = value
    return out


def partial_success(body, is_json):
    """(rejected, message) of an OTLP export response."""
    if is_json:
        partial = json.loads(body or b"{}").get("partialSuccess", {})
        rejected = [v for k, v in partial.items() if k.startswith("rejected")]
        return int(rejected[0]) if rejected else 0, partial.get("errorMessage", "")
    partial = fields(fields(body).get(1, b""))
    return partial.get(1, 0), partial.get(2, b"").decode()


def content_problem(case, status, headers, body):
    """What the answer of an acceptable status says wrongly; None: nothing."""
    expect = case.expect
    is_json = "json" in dict((k.lower(), v.lower()) for k, v in case.headers).get("content-type", "")
    if case.kind == "grpc" or case.path.startswith(OTLP_PATHS):
        if status in (200, 0):
            if case.name in DISPUTED:
                rejected, message = partial_success(body, is_json)
                return None if rejected == 0 and "repaired" in message else f"rejected {rejected}: {message}"
            return partial_problem(expect, *partial_success(body, is_json))
        return None if case.kind == "grpc" else failure_problem(case, headers, body, is_json)
    if status in (200, 204) and "written" in expect:
        for what, count in expect["written"].items():
            got = headers.get(f"x-prometheus-remote-write-{what}-written")
            if got != count:
                return f"{what}-Written {got}, want {count}"
    if status in (200, 204) and expect.get("written_headers"):
        got = "/".join(headers.get(f"x-prometheus-remote-write-{w}-written", "-")
                       for w in ("samples", "histograms", "exemplars"))
        if got != expect["written_headers"]:
            return f"Written {got}, want {expect['written_headers']}"
    if case.group == "es" and status == 200:
        return bulk_problem(expect, headers, body)
    return None


def partial_problem(expect, rejected, message):
    want = expect.get("partial_success", {}).get("rejected_spans")
    if want == "all" or "must reject the span" in expect.get("if_200", ""):
        return None if rejected >= 1 and message else f"rejected {rejected}, want at least 1"
    if want is not None and not (rejected == want and message):
        if not (expect.get("partial_success_optional") and rejected == 0):
            return f"rejected {rejected} ({message}), want {want}"
    return None


def failure_problem(case, headers, body, is_json):
    """OTLP: a failure is a google.rpc.Status in the request's encoding."""
    if case.kind == "raw" or case.meta["method"] != "POST" or case.path not in ("/v1/traces", "/v1/metrics", "/v1/logs"):
        return None
    kind = headers.get("content-type", "")
    if is_json:
        try:
            return None if json.loads(body)["message"] and kind.startswith("application/json") else "no message"
        except (ValueError, KeyError, TypeError):
            return f"no google.rpc.Status in JSON: {kind}"
    if dict((k.lower(), v) for k, v in case.headers).get("content-type") == "application/x-protobuf":
        if kind != "application/x-protobuf" or not fields(body).get(2):
            return f"no google.rpc.Status in protobuf: {kind}"
    return None


def bulk_problem(expect, headers, body):
    answer = json.loads(body)
    if headers.get("x-elastic-product") != "Elasticsearch":
        return "no X-Elastic-Product"
    if "errors" in expect and answer["errors"] != expect["errors"]:
        return f"errors {answer['errors']}"
    if "items" in expect and len(answer["items"]) != expect["items"]:
        return f"{len(answer['items'])} items"
    return None


# --- Sending.


def send_http(case, gateway, table):
    door = "otlp_http" if case.path.startswith(OTLP_PATHS) else "http"
    address = doors.address(gateway, door)
    bodies = [(case.body, case.content_headers())]
    if case.meta.get("also_send_plain"):
        plain = [(k, v) for k, v in case.content_headers() if k.lower() != "content-encoding"]
        bodies.append((gzip.decompress(case.body), plain))
    for body, headers in bodies:
        answer = raw_http.request(address, case.meta["method"], case.path, headers, body)
        if answer.status == 404 and case.group != "path" and 404 not in case.wanted():
            return table.missing(case, case.path)
        problem = None
        if answer.status in case.wanted():
            problem = content_problem(case, answer.status, answer.headers, answer.body)
            if problem is None:
                continue
        return table.fail(case, answer.status, problem or "", answer.body[:200])
    return table.dispute(case) if case.name in DISPUTED else table.right(case)


def send_raw(case, gateway, table):
    wanted = case.wanted() + ([0] if case.expect.get("or_close") else [])
    answers = raw_http.exchange(doors.address(gateway, "otlp_http"), case.body, case.expect.get("answers", 1))
    statuses = [answer.status for answer in answers]
    if len(statuses) == case.expect.get("answers", 1) and all(s in wanted for s in statuses):
        return table.right(case)
    return table.fail(case, statuses, "", answers[-1].body[:200])


def send_grpc(case, gateway, table):
    address = doors.address(gateway, "otlp_grpc")
    if not grpc_client.AVAILABLE:
        return table.missing(case, grpc_client.WHY)
    connection = grpc_client.GrpcConnection(address)
    answer = connection.call(case.path, case.headers, case.body)
    connection.close()
    if answer.status in case.wanted():
        problem = content_problem(case, answer.status, answer.headers, answer.message)
        if problem is None:
            return table.right(case)
        return table.fail(case, answer.status, problem, answer.message[:200])
    return table.fail(case, answer.status, str(answer), b"")


def send_syslog(case, gateway, table):
    """Once as a datagram, where it fits into one, and once on a connection of its own."""
    if len(case.body) < 65_000:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(case.body, doors.address(gateway, "syslog_udp"))
    with socket.create_connection(doors.address(gateway, "syslog_tcp"), 5) as tcp:
        tcp.sendall(case.body)
        tcp.shutdown(socket.SHUT_WR)
        tcp.settimeout(raw_http.TIMEOUT_S)
        try:
            while tcp.recv(4096):
                pass
        except TimeoutError:
            return table.fail(case, "hang", "the gateway keeps a connection whose sender is done", b"")
        except OSError:
            pass
    return table.right(case)


SEND = {"http": send_http, "raw": send_raw, "grpc": send_grpc, "syslog": send_syslog}


# --- What had to survive.


def survivors(names):
    """[(case, description, test of one line of the answer, trace id or None)]."""
    out = [
        ("text-syslog-sd-escape", "linked by its structured data",
         lambda line: line["body"] == "msg" and 'a]b"c' in json.dumps(line, ensure_ascii=False).replace('\\"', '"'),
         LINKED_TRACE),
        ("text-syslog-no-pri", "a line without priority, whole",
         lambda line: line["body"].startswith("hello trace_id="), LINKED_TRACE),
        ("text-syslog-bom", "the message without its byte order mark",
         lambda line: line["body"] == "msg" and not line["trace_id"], None),
        ("text-jsonl-mixed", "the text line between JSON lines",
         lambda line: line["body"].startswith("not json trace_id="), LINKED_TRACE),
        ("text-jsonl-mixed", "the JSON line after a broken one",
         lambda line: line["body"] == '{"trace_id":"%s"}' % LINKED_TRACE, LINKED_TRACE),
    ]
    return [row for row in out if row[0] in names]


def check_survivors(cases, gateway, table):
    """Datagrams have no answer: what they hold is given SETTLE_S to be there."""
    client = gateway.http()
    without_door = {name for name, _ in table.no_door}
    by_name = {case.name: case for case in cases}
    deadline = time.monotonic() + SETTLE_S
    for name, what, test, trace_id in survivors(by_name.keys() - without_door):
        query = {"trace_id": trace_id} if trace_id else {"linked_only": "false", "contains": "msg"}
        while True:
            answer = client.get("/api/v1/logs", limit=1000, start="2000-01-01T00:00:00Z",
                                end="2200-01-01T00:00:00Z", **query)
            lines = answer.json()["logs"] if answer.status == 200 else []
            if any(test(line) for line in lines):
                break
            if time.monotonic() > deadline:
                table.fail(by_name[name], "lost", what, str([line["body"] for line in lines])[:300])
                break
            time.sleep(0.05)


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise RuntimeError("no VmRSS")


def run(shared, binary):
    """(the table, bytes that the resident size rose by, problems of the whole)."""
    cases = [Case(path) for path in sorted((shared / "corpus" / "bad").glob("[0-9][0-9][0-9].json"))]
    table, problems = Table(), []
    with tempfile.TemporaryDirectory() as work:
        with doors.start_gateway(pathlib.Path(work) / "bad", binary) as gateway:
            warm_up(gateway)
            before = resident_bytes(gateway.pid)
            for case in cases:
                try:
                    SEND[case.kind](case, gateway, table)
                except doors.NoDoor as door:
                    table.missing(case, str(door))
                except OSError as error:
                    table.fail(case, repr(error), "", b"")
                if gateway.process.poll() is not None:
                    problems.append(f"{case.name} ended the gateway with status {gateway.reap()}")
                    return table, 0, problems
            grown = resident_bytes(gateway.pid) - before
            if Client(gateway.doors["http"]).get("/-/healthy").status != 200:
                problems.append("not healthy")
            check_survivors(cases, gateway, table)
    if grown > MAX_GROWTH_BYTES:
        problems.append(f"the resident size rose by {grown >> 20} MiB, at most {MAX_GROWTH_BYTES >> 20} are allowed")
    return table, grown, problems


def warm_up(gateway):
    """One good request each, so that what any first request costs is not counted."""
    gateway.otlp().post("/v1/traces", b"{}", "application/json")
    gateway.http().post(LINES_PATH, b"{}\n", "application/x-ndjson")
    gateway.http().get("/metrics")
