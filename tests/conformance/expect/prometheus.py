"""Prometheus' world: exemplars of remote write 1.0 and 2.0 and of expositions, scraped or pushed."""

import decimal
import re

from expect.record import Expected, canonical

TRACE_LABELS = {"trace_id", "traceid", "traceId", "traceID", "TraceID"}
SPAN_LABELS = {"span_id", "spanid", "spanId", "spanID", "SpanID"}
# What a scrape adds to the labels of a series.
OF_SCRAPE = {"job", "instance"}


def expected_remote_write(capture):
    for e in capture.expect.get("exemplars", []):
        labels = {k: v for k, v in e["series"].items() if k != "__name__"}
        yield exemplar(e["metric"], labels, e["labels"], e["timestamp_ms"] * 1_000_000, e["value"])


def expected_exposition(capture, how):
    """`how` is "scraped" or "pushed": a scrape makes other series of them."""
    if "exemplars" not in capture.expect:
        yield from ids_in_bytes(capture, how)
    for e in capture.expect.get("exemplars", []):
        time_ns = int(time_of(capture, e) * 1_000_000_000)
        yield exemplar(e["metric"], e["labels"], e["exemplar_labels"], time_ns, e["value"], job_of(capture, how))


def job_of(capture, how):
    """The job that scraped it (sending.Expositions names them so); None: it was pushed."""
    return capture.name.replace("/", "-") if how == "scraped" else None


def time_of(capture, exemplar):
    """Seconds. The library that decoded the corpus reads client_golang's 1.795381474e+09 as a second and
    a fraction: what cannot be the time of a capture is read from its bytes."""
    seconds = decimal.Decimal(exemplar["timestamp"])
    if seconds > 1_000_000:
        return seconds
    pattern = r"^%s\W.*# \{.*%s.*\} (\S+) (\S+)$" % (exemplar["metric"], exemplar["trace_id"])
    return next(decimal.Decimal(time) for value, time in re.findall(pattern, capture.body.decode(), re.M)
                if float(value) == exemplar["value"])


def exemplar(metric, labels, exemplar_labels, time_ns, value, job=None):
    """`job`: that scraped it, where it was scraped."""
    trace_id = next((v for k, v in exemplar_labels.items() if k in TRACE_LABELS), "")
    span_id = next((v for k, v in exemplar_labels.items() if k in SPAN_LABELS), "")
    rest = {k: v for k, v in exemplar_labels.items() if k not in TRACE_LABELS | SPAN_LABELS}

    def differences(got):
        found = []
        if got["metric"] not in (metric, metric.removesuffix("_bucket")):
            found.append("metric")
        mine = {k: v for k, v in got["labels"].items() if k not in ("le", "__name__")}
        if job is not None:
            if mine.get("job") != job:
                found.append("job")
            mine = {k: v for k, v in mine.items() if k not in OF_SCRAPE or k in labels}
        if mine != {k: v for k, v in labels.items() if k != "le"}:
            found.append("labels")
        if "le" in labels and not same_number(got.get("le") or got["labels"].get("le"), labels["le"]):
            found.append("le")
        if got["attributes"] != rest:
            found.append("attributes")
        if abs(int(got["sent_time_unix_nano"]) - time_ns) > 256:  # A double holds no more of it.
            found.append("time")
        if (got["span_id"] or "") != span_id:
            found.append("span_id")
        if float(got["value"]) != float(value):
            found.append("value")
        return found

    identity = canonical([metric, labels, exemplar_labels, time_ns, value, job])
    return Expected("exemplars", trace_id, identity, differences, f"exemplar of {metric}{labels}", metric=metric)


def same_number(got, want):
    try:
        return got is not None and float(got) == float(want)
    except ValueError:
        return False


def ids_in_bytes(capture, how):
    """An exposition that nobody decoded for us: the ids that stand in its bytes."""
    pattern = re.compile(rb"[Tt]race_?(?:id|Id|ID)\x12\x20([0-9a-f]{32})")
    job = job_of(capture, how)

    def differences(got):
        return [] if got["labels"].get("job") == job else ["job"]

    for number, match in enumerate(pattern.finditer(capture.body)):
        trace_id = match[1].decode()
        yield Expected("exemplars", trace_id, f"{capture.name} {number} {how}", differences,
                       f"exemplar {number} of {capture.name}")
