"""Explain on a day with injected faults: at which rank the service is that the fault was injected into.

The labels are for scoring alone: the gateway gets the records, the windows and nothing else.
"""

import hashlib
import json
import pathlib
import tempfile

import trainticket
from gateway_process import Gateway

AMONG = (1, 3, 5)
SAMPLED_OF_100 = 10  # Of the traces, by a hash of their ids.


def window_of(label):
    # Labels end with the start of the last root.
    return {"start": str(label["root_start_ns"]), "end": str(label["root_end_ns"] + 1)}


def is_sampled(trace_id):
    return int(hashlib.sha256(trace_id.encode()).hexdigest(), 16) % 100 < SAMPLED_OF_100


def sampled_requests(data):
    """The same requests with the spans of a tenth of the traces, as sampling at the head would leave them."""
    out = []
    for door, path, body in data.requests():
        if path == "/v1/traces":
            message = json.loads(body)
            for resource in message["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    scope["spans"] = [s for s in scope["spans"] if is_sampled(s["traceId"])]
            body = json.dumps(message).encode()
        out.append((door, path, body))
    return out


def ask(client, window, baseline):
    request = {"window": window, "limit": 20}
    if baseline:
        request["baseline"] = [baseline]
    answer = client.post("/api/v1/explain", json.dumps(request).encode(), "application/json")
    if answer.status != 200:
        raise RuntimeError(f"/api/v1/explain answered {answer.status}: {answer.body[:300]}")
    return answer.json()


def rank_of(answer, service):
    """Strict: of equal scores the names decide, as the gateway orders them."""
    for rank, culprit in enumerate(answer["culprits"], 1):
        if culprit["service"] == service:
            return rank
    return None


def rank_all(client, faults, stored, row, report):
    ranks = []
    for fault in faults:
        baseline = window_of(fault["stored_baseline"]) if stored else None
        answer = ask(client, window_of(fault["spike"]), baseline)
        rank = rank_of(answer, fault["expected"]["service"])
        ranks.append({"fault": fault["inject_time"], "service": fault["expected"]["service"], "rank": rank,
                      "verdict": answer["verdict"], "baseline": answer["baseline"]["windows"],
                      "top": [(c["service"], c["score"]) for c in answer["culprits"][:3]]})
    shares = [100 * sum(1 for r in ranks if r["rank"] and r["rank"] <= n) / len(ranks) for n in AMONG]
    named = sum(1 for r in ranks if r["verdict"] == "culprit" and r["rank"] == 1)
    print(f"  {row:44} {shares[0]:5.1f} {shares[1]:5.1f} {shares[2]:5.1f}   {named:2d} of {len(ranks)}")
    for rank in ranks:
        if rank["rank"] != 1:
            print(f"      {rank['service']} at {rank['rank']}, behind {rank['top'][0][0] if rank['top'] else 'nobody'}")
    report[row] = {"shares": shares, "named": named, "faults": ranks}
    return shares


def quiet_windows(client, faults, stored, row, report):
    named = []
    quiet = [f for f in faults if not f["ours"]["before_contaminated"]]
    for fault in quiet:
        answer = ask(client, window_of(fault["before"]), window_of(fault["stored_baseline"]) if stored else None)
        if answer["verdict"] == "culprit":
            named.append((fault["before"]["label"], answer["culprits"][0]["service"]))
    print(f"  {row:44} {len(named)} of {len(quiet)} named {named or ''}")
    report[row] = {"windows": len(quiet), "named": named}
    return len(named)


def fed(work, binary, requests, gauges=True):
    environment = {"THROUGHLINE_LOGS_KEEP_UNLINKED": "true"}
    if not gauges:
        environment["THROUGHLINE_EXPLAIN_GAUGES"] = "none"
    gateway = Gateway(work, binary, environment)
    gateway.__enter__()
    trainticket.send(gateway, requests)
    return gateway


def run(shared, binary):
    """(report, failures)"""
    folder = shared / "trainticket"
    data = trainticket.Data(folder)
    faults = json.loads((folder / "faults.json").read_text())["faults"]
    report, failures = {}, 0
    print(f"\nexplain: {len(faults)} faults; % at rank 1, among 3, among 5; named as the culprit")
    with tempfile.TemporaryDirectory() as folder_of_runs:
        work = pathlib.Path(folder_of_runs)
        with fed(work / "all", binary, data.requests()) as gateway:
            client = gateway.http()
            shares = rank_all(client, faults, True, "stored baseline", report)
            failures += shares != [100, 100, 100]
            shares = rank_all(client, faults, False, "automatic baseline", report)
            failures += any(share < least for share, least in zip(shares, (88, 94, 100)))
            failures += quiet_windows(client, faults, True, "quiet windows, stored baseline", report) > 1
            failures += quiet_windows(client, faults, False, "quiet windows, automatic baseline", report) > 1
        with fed(work / "no-gauges", binary, data.requests(), gauges=False) as gateway:
            rank_all(gateway.http(), faults, True, "stored baseline, without CPU gauges", report)
            rank_all(gateway.http(), faults, False, "automatic baseline, without CPU gauges", report)
        without_logs = [r for r in data.requests() if r[1] != "/api/v1/logs"]
        with fed(work / "no-logs", binary, without_logs) as gateway:
            rank_all(gateway.http(), faults, True, "stored baseline, without logs", report)
            rank_all(gateway.http(), faults, False, "automatic baseline, without logs", report)
        with fed(work / "sampled", binary, sampled_requests(data)) as gateway:
            rank_all(gateway.http(), faults, True, "stored baseline, 10 % of the traces", report)
            rank_all(gateway.http(), faults, False, "automatic baseline, 10 % of the traces", report)
    return report, failures
