"""A day of a real microservice system: spans, raw log lines and exemplars, in order and shuffled."""

import csv
import gzip
import hashlib
import json
import pathlib
import random
import tempfile
from concurrent.futures import ThreadPoolExecutor

from gateway_process import Gateway

LINES_PER_POST = 500
# What differs between two runs by nature.
OF_ARRIVAL = {"arrival_unix_nano", "arrival_time", "reason"}


def read_lines(path):
    with gzip.open(path, "rb") as file:
        return file.read().splitlines()


class Data:
    def __init__(self, folder):
        self.traces = read_lines(folder / "traces.otlp.jsonl.gz")
        self.metrics = read_lines(folder / "metrics.otlp.jsonl.gz")
        self.lines = read_lines(folder / "logs.jsonl.gz")
        with gzip.open(folder / "logs.expected.csv.gz", "rt") as file:
            self.expected = list(csv.DictReader(file))

    def requests(self):
        """(door, path, body) of all that is sent."""
        out = [("otlp", "/v1/traces", body) for body in self.traces]
        out += [("otlp", "/v1/metrics", body) for body in self.metrics]
        for i in range(0, len(self.lines), LINES_PER_POST):
            out.append(("http", "/api/v1/logs", b"\n".join(self.lines[i : i + LINES_PER_POST]) + b"\n"))
        return out


def spans_in(body):
    for resource in json.loads(body)["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def exemplars_in(body):
    for resource in json.loads(body)["resourceMetrics"]:
        for scope in resource["scopeMetrics"]:
            for metric in scope["metrics"]:
                for kind in ("gauge", "sum", "histogram", "exponentialHistogram"):
                    for point in metric.get(kind, {}).get("dataPoints", []):
                        for exemplar in point.get("exemplars", []):
                            yield metric["name"], exemplar


def send(gateway, requests):
    clients = {"otlp": gateway.otlp(), "http": gateway.http()}

    def post(request):
        door, path, body = request
        kind = "application/json" if door == "otlp" else "application/x-ndjson"
        answer = clients[door].post(path, body, kind)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:300]}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(post, requests))


def strip(value):
    if isinstance(value, dict):
        return {k: strip(v) for k, v in value.items() if k not in OF_ARRIVAL}
    if isinstance(value, list):
        return [strip(v) for v in value]
    return value


def fetch_all(gateway, ids):
    client = gateway.http()

    def fetch(trace_id):
        answer = client.get("/api/v1/traces/" + trace_id)
        return trace_id, answer.json() if answer.status == 200 else None

    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(fetch, ids))


def digest(traces):
    sums = {t: hashlib.sha256(json.dumps(strip(a), sort_keys=True).encode()).hexdigest()
            for t, a in traces.items()}
    return sums


def expectations(data):
    """{trace id: {"spans": set, "logs": count of (span id), "exemplars": set}}"""
    wanted = {}

    def of(trace_id):
        return wanted.setdefault(trace_id, {"spans": {}, "logs": [], "exemplars": []})

    for body in data.traces:
        for span in spans_in(body):
            of(span["traceId"])["spans"][span["spanId"]] = (
                span["name"], span["startTimeUnixNano"],
                int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]), span.get("parentSpanId") or None)
    for number, row in enumerate(data.expected):
        if row["trace_id"]:
            of(row["trace_id"])["logs"].append((row["span_id"], json.loads(data.lines[number])["log"]))
    for body in data.metrics:
        for metric, exemplar in exemplars_in(body):
            if exemplar.get("traceId"):
                of(exemplar["traceId"])["exemplars"].append(
                    (metric, exemplar["spanId"], exemplar["timeUnixNano"], float(exemplar["asDouble"])))
    return wanted


def verify(wanted, traces, tally):
    name = "trainticket"
    tally.add(name, "ids", sent=len(wanted), distinct=len(wanted))
    for trace_id, want in wanted.items():
        trace = traces.get(trace_id)
        if trace is None:
            tally.missing(name, "ids", trace_id)
            trace = {"spans": [], "logs": [], "exemplars": []}
        else:
            tally.add(name, "ids", found=1)
        check_spans(name, trace_id, want["spans"], trace["spans"], tally)
        got = sorted((line["span_id"] if not line["inferred"] else "", line["body"]) for line in trace["logs"])
        compare(name, "logs", trace_id, sorted(want["logs"]), got, tally)
        got = sorted((e["metric"], e["span_id"], e["sent_time_unix_nano"], float(e["value"]))
                     for e in trace["exemplars"])
        compare(name, "exemplars", trace_id, sorted(want["exemplars"]), got, tally)


def check_spans(name, trace_id, want, got, tally):
    mine = {s["span_id"]: (s["name"], s["start_unix_nano"], s["duration_ns"], s["parent_span_id"]) for s in got}
    tally.add(name, "spans", sent=len(want), distinct=len(want))
    for span_id, fields in want.items():
        if span_id not in mine:
            tally.missing(name, "spans", f"{trace_id} {span_id}")
        elif mine[span_id] != fields:
            tally.wrong(name, "spans", f"{trace_id} {span_id}: {mine[span_id]}, want {fields}")
        else:
            tally.add(name, "spans", found=1)
    if len(got) != len(want):
        tally.wrong(name, "spans", f"{trace_id}: {len(got)} spans, want {len(want)}")


def compare(name, kind, trace_id, want, got, tally):
    tally.add(name, kind, sent=len(want), distinct=len(want))
    if got == want:
        tally.add(name, kind, found=len(want))
        return
    left = list(got)
    for item in want:
        if item in left:
            left.remove(item)
            tally.add(name, kind, found=1)
        else:
            tally.missing(name, kind, f"{trace_id}: {str(item)[:120]}")
    for item in left:
        tally.wrong(name, kind, f"{trace_id}: not expected: {str(item)[:120]}")


def run(shared, binary, tally, seed):
    data = Data(shared / "trainticket")
    wanted = expectations(data)
    requests = data.requests()
    spans = sum(len(w["spans"]) for w in wanted.values())
    exemplars = sum(len(w["exemplars"]) for w in wanted.values())
    lines = sum(len(w["logs"]) for w in wanted.values())
    print(f"trainticket: {spans} spans, {len(data.lines)} lines ({lines} with an id), "
          f"{exemplars} exemplars, {len(wanted)} traces, {len(requests)} requests")
    environment = {"THROUGHLINE_LOGS_KEEP_UNLINKED": "true"}
    with tempfile.TemporaryDirectory() as work:
        with Gateway(pathlib.Path(work) / "ordered", binary, environment) as gateway:
            send(gateway, requests)
            traces = fetch_all(gateway, wanted)
        verify(wanted, traces, tally)
        ordered = digest(traces)
        del traces
        random.Random(seed).shuffle(requests)
        with Gateway(pathlib.Path(work) / "shuffled", binary, environment) as gateway:
            send(gateway, requests)
            shuffled = digest(fetch_all(gateway, wanted))
    different = [t for t in wanted if ordered[t] != shuffled[t]]
    print(f"trainticket: shuffled arrival (seed {seed}): {len(wanted) - len(different)} of {len(wanted)} answers the same")
    for trace_id in different[:10]:
        tally.wrong("trainticket", "ids", f"{trace_id}: another answer when shuffled")
    return len(different)
