"""Captures of real clients and log files of real loggers, sent as captured and looked up again.

Expectations were decoded by the official libraries. Everything is verified through the public
lookups, field by field.
"""

import json
import pathlib
import tempfile

from gateway_process import Gateway

OTLP_PATHS = ("/v1/traces", "/v1/metrics", "/v1/logs")
# Headers that belong to the connection, not to the message.
HOP = {"host", "content-length", "transfer-encoding", "connection", "expect", "accept-encoding"}


class Capture:
    """One request of a sender, with what is in it."""

    def __init__(self, path):
        self.meta = json.loads(path.read_text())
        self.body = path.with_suffix(".body").read_bytes()
        self.expect = json.loads(path.with_name(path.stem + ".expect.json").read_text())
        headers = {k.lower(): v for k, v in self.meta["headers"]}
        self.tenant = headers.get("x-scope-orgid")
        self.chunked = headers.get("transfer-encoding") == "chunked"
        self.headers = [(k, v) for k, v in self.meta["headers"] if k.lower() not in HOP]

    def send(self, client):
        return client.request(
            self.meta["method"], self.meta["path"], self.body, self.headers, chunked=self.chunked)


def otlp_http_senders(corpus):
    """{sender: [Capture]} of every sender that speaks OTLP/HTTP."""
    senders = {}
    for folder in sorted((corpus / "captures").iterdir()):
        metas = sorted(p for p in folder.glob("[0-9][0-9][0-9].json"))
        captures = []
        for meta in metas:
            head = json.loads(meta.read_text())
            if head.get("transport") == "http/1.1" and head.get("path") in OTLP_PATHS:
                captures.append(Capture(meta))
        if captures:
            senders[folder.name] = captures
    return senders


def same_value(got, want):
    """Our JSON against plain JSON: integers beyond 2^53 are decimal strings."""
    if isinstance(want, bool) or want is None or isinstance(want, str):
        return got == want
    if isinstance(want, int):
        return got == want or (abs(want) > 2**53 and got == str(want))
    if isinstance(want, float):
        return got == want
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same_value, got, want))
    if isinstance(want, dict):
        return isinstance(got, dict) and got.keys() == want.keys() and all(
            same_value(got[k], want[k]) for k in want)
    return False


def differences(got, want):
    """The names of the fields of `want` that `got` does not have so."""
    return [k for k in want if not same_value(got.get(k), want[k])]


def expected_span(span):
    start, end = int(span["start_ns"]), int(span["end_ns"])
    return {
        "span_id": span["span_id"], "parent_span_id": span["parent_span_id"] or None,
        "service": span["service"], "name": span["name"], "kind": span["kind"].lower(),
        "start_unix_nano": span["start_ns"], "duration_ns": max(end - start, 0),
        "status": span["status"].lower(), "status_message": span["status_message"],
        "attributes": span["attributes"], "scope": span["scope"], "flags": span["flags"],
        "trace_state": span["trace_state"],
    }


def span_matches(got, want):
    found = differences(got, expected_span(want))
    events = want.get("events", [])
    if len(got["events"]) != len(events):
        found.append("events")
    for mine, theirs in zip(got["events"], events):
        same = mine["name"] == theirs["name"] and mine["time_unix_nano"] == theirs["time_ns"]
        if "exception.type" in theirs:
            same = same and mine["attributes"].get("exception.type") == theirs["exception.type"]
        if not same:
            found.append("events." + theirs["name"])
    links = [(link["trace_id"], link["span_id"]) for link in got["links"]]
    if links != [(link["trace_id"], link["span_id"]) for link in want.get("links", [])]:
        found.append("links")
    return found


def expected_log(log):
    return {
        "service": log["service"], "sent_time_unix_nano": log["time_ns"],
        "observed_unix_nano": log["observed_ns"], "severity_number": log["severity_number"],
        "severity_text": log["severity_text"], "event_name": log["event_name"],
        "scope": log["scope"], "body": log["body"], "attributes": log["attributes"],
    }


