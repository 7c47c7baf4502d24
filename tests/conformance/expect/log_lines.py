"""Log lines of Loki, Elasticsearch bulk, syslog and Fluent Forward."""

import datetime
import gzip
import json
import re

from expect.otlp import span_id_differences
from expect.record import Expected, canonical, same_value, value_anywhere

# The senders of the corpus write their ids so, where they write them into the text.
TRACE_IN_TEXT = re.compile(r'trace_?id["=: ]+([0-9a-f]{32})', re.I)
SPAN_IN_TEXT = re.compile(r'span_?id["=: ]+([0-9a-f]{16})', re.I)


def line(text, trace_id, span_id, identity, check, what):
    """`check` adds the differences beyond text and span id."""
    def differences(got):
        found = [] if got["body"] == text else ["body"]
        return found + span_id_differences(got, span_id) + check(got)

    return Expected("logs", trace_id, canonical(identity), differences, what)


def ids_of(text, fields=None):
    fields = fields or {}
    trace = TRACE_IN_TEXT.search(text)
    span = SPAN_IN_TEXT.search(text)
    return (fields.get("trace_id") or (trace[1] if trace else ""),
            fields.get("span_id") or (span[1] if span and trace else ""))


def expected_loki(capture):
    for entry in capture.expect["entries"]:
        labels = entry["labels"]
        if isinstance(labels, str):
            labels = parse_selector(labels)
        metadata = entry.get("structured_metadata", {})
        trace_id, span_id = ids_of(entry["line"], metadata)

        def check(got, entry=entry, labels=labels, metadata=metadata):
            found = [] if got["sent_time_unix_nano"] == entry["time_ns"] else ["time"]
            kept = {**labels, **{k: v for k, v in metadata.items() if k not in ("trace_id", "span_id")}}
            return found + [f"label {k}" for k, v in kept.items() if not value_anywhere(got, v)]

        yield line(entry["line"], trace_id, span_id, [labels, metadata, entry["line"], entry["time_ns"]],
                   check, f"line {entry['line'][:60]}")


def parse_selector(text):
    """{a="b", …} with the escapes of Go strings that JSON shares."""
    pairs = re.findall(r'([A-Za-z_][A-Za-z0-9_]*)\s*=\s*("(?:[^"\\]|\\.)*")', text)
    return {name: json.loads(value) for name, value in pairs}


def documents_of(capture):
    """The documents of a bulk request, None for an action that has none."""
    body = capture.body
    if capture.all_headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    lines = iter(json.loads(line) for line in body.splitlines())
    for action in lines:
        yield None if "delete" in action else next(lines)


def expected_bulk(capture):
    # The expectation lacks the documents' other fields: those are read from the body.
    for item, document in zip(capture.expect["items"], documents_of(capture), strict=True):
        if item["op"] not in ("create", "index"):
            continue  # Deleting and updating documents adds no line.
        text = item["message"]
        span_id = document.get("span", {}).get("id", "")

        def check(got, document=document):
            names = {"time": ("@timestamp", lambda: got["time"][:23]), "n": ("n", lambda: got["attributes"].get("n"))}
            return [name for name, (key, of) in names.items()
                    if key in document and of() != (document[key][:23] if key == "@timestamp" else document[key])]

        yield line(text, item["trace_id"], span_id, [item["meta"].get("_index"), document], check, f"line {text[:60]}")


SEVERITY_NUMBERS = {"emerg": 21, "alert": 19, "crit": 18, "err": 17, "warning": 13, "notice": 10, "info": 9, "debug": 5}


def expected_syslog(capture):
    for message in capture.expect["messages"]:
        text = message.get("msg", message.get("text"))
        if message["format"] == "rfc5424":
            yield line(text, message["trace_id"], message["span_id"], message,
                       lambda got, want=message: check_5424(got, want), f"message {text[:60]}")
        else:
            yield Expected(
                "logs", message["trace_id"], canonical([message, capture.meta["transport"]]),
                lambda got, want=message: check_3164(got, want) + span_id_differences(got, want["span_id"]),
                f"message {text[:60]}")


def check_5424(got, want):
    found = [k for k in ("host", "app") if want[k] and not value_anywhere(got, want[k])]
    found += [f"sd {k}" for element in want["sd"].values() for k, v in element.items()
              if k not in ("trace_id", "span_id") and not value_anywhere(got, v)]
    time = datetime.datetime.fromisoformat(want["timestamp"])
    time_ns = (time - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)
    if int(got["sent_time_unix_nano"]) != time_ns * 1000:
        found.append("time")
    return found + severity_differences(got, want["severity"])


def check_3164(got, want):
    """The expectation has the whole line: `body` is its end, what stands before it is in fields."""
    names = list(SEVERITY_NUMBERS)
    found = severity_differences(got, names[want["pri"] % 8])
    # The tag may stay in the text: "shop: order" or "order".
    head = want["text"][: -len(got["body"])] if got["body"] and want["text"].endswith(got["body"]) else None
    if head is None or not (head.endswith(("vm ", "shop ", "shop: ")) and "order" not in head):
        return found + ["body"]
    return found + [k for k in ("vm", "shop") if k in head and not value_anywhere(got, k)]


def severity_differences(got, name):
    number = next(v for k, v in SEVERITY_NUMBERS.items() if name.startswith(k))
    return [] if same_band(got["severity_number"], number) else ["severity"]


def same_band(got, want):
    """OTLP names four numbers a level: notice may be INFO2."""
    return got > 0 and (got - 1) // 4 == (want - 1) // 4


def expected_fluent(capture):
    for event in capture.expect["events"]:
        record = event["record"]
        time = event["time"]
        time_ns = time * 1_000_000_000 if isinstance(time, int) else time["sec"] * 1_000_000_000 + time["nsec"]

        def check(got, record=record, time_ns=time_ns, tag=event["tag"]):
            found = [] if int(got["sent_time_unix_nano"]) == time_ns else ["time"]
            if not value_anywhere(got, tag):
                found.append("tag")
            for key, value in record.items():
                if key not in ("message", "trace_id", "span_id") and not same_value(got["attributes"].get(key), value):
                    found.append(f"field {key}")
            return found

        yield line(record["message"], event["trace_id"], record.get("span_id", ""), event, check,
                   f"event {record['message'][:60]}")
