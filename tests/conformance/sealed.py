"""What is hot, sealed, and read after a restart gives the same answers, byte for byte."""

import contextlib
import json
import pathlib
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor

import corpus
import doors
import trainticket
from lookups import EVER
from tally import Tally

# A link that is pending hot may have stopped to be when it is asked for again.
ENVIRONMENT = {"THROUGHLINE_LINKS_PENDING_WAIT": "1ms"}
LISTS = ("traces", "logs", "exemplars", "gauges")
OPTIONS = {"logs": {"linked_only": "false"}}
BY_ID = ("/api/v1/traces/{}", "/api/v1/locate/{}", "/tempo/api/v2/traces/{}", "/jaeger/api/traces/{}")


def send(shared, gateway, tally):
    """The whole corpus but what is scraped, and the day of a real system."""
    senders, log_files = corpus.load(shared)
    sent = [c for s in senders if not s.is_exposition for c in s.captures]
    corpus.send_all("sealed", sent, gateway, tally)
    for log_file in log_files:
        log_file.post(gateway.http(log_file.tenant), log_file.lines)
    trainticket.send(gateway, trainticket.Data(shared / "trainticket").requests())
    return {None, *(s.captures[0].tenant for s in senders)}


def ids_in(value):
    if isinstance(value, dict):
        if value.get("trace_id"):
            yield value["trace_id"]
        for inner in value.values():
            yield from ids_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from ids_in(inner)


def pages(client, what):
    """Answers page by page, each without its cursor, which may differ."""
    cursor = None
    while cursor is None or cursor:
        query = {"limit": 1000, **EVER, **OPTIONS.get(what, {}), **({"cursor": cursor} if cursor else {})}
        answer = client.get("/api/v1/" + what, **query)
        assert answer.status == 200, (what, answer.status, answer.body[:300])
        page = answer.json()
        cursor = page["cursor"] or ""
        yield page, answer.body.replace(json.dumps(cursor).encode(), b'""')


def timeless(body, gateway):
    """Without the port, which is another after a restart, and without how long ago something was named."""
    return re.sub(rb"named \d+ \w+ ago", b"named AGO", body.replace(gateway.doors["http"].encode(), b"HOST:PORT"))


def ask(gateway, tenants):
    """{(tenant, question): the answer's bytes}."""
    answers = {}
    for tenant in tenants:
        client, ids = gateway.http(tenant), set()
        for what in LISTS:
            for number, (page, body) in enumerate(pages(client, what)):
                answers[tenant, f"{what}, page {number}"] = timeless(body, gateway)
                ids.update(ids_in(page))
        questions = [form.format(trace_id) for trace_id in sorted(ids) for form in BY_ID]
        with ThreadPoolExecutor(4) as pool:
            for question, answer in zip(questions, pool.map(client.get, questions)):
                answers[tenant, question] = b"%d " % answer.status + timeless(answer.body, gateway)
    return answers


def seal(gateway):
    """A snapshot seals what is hot."""
    client = gateway.http()
    started = client.post("/api/v1/snapshots", b"", "application/json")
    assert started.status == 202, (started.status, started.body)
    snapshot = "/api/v1/snapshots/" + started.json()["id"]
    corpus.wait_for(lambda: client.get(snapshot).status == 200)
    assert client.request("DELETE", snapshot).status == 204


def run(shared, binary):
    """(answers compared, sealed files, questions that were answered differently)."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        data = pathlib.Path(work) / "data"
        gateway = stack.enter_context(doors.start_gateway(data, binary, ENVIRONMENT))
        tenants = sorted(send(shared, gateway, tally), key=str)
        hot = ask(gateway, tenants)
        seal(gateway)
        gateway.stop()
        gateway.start()
        sealed_files = len(list(data.glob("seg-*.db")))
        sealed = ask(gateway, tenants)
    problems = [f"{tenant or 'default'}: {question}" for tenant, question in sorted(hot.keys() | sealed.keys(), key=str)
                if hot.get((tenant, question)) != sealed.get((tenant, question))]
    if not sealed_files:
        problems.append("nothing was sealed")
    return len(hot), sealed_files, problems