def log_matches(got, want):
    found = differences(got, expected_log(want))
    if want["span_id"] and (got["span_id"] != want["span_id"] or got["inferred"]):
        found.append("span_id")
    if not want["span_id"] and got["span_id"] and not got["inferred"]:
        found.append("span_id")
    return found


def exemplar_matches(got, want):
    found = differences(got, {
        "metric": want["metric"], "service": want["service"], "labels": want["point_attributes"],
        "attributes": want["filtered_attributes"], "sent_time_unix_nano": want["time_ns"],
        "span_id": want["span_id"] or None, "value_type": want["value_type"],
    })
    value = got["value"]
    if want["value_type"] == "int":
        same = str(value) == str(want["value"])
    else:
        same = float(value) == float(want["value"])
    return found if same else found + ["value"]


def canonical(value):
    return json.dumps(value, sort_keys=True)


# What makes two records one: docs/concepts.md, identity.
def span_identity(span):
    return canonical(expected_span(span)) + canonical([span.get("events"), span.get("links")]) + span["trace_id"]


def log_identity(log):
    return canonical(expected_log(log)) + log["trace_id"] + log["span_id"]


def exemplar_identity(exemplar):
    return canonical([exemplar[k] for k in (
        "metric", "service", "point_attributes", "trace_id", "span_id", "time_ns", "value_type")]
        + [str(exemplar["value"])])


class Lookups:
    """Traces of one gateway and tenant, each fetched once."""

    def __init__(self, client):
        self.client = client
        self.traces = {}

    def trace(self, trace_id):
        if trace_id not in self.traces:
            answer = self.client.get("/api/v1/traces/" + trace_id)
            self.traces[trace_id] = answer.json() if answer.status == 200 else None
        return self.traces[trace_id]

    def records(self, trace_id, kind):
        trace = self.trace(trace_id)
        return trace[kind] if trace else []

    def unlinked_lines(self):
        lines, cursor = [], None
        while True:
            query = {"linked_only": "false", "limit": 1000, "start": "2000-01-01T00:00:00Z",
                     "end": "2200-01-01T00:00:00Z"}
            if cursor:
                query["cursor"] = cursor
            answer = self.client.get("/api/v1/logs", **query)
            assert answer.status == 200, answer.body
            page = answer.json()
            lines += [line for line in page["logs"] if not line["trace_id"]]
            cursor = page["cursor"]
            if not cursor:
                return lines


def take(candidates, taken, matches):
    """The first candidate that matches and was not taken; else the differences of the nearest."""
    nearest = None
    for candidate in candidates:
        if id(candidate) in taken:
            continue
        found = matches(candidate)
        if not found:
            taken.add(id(candidate))
            return None
        if nearest is None or len(found) < len(nearest):
            nearest = found
    return nearest if nearest is not None else ["nothing left"]


def verify(name, captures, client, tally):
    """Every record that the captures hold is there, once, with every expected field; no others."""
    lookups = Lookups(client)
    kinds = (
        ("spans", "spans", span_identity, lambda w: lambda g: span_matches(g, w)),
        ("logs", "logs", log_identity, lambda w: lambda g: log_matches(g, w)),
        ("exemplars", "exemplars", exemplar_identity, lambda w: lambda g: exemplar_matches(g, w)),
    )
    for kind, list_name, identity, matcher in kinds:
        sent = [record for capture in captures for record in capture.expect.get(list_name, [])]
        distinct = list({identity(record): record for record in sent}.values())
        linked = [record for record in distinct if record["trace_id"]]
        tally.add(name, kind, sent=len(sent), distinct=len(distinct))
        taken = set()
        for record in linked:
            candidates = lookups.records(record["trace_id"], kind)
            problem = take(candidates, taken, matcher(record))
            if problem is None:
                tally.add(name, kind, found=1)
            elif candidates:
                tally.wrong(name, kind, f"{record['trace_id']}: {problem}")
            else:
                tally.missing(name, kind, record["trace_id"])
        for trace_id in {record["trace_id"] for record in linked}:
            for extra in lookups.records(trace_id, kind):
                if id(extra) not in taken:
                    tally.wrong(name, kind, f"{trace_id}: doubled or never sent: {str(extra)[:200]}")
        if kind == "logs":
            unlinked = lookups.unlinked_lines()
            for record in (r for r in distinct if not r["trace_id"]):
                if take(unlinked, taken, matcher(record)) is None:
                    tally.add(name, kind, found=1)
                else:
                    tally.missing(name, kind, "unlinked line " + record["body"][:60])
    ids = {i for capture in captures for i in capture.expect.get("trace_ids", [])}
    tally.add(name, "ids", sent=len(ids), distinct=len(ids))
    for trace_id in ids:
        answer = client.get("/api/v1/locate/" + trace_id)
        matches = answer.json().get("matches", []) if answer.status == 200 else []
        if [m["trace_id"] for m in matches] == [trace_id]:
            tally.add(name, "ids", found=1)
        else:
            tally.missing(name, "ids", trace_id)


