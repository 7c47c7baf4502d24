"""Zipkin v2: spans with tags and annotations, in microseconds."""

import json

from expect.record import Expected, canonical, different_fields, value_anywhere

# Tags that say what other formats have a field for: status and the scope's version.
IN_FIELDS_OF_THEIR_OWN = ("error", "otel.status", "otel.scope.version", "otel.library.version")


def expected(capture):
    for span in capture.expect["spans"]:
        yield Expected("spans", span["trace_id"], canonical(span),
                       lambda got, want=span: differences(got, want), f"span {span['span_id']} {span['name']}")


def differences(got, want):
    found = different_fields(got, {
        "span_id": want["span_id"], "parent_span_id": want["parent_span_id"] or None,
        "service": want["service"], "name": want["name"], "kind": (want["kind"] or "internal").lower(),
        "start_unix_nano": str(want["timestamp_us"] * 1000), "duration_ns": want["duration_us"] * 1000,
    })
    if want["tags"].get("otel.status_code") == "ERROR" or "error" in want["tags"]:
        if got["status"] != "error":
            found.append("status")
    for key, value in want["tags"].items():
        if not key.startswith(IN_FIELDS_OF_THEIR_OWN) and not value_anywhere(got, value):
            found.append(f"tag {key}")
    if "error" in want["tags"] and got["status_message"] not in (want["tags"]["error"], ""):
        found.append("status_message")
    events = sorted((str(a["timestamp"] * 1000), event_name(a["value"])) for a in want["annotations"])
    if sorted((e["time_unix_nano"], e["name"]) for e in got["events"]) != events:
        found.append("annotations")
    return found


def event_name(annotation):
    """OpenTelemetry's exporters write an event as {"name": {attributes}}."""
    try:
        value = json.loads(annotation)
    except ValueError:
        return annotation
    return next(iter(value)) if isinstance(value, dict) and len(value) == 1 else annotation
