"""kill -9 while requests are in flight: nothing acknowledged is lost, a retry doubles nothing."""

import http.client
import random
import threading

import otlp
from gateway_process import Gateway

RECORDS_PER_REQUEST = 5
SENDERS = 6


class Sender(threading.Thread):
    """Posts requests of one kind until the gateway dies; remembers which were acknowledged."""

    def __init__(self, gateway, kind, numbers, progress):
        super().__init__()
        door, self.path, self.content_type, self.encode = otlp.KINDS[kind]
        self.client = gateway.otlp() if door == "otlp" else gateway.http()
        self.kind, self.numbers, self.progress = kind, numbers, progress
        self.acknowledged, self.unanswered = [], []

    def run(self):
        while True:
            first = self.numbers()
            batch = range(first, first + RECORDS_PER_REQUEST)
            try:
                answer = self.client.post(self.path, self.encode(batch), self.content_type)
            except (OSError, http.client.HTTPException):
                self.unanswered.append(batch)
                return
            if answer.status == 200:
                self.acknowledged.append(batch)
                self.progress()
            else:
                self.unanswered.append(batch)


class Numbers:
    def __init__(self):
        self.lock, self.next, self.answered = threading.Condition(), 0, 0

    def take(self):
        with self.lock:
            self.next += RECORDS_PER_REQUEST
            return self.next - RECORDS_PER_REQUEST

    def progress(self):
        with self.lock:
            self.answered += 1
            self.lock.notify_all()

    def wait_for(self, answered):
        with self.lock:
            if not self.lock.wait_for(lambda: self.answered >= answered, 60):
                raise RuntimeError("the gateway stopped answering")


def count_of(client, number, kind):
    answer = client.get("/api/v1/traces/" + otlp.trace_id(number))
    return len(answer.json()[kind]) if answer.status == 200 else 0


def one_round(gateway, numbers, rng, totals):
    gateway.start()
    senders = [Sender(gateway, kind, numbers.take, numbers.progress)
               for kind in list(otlp.KINDS) * (SENDERS // len(otlp.KINDS))]
    # Not before each round has work behind it, then at an arbitrary moment of the stream.
    target = numbers.answered + rng.randint(5, 120)
    for sender in senders:
        sender.start()
    numbers.wait_for(target)
    gateway.kill()
    for sender in senders:
        sender.join()
    gateway.start()
    client = gateway.http()
    for sender in senders:
        totals["acknowledged"] += len(sender.acknowledged) * RECORDS_PER_REQUEST
        for batch in sender.acknowledged:
            totals["lost"] += sum(count_of(client, n, sender.kind) == 0 for n in batch)
        retry(gateway, sender, totals)
    gateway.stop()


def retry(gateway, sender, totals):
    """What was not answered is sent again, and some of what was, as real senders do."""
    door = gateway.otlp() if sender.path.startswith("/v1/") else gateway.http()
    again = sender.unanswered + sender.acknowledged[-3:]
    for batch in again:
        answer = door.post(sender.path, sender.encode(batch), sender.content_type)
        if answer.status != 200:
            raise RuntimeError(f"retry answered {answer.status}: {answer.body[:200]}")
    client = gateway.http()
    for batch in again:
        totals["retried"] += len(batch)
        for n in batch:
            count = count_of(client, n, sender.kind)
            totals["lost"] += count == 0
            totals["doubled"] += count > 1


def run(data_dir, binary, rounds, seed, environment=None):
    """{"rounds", "acknowledged", "retried", "lost", "doubled"}; one data directory for all rounds."""
    rng = random.Random(seed)
    gateway = Gateway(data_dir, binary, environment)
    numbers = Numbers()
    totals = {"rounds": rounds, "acknowledged": 0, "retried": 0, "lost": 0, "doubled": 0}
    try:
        for _ in range(rounds):
            one_round(gateway, numbers, rng, totals)
    finally:
        if gateway.process is not None:
            gateway.kill()
    return totals


def read_after_acknowledgement(data_dir, binary, count):
    """How many of `count` records were not found by a lookup made right after the answer."""
    missing = 0
    with Gateway(data_dir, binary) as gateway:
        clients = {"otlp": gateway.otlp(), "http": gateway.http()}
        kinds = list(otlp.KINDS.items())
        for n in range(count):
            kind, (door, path, content_type, encode) = kinds[n % len(kinds)]
            answer = clients[door].post(path, encode([n]), content_type)
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:200]}")
            missing += count_of(clients["http"], n, kind) != 1
    return missing
