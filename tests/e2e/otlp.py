"""Small bodies of our own, each record told by a number, for tests that count what survived."""

import json


def trace_id(number):
    return f"{0x7E57000000000000 + number:016x}{0x51D0000000000000 + number:016x}"


def span_id(number):
    return f"{0x5A00000000000000 + number:016x}"


def _resource(service):
    return {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}


def spans(numbers, service="crash", at=1_700_000_000_000_000_000):
    return json.dumps({"resourceSpans": [{"resource": _resource(service), "scopeSpans": [{"spans": [
        {"traceId": trace_id(n), "spanId": span_id(n), "name": f"work {n}", "kind": 2,
         "startTimeUnixNano": str(at + n), "endTimeUnixNano": str(at + n + 1000),
         "attributes": [{"key": "number", "value": {"intValue": str(n)}}]} for n in numbers]}]}]}).encode()


def lines(numbers):
    return "".join(
        json.dumps({"time": "2023-11-14T22:13:20Z", "level": "info", "service": "crash",
                    "message": f"line {n}", "trace_id": trace_id(n), "span_id": span_id(n)}) + "\n"
        for n in numbers).encode()


def exemplars(numbers, service="crash", at=1_700_000_000_000_000_000):
    return json.dumps({"resourceMetrics": [{"resource": _resource(service), "scopeMetrics": [{"metrics": [
        {"name": "work.duration", "unit": "s", "gauge": {"dataPoints": [{
            "timeUnixNano": str(at), "asDouble": 1.0, "exemplars": [
                {"timeUnixNano": str(at + n), "asDouble": n / 1000, "traceId": trace_id(n),
                 "spanId": span_id(n)} for n in numbers]}]}}]}]}]}).encode()


# door, path, content type, encoder, list in the answer of a trace
KINDS = {
    "spans": ("otlp", "/v1/traces", "application/json", spans),
    "logs": ("http", "/api/v1/logs", "application/x-ndjson", lines),
    "exemplars": ("otlp", "/v1/metrics", "application/json", exemplars),
}