def send_all(name, captures, gateway, tally):
    for capture in captures:
        answer = capture.send(gateway.otlp())
        if answer.status != 200:
            tally.wrong(name, "ids", f"{capture.meta['path']} answered {answer.status} {answer.body[:200]}")


# --- Log files.


class LogFile:
    """One logger's file, with the ids that its tracer gave for each line."""

    # Written by the same process as an OTLP capture: they go to its tenant.
    PARTNERS = {
        "python-otel-logging": "otel-python-http", "node-winston-otel": "otel-js-http-json",
        "java-logback-sleuth": "otel-java-grpc",
    }

    def __init__(self, path, tenants):
        self.name = path.stem
        self.lines = path.read_bytes().split(b"\n")
        if self.lines[-1] == b"":
            self.lines.pop()
        expect = [json.loads(line) for line in
                  path.with_suffix(".expect.jsonl").read_text().splitlines()]
        self.expect = {e["line"]: e for e in expect}
        self.tenant = tenants.get(self.PARTNERS.get(self.name))
        first = next((line for line in self.lines if line.strip()), b"")
        self.json = first.startswith(b"{")

    def post(self, client, lines):
        content_type = "application/x-ndjson" if self.json else "text/plain; charset=utf-8"
        return client.post("/api/v1/logs", b"\n".join(lines) + b"\n", content_type)


def answers_of(expect):
    """The (trace id, span id) pairs that may be the line's link; empty: it must have none."""
    allowed = [(e["trace_id"], e.get("span_id")) for e in expect["expect"]]
    for other in expect.get("lenient", []):
        allowed.append((other["trace_id"], other.get("span_id")) if isinstance(other, dict) else (other, None))
    return allowed


def verify_log_file(log_file, gateway, tally, name):
    """Posts the file as one body, and asks the resolver and the store for every line's ids."""
    client = gateway.http(log_file.tenant)
    answer = log_file.post(client, log_file.lines)
    if answer.status != 200:
        tally.wrong(name, "logs", f"answered {answer.status}: {answer.body[:200]}")
        return
    counts = answer.json()
    linked = sum(1 for e in log_file.expect.values() if e["expect"])
    tally.add(name, "logs", sent=len(log_file.lines), distinct=len(log_file.lines))
    lookups = Lookups(client)
    taken = set()
    texts = [line.decode("utf-8", "replace") for line in log_file.lines]
    resolved = client.post("/api/v1/resolve", json.dumps({"lines": texts}).encode(), "application/json").json()
    for number, text in enumerate(texts, 1):
        expect = log_file.expect[number]
        found = resolved["lines"][number - 1]["found"]
        primary = (found[0]["trace_id"], found[0]["span_id"]) if found else None
        check_ids(log_file, number, expect, primary, found, lookups, taken, tally, name)
    stored = counts["accepted"] + counts["unlinked"] + counts["deduplicated"]
    if stored != len(log_file.lines):
        tally.wrong(name, "logs", f"{len(log_file.lines)} lines sent, answer says {counts}")
    optional = sum(1 for e in log_file.expect.values() if e.get("optional"))
    with_id = counts["accepted"] + counts["deduplicated"] - counts["kept_unlinked"]
    if not linked - optional <= with_id <= linked:
        tally.wrong(name, "logs", f"{linked} lines with an id, {counts}")


