"""Files of real loggers, posted as shippers post them: the resolver's answer and the stored line of each."""

import json

from lookups import Lookups, take


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
