"""What a sender must be told of a good request, by protocol."""

import json

import bad


def problem_of(capture, answer):
    """None: the answer is right. `answer` has status, headers and body."""
    checks = {"otlp": otlp, "remote_write_v1": remote_write_v1, "remote_write_v2": remote_write_v2,
              "loki": loki, "es": bulk, "zipkin": zipkin, "exposition": pushed}
    return checks[capture.signal](capture, answer)


def otlp(capture, answer):
    if answer.status != 200:
        return f"{answer.status} {answer.body[:200]}"
    rejected, message = bad.partial_success(answer.body, "json" in capture.all_headers["content-type"])
    return f"{rejected} rejected: {message}" if rejected else None


def grpc(answer):
    """`answer`: a grpc_client.GrpcAnswer."""
    if answer.status != 0:
        return str(answer)
    rejected, message = bad.partial_success(answer.message, False)
    return f"{rejected} rejected: {message}" if rejected else None


def exact(status, answer):
    return None if answer.status == status else f"{answer.status} {answer.body[:200]}"


def remote_write_v1(_, answer):
    return exact(204, answer)


def remote_write_v2(capture, answer):
    if answer.status != 204:
        return exact(204, answer)
    want = {"Samples": capture.expect["samples"], "Histograms": capture.expect["histograms"],
            "Exemplars": capture.expect["exemplar_count"]}
    wrong = [f"{k} {answer.headers.get(f'X-Prometheus-Remote-Write-{k}-Written')}, want {v}" for k, v in want.items()
             if answer.headers.get(f"X-Prometheus-Remote-Write-{k}-Written") != str(v)]
    return "; ".join(wrong) or None


def loki(_, answer):
    return exact(204, answer)


def zipkin(_, answer):
    return exact(202, answer)


def pushed(_, answer):
    return exact(204, answer)


def bulk(capture, answer):
    """A status for each item, in order, under its own operation."""
    if answer.status != 200 or answer.headers.get("X-Elastic-Product") != "Elasticsearch":
        return f"{answer.status} {answer.headers.get('X-Elastic-Product')} {answer.body[:200]}"
    items = json.loads(answer.body)["items"]
    operations = [next(iter(item)) for item in items]
    if operations != [item["op"] for item in capture.expect["items"]]:
        return f"items {operations}"
    for item, want in zip(items, capture.expect["items"]):
        status = item[want["op"]]["status"]
        if want["op"] in ("create", "index") and status not in (200, 201):
            return f"item {item}"
    return None


def elastic_probe(client):
    """What the official clients ask before they send."""
    media = "application/vnd.elasticsearch+json; compatible-with=9"
    answer = client.request("GET", "/", headers={"Accept": media})
    if answer.status != 200 or answer.headers.get("X-Elastic-Product") != "Elasticsearch":
        return f"GET / answered {answer.status}, X-Elastic-Product {answer.headers.get('X-Elastic-Product')}"
    try:
        return None if answer.json()["version"]["number"] else "no version"
    except (ValueError, KeyError, TypeError):
        return f"GET / is no product answer: {answer.body[:100]}"
