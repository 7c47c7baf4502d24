"""Captures of real clients and log files of real loggers, sent as captured and looked up again.

Expectations were decoded by the official libraries. Everything is verified through the public
lookups, field by field: each sender in a gateway of its own, then all of them in one.
"""

import contextlib
import pathlib
import tempfile
import time

import captures
import counters
import doors
import expect.log_lines
import expect.otlp
import expect.prometheus
import expect.zipkin
import grpc_client
from log_files import LogFile, verify_log_file
from sending import Expositions, Session, Wrong
from verifying import verify

import answers

SETTLE_S = 10  # For what has no answer: datagrams, streams, scrapes.
SCRAPES = 3  # Of each exposition: the second is stored when the third is asked for.
# The corpus gives the messages another path of the sender's sources than the streams have.
RENAMED = ("code.file.path",)

EXPECTED = {
    "otlp": expect.otlp.expected, "zipkin": expect.zipkin.expected,
    "remote_write_v1": expect.prometheus.expected_remote_write,
    "remote_write_v2": expect.prometheus.expected_remote_write,
    "loki": expect.log_lines.expected_loki, "es": expect.log_lines.expected_bulk,
    "syslog": expect.log_lines.expected_syslog, "fluent": expect.log_lines.expected_fluent,
}


def send_all(name, sent, gateway, tally):
    """Sends captures in their order; tallies the answers. Returns the doors that were used."""
    session, used = Session(gateway), set()
    silent, before = 0, counters.settled(gateway.http())
    for capture in sent:
        was_sent = attempt(name, capture, session.send, tally)
        used.add(door_of(capture))
        if was_sent and capture.transport in ("udp", "tcp"):
            silent += sum(1 for _ in EXPECTED[capture.signal](capture))
    session.close()
    wait_for(lambda: counters.settled(gateway.http()) >= before + silent if silent else True)
    return used


def attempt(name, capture, send, tally):
    """Whether it was sent, and answered well if at all."""
    tally.add(name, "answers", sent=1, distinct=1)
    try:
        send(capture)
        tally.add(name, "answers", found=1)
        return True
    except doors.NoDoor as door:
        tally.missing(name, "answers", f"no door: {door}")
    except (Wrong, OSError) as error:
        tally.wrong(name, "answers", str(error) or repr(error))
    return False


def door_of(capture):
    """As the counters name it."""
    if capture.signal == "otlp":
        return "otlp_grpc" if capture.transport == "grpc" else "otlp_http"
    return {"remote_write_v1": "remote_write", "remote_write_v2": "remote_write", "es": "elasticsearch"}.get(
        capture.signal, capture.signal)


def wait_for(condition):
    """Whether it came true within SETTLE_S."""
    deadline = time.monotonic() + SETTLE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def pushable(sent):
    return [c for c in sent if "openmetrics-text" in c.all_headers["content-type"]]


def expected_of(sent, scraped, pushed):
    """{tenant: [Expected]}"""
    by_tenant = {}
    for capture in sent:
        by_tenant.setdefault(capture.tenant, []).extend(EXPECTED[capture.signal](capture))
    for how, expositions in (("scraped", scraped), ("pushed", pushed)):
        for capture in expositions:
            by_tenant.setdefault(None, []).extend(expect.prometheus.expected_exposition(capture, how))
    return by_tenant