def texts_of(line):
    """What the text of a line may be: the line itself, or a string field of the JSON that it is."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    try:
        fields = json.loads(text)
    except ValueError:
        return {text}
    return {text, *(v for v in fields.values() if isinstance(v, str))} if isinstance(fields, dict) else {text}


def check_ids(log_file, number, expect, primary, found, lookups, taken, tally, name):
    """One line: the resolver's answer, and the stored line under its trace with the span id."""
    where = f"line {number} ({expect.get('reason', '')[:60]})"
    allowed = answers_of(expect)
    tally.add(name, "ids", sent=len(expect["expect"][:1]), distinct=len(expect["expect"][:1]))
    if not allowed:
        if primary is None:
            tally.add(name, "logs", found=1)
        else:
            tally.wrong(name, "ids", f"{where}: false id {primary}")
        return
    if primary is None:
        if expect.get("optional"):
            tally.add(name, "ids", found=1)
            tally.add(name, "logs", found=1)
        else:
            tally.missing(name, "ids", where)
        return
    if not any(primary[0] == trace and (span is None or primary[1] == span) for trace, span in allowed):
        tally.wrong(name, "ids", f"{where}: {primary}, want {allowed}")
        return
    tally.add(name, "ids", found=1)
    extras = {e["trace_id"] for e in expect["expect"]} | set(expect.get("secondary", []))
    extras |= {trace for trace, _ in allowed}
    for other in found[1:]:
        if other["trace_id"] not in extras:
            tally.wrong(name, "ids", f"{where}: false further id {other['trace_id']}")

    texts = texts_of(log_file.lines[number - 1])

    def is_line(line):
        if line["found_by"] == "none" or id(line) in taken:
            return ["taken"]
        span = next(s for t, s in allowed if t == primary[0])
        same_span = span is None or (line["span_id"] == span and not line["inferred"])
        return [] if same_span and line["body"] in texts else ["span id or text"]

    if take(lookups.records(primary[0], "logs"), taken, is_line) is None:
        tally.add(name, "logs", found=1)
    else:
        tally.missing(name, "logs", f"{where} under {primary[0]}")


def run(shared, binary, tally, union):
    """One fresh gateway a sender, then all of them into one."""
    corpus = shared / "corpus"
    environment = {"THROUGHLINE_LOGS_KEEP_UNLINKED": "true"}
    senders = otlp_http_senders(corpus)
    tenants = {name: captures[0].tenant for name, captures in senders.items()}
    tenants["otel-java-grpc"] = "team-a"
    log_files = [LogFile(path, tenants) for path in sorted((corpus / "loglines").glob("*.log"))]
    with tempfile.TemporaryDirectory() as work:
        for name, captures in senders.items():
            with Gateway(pathlib.Path(work) / name, binary, environment) as gateway:
                send_all(name, captures, gateway, tally)
                verify(name, captures, gateway.http(captures[0].tenant), tally)
        for log_file in log_files:
            with Gateway(pathlib.Path(work) / log_file.name, binary, environment) as gateway:
                verify_log_file(log_file, gateway, tally, log_file.name)
        with Gateway(pathlib.Path(work) / "union", binary, environment) as gateway:
            verify_union(senders, log_files, gateway, union)


def verify_union(senders, log_files, gateway, union):
    by_tenant = {}
    for name, captures in senders.items():
        send_all(name, captures, gateway, union)
        by_tenant.setdefault(captures[0].tenant, []).extend(captures)
    for tenant, captures in by_tenant.items():
        verify(f"all OTLP of tenant {tenant or 'default'}", captures, gateway.http(tenant), union)
    for log_file in log_files:
        verify_log_file(log_file, gateway, union, log_file.name)
