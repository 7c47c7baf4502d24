"""OTLP, over HTTP or gRPC: every field of spans, log records and exemplars."""

from expect.record import Expected, canonical, different_fields


def expected(capture, renamed=()):
    """`renamed`: attributes of lines whose values are not compared, only that they are there."""
    content = capture.expect
    for span in content.get("spans", []):
        yield Expected("spans", span["trace_id"], span_identity(span),
                       lambda got, want=span: span_differences(got, want), f"span {span['span_id']} {span['name']}")
    for log in content.get("logs", []):
        yield Expected("logs", log["trace_id"], log_identity(log),
                       lambda got, want=log: log_differences(got, want, renamed), f"line {str(log['body'])[:60]}")
    for exemplar in content.get("exemplars", []):
        yield Expected("exemplars", exemplar["trace_id"], exemplar_identity(exemplar),
                       lambda got, want=exemplar: exemplar_differences(got, want), f"exemplar of {exemplar['metric']}")


def span_fields(span):
    start, end = int(span["start_ns"]), int(span["end_ns"])
    return {
        "span_id": span["span_id"], "parent_span_id": span["parent_span_id"] or None,
        "service": span["service"], "name": span["name"], "kind": span["kind"].lower(),
        "start_unix_nano": span["start_ns"], "duration_ns": max(end - start, 0),
        "status": span["status"].lower(), "status_message": span["status_message"],
        "attributes": span["attributes"], "scope": span["scope"], "flags": span["flags"],
        "trace_state": span["trace_state"],
    }


def span_differences(got, want):
    found = different_fields(got, span_fields(want))
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


def log_fields(log):
    return {
        "service": log["service"], "sent_time_unix_nano": log["time_ns"],
        "observed_unix_nano": log["observed_ns"], "severity_number": log["severity_number"],
        "severity_text": log["severity_text"], "event_name": log["event_name"],
        "scope": log["scope"], "body": log["body"], "attributes": log["attributes"],
    }


def log_differences(got, want, renamed=()):
    fields = log_fields(want)
    fields["attributes"] = {k: got["attributes"].get(k) if k in renamed else v for k, v in want["attributes"].items()}
    return different_fields(got, fields) + span_id_differences(got, want["span_id"])


def span_id_differences(got, want):
    """A line's own span id; without one it may be shown under a span, but only as inferred."""
    if want:
        return [] if got["span_id"] == want and not got["inferred"] else ["span_id"]
    return ["span_id"] if got["span_id"] and not got["inferred"] else []


def exemplar_differences(got, want):
    found = different_fields(got, {
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


# What makes two records one: docs/concepts.md, identity.
def span_identity(span):
    return canonical(span_fields(span)) + canonical([span.get("events"), span.get("links")]) + span["trace_id"]


def log_identity(log):
    return canonical(log_fields(log)) + log["trace_id"] + log["span_id"]


def exemplar_identity(exemplar):
    return canonical([exemplar[k] for k in (
        "metric", "service", "point_attributes", "trace_id", "span_id", "time_ns", "value_type")]
        + [str(exemplar["value"])])