class Run:
    """Gateways in one work folder, and the tally of what they give back."""

    def __init__(self, work, binary, tally):
        self.work, self.binary, self.tally = work, binary, tally

    def gateway(self, name, scrape_configs=(), environment=None):
        return doors.start_gateway(self.work / name.replace(" ", "-"), self.binary, environment, scrape_configs)

    def sender(self, sender):
        if sender.is_exposition:
            return self.expositions(sender)
        with self.gateway(sender.name) as gateway:
            send_all(sender.name, sender.captures, gateway, self.tally)
            if any(c.signal == "es" for c in sender.captures):
                self.probe(sender.name, gateway)
            self.verify(sender.name, expected_of(sender.captures, (), ()), gateway)
        if sender.streams:
            self.streams(sender)

    def verify(self, name, by_tenant, gateway):
        for tenant, records in by_tenant.items():
            verify(name, records, gateway.http(tenant), self.tally)

    def probe(self, name, gateway):
        self.tally.add(name, "answers", sent=1, distinct=1)
        problem = answers.elastic_probe(gateway.http())
        if problem:
            self.tally.wrong(name, "answers", problem)
        else:
            self.tally.add(name, "answers", found=1)

    def expositions(self, sender):
        """Scraped, and pushed where that is possible."""
        name = sender.name + ", scraped"
        with Expositions(sender.captures) as target, self.gateway(name, target.scrape_configs()) as gateway:
            self.await_scrapes(name, target)
            self.verify(name, expected_of((), sender.captures, ()), gateway)
        name, pushed = sender.name + ", pushed", pushable(sender.captures)
        with self.gateway(name) as gateway:
            session = Session(gateway)
            for capture in pushed:
                attempt(name, capture, session.push, self.tally)
            self.verify(name, expected_of((), (), pushed), gateway)

    def await_scrapes(self, name, target):
        if doors.scrapes(self.binary):
            wait_for(lambda: all(target.scraped.get(c.name, 0) >= SCRAPES for c in target.by_path.values()))
        for capture in target.by_path.values():
            self.tally.add(name, "answers", sent=1, distinct=1)
            if target.scraped.get(capture.name, 0) >= SCRAPES:
                self.tally.add(name, "answers", found=1)
            else:
                self.tally.missing(name, "answers", f"{capture.name} was scraped {target.scraped.get(capture.name, 0)} times")

    def streams(self, sender):
        """The bytes of the sender's connections, as they went over the wire."""
        name = sender.name + ", streams"
        with self.gateway(name) as gateway:
            for number, data in sender.streams.items():
                calls = [c for c in sender.captures if c.connection == number]
                self.tally.add(name, "answers", sent=len(calls), distinct=len(calls))
                try:
                    self.replay(name, number, data, calls, doors.address(gateway, "otlp_grpc"))
                except doors.NoDoor as door:
                    self.tally.missing(name, "answers", f"no door: {door}")
            by_tenant = {}
            for capture in sender.captures:
                if capture.connection in sender.streams:
                    by_tenant.setdefault(capture.tenant, []).extend(expect.otlp.expected(capture, RENAMED))
            self.verify(name, by_tenant, gateway)

    def replay(self, name, number, data, calls, address):
        if not grpc_client.AVAILABLE:
            raise doors.NoDoor(grpc_client.WHY)
        statuses, problem = grpc_client.replay_stream(address, data)
        good = sum(1 for status in statuses.values() if status == 0)
        self.tally.add(name, "answers", found=min(good, len(calls)))
        if problem or good < len(calls):
            self.tally.wrong(name, "answers", f"connection {number}: {problem or statuses}")

    def all_senders(self, senders, log_files):
        """Everything into one gateway; returns its counters and the doors used."""
        expositions = [c for s in senders if s.is_exposition for c in s.captures]
        sent = [c for s in senders if not s.is_exposition for c in s.captures]
        with Expositions(expositions) as target, self.gateway("union", target.scrape_configs()) as gateway:
            self.send_everything(sent, expositions, target, gateway)
            for tenant, records in expected_of(sent, expositions, pushable(expositions)).items():
                verify(f"all of tenant {tenant or 'default'}", records, gateway.http(tenant), self.tally)
            for log_file in log_files:
                verify_log_file(log_file, gateway, self.tally, log_file.name)

    def send_everything(self, sent, expositions, target, gateway):
        used = send_all("all senders", sent, gateway, self.tally)
        session = Session(gateway)
        for capture in pushable(expositions):
            attempt("all senders", capture, session.push, self.tally)
        self.await_scrapes("all senders", target)
        return used | {"openmetrics", "scrape"}

    def counted(self, senders, log_files):
        """(counters, problems): as all_senders, but nothing without an id is kept."""
        expositions = [c for s in senders if s.is_exposition for c in s.captures]
        sent = [c for s in senders if not s.is_exposition for c in s.captures]
        with contextlib.ExitStack() as stack:
            target = Expositions(expositions)
            gateway = self.gateway("counted", target.scrape_configs(), {"THROUGHLINE_LOGS_KEEP_UNLINKED": "false"})
            stack.enter_context(gateway)
            # Entered last and left first: no scrape is under way when the counters are read.
            with target:
                used = self.send_everything(sent, expositions, target, gateway)
            for log_file in log_files:
                log_file.post(gateway.http(log_file.tenant), log_file.lines)
            used.add("lines")
            wait_for(lambda: not counters.problems(counters.read(gateway.http()), used))
            counts = counters.read(gateway.http())
            return counts, counters.problems(counts, used)


def load(shared):
    """(senders, log files) of the corpus."""
    corpus = shared / "corpus"
    senders = captures.senders(corpus)
    tenants = {s.name: s.captures[0].tenant for s in senders}
    return senders, [LogFile(path, tenants) for path in sorted((corpus / "loglines").glob("*.log"))]


def run(shared, binary, each, union):
    """One fresh gateway a sender, then all of them into one."""
    senders, log_files = load(shared)
    with tempfile.TemporaryDirectory() as work:
        run_each = Run(pathlib.Path(work), binary, each)
        for sender in senders:
            run_each.sender(sender)
        for log_file in log_files:
            with run_each.gateway(log_file.name) as gateway:
                verify_log_file(log_file, gateway, each, log_file.name)
        Run(pathlib.Path(work), binary, union).all_senders(senders, log_files)


def count(shared, binary, tally):
    """(counters of a gateway that was sent the whole corpus, problems)."""
    senders, log_files = load(shared)
    with tempfile.TemporaryDirectory() as work:
        return Run(pathlib.Path(work), binary, tally).counted(senders, log_files)
