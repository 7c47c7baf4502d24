"""The examples that tutorials print: a short id in a line, in a header, and in a trace."""

import json
import pathlib
import tempfile

from gateway_process import Gateway

TRACE = "00000000000000001234567890abcdef"
LINES = (
    b"[trace_id=1234567890abcdef] Payment failed",
    b"traceparent: 00-1234567890abcdef-aaa000000000001-01",
)


def spans():
    base = 1_700_000_000_000_000_000
    out = []
    for i, (service, name) in enumerate((("web", "GET /checkout"), ("cart", "load"), ("payment", "charge"))):
        out.append({
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            "scopeSpans": [{"spans": [{
                "traceId": TRACE, "spanId": f"aaa000000000000{i + 1}",
                "parentSpanId": "" if i == 0 else "aaa0000000000001", "name": name, "kind": 2,
                "startTimeUnixNano": str(base + i * 1000), "endTimeUnixNano": str(base + 9000 - i * 1000)}]}],
        })
    return json.dumps({"resourceSpans": out}).encode()


def exemplar():
    return json.dumps({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "payment"}}]},
        "scopeMetrics": [{"metrics": [{"name": "payment.duration", "unit": "s", "histogram": {
            "aggregationTemporality": 2, "dataPoints": [{
                "timeUnixNano": "1700000000000009000", "count": "1", "sum": 2.5,
                "bucketCounts": ["0", "1"], "explicitBounds": [1],
                "exemplars": [{"timeUnixNano": "1700000000000008000", "asDouble": 2.5,
                               "traceId": TRACE, "spanId": "aaa0000000000003"}]}]}}]}]}]}).encode()


def run(binary):
    """Returns what went wrong; nothing: each is found from the others."""
    problems = []

    def want(what, got, expected):
        if got != expected:
            problems.append(f"{what}: {got!r}, want {expected!r}")

    with tempfile.TemporaryDirectory() as work, Gateway(pathlib.Path(work) / "data", binary) as gateway:
        want("traces", gateway.otlp().post("/v1/traces", spans(), "application/json").status, 200)
        want("metrics", gateway.otlp().post("/v1/metrics", exemplar(), "application/json").status, 200)
        client = gateway.http()
        for line in LINES:
            want("line", client.post("/api/v1/logs", line + b"\n", "text/plain").json()["accepted"], 1)
        # From the trace, by the short spelling as by the long one.
        for spelling in ("1234567890abcdef", TRACE, "00-1234567890abcdef-aaa000000000001-01"):
            answer = client.get("/api/v1/traces/" + spelling)
            want(f"{spelling} status", answer.status, 200)
            trace = answer.json()
            want(f"{spelling} state", trace["state"], "live")
            want(f"{spelling} spans", len(trace["spans"]), 3)
            want(f"{spelling} lines", sorted(line["body"] for line in trace["logs"]),
                 sorted(line.decode() for line in LINES))
            want(f"{spelling} exemplars", len(trace["exemplars"]), 1)
        # From the lines.
        resolved = client.post("/api/v1/resolve", json.dumps({"lines": [x.decode() for x in LINES]}).encode(),
                               "application/json").json()
        for line in resolved["lines"]:
            want("resolved id", [f["trace_id"] for f in line["found"]], [TRACE])
            want("resolved state", line["state"], "live")
        # From the spike.
        found = client.get("/api/v1/exemplars", match='payment_duration{service="payment"}', min_value="1",
                           start="2023-11-14T00:00:00Z", end="2023-11-16T00:00:00Z").json()["exemplars"]
        want("spike", [(e["trace_id"], e["link"]["state"]) for e in found], [(TRACE, "live")])
        located = client.get("/api/v1/locate/1234567890abcdef").json()["matches"]
        want("locate", [m["counts"] for m in located], [{"spans": 3, "logs": 2, "exemplars": 1}])
    return problems
