"""The people in the shop: some look, some buy. Its spans are the roots of all traces."""

import logging
import os
import random
import signal
import socket
import sys
import time

import requests
from opentelemetry import trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor

import telemetry

BASE = int(os.environ.get("SHOP_PORT", "18080"))
VISITS_PER_SECOND = float(os.environ.get("SHOP_VISITS_PER_SECOND", "4"))

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
telemetry.start("shop-visitors", "1.0.0")
RequestsInstrumentor().instrument()
log = logging.getLogger("visitors")
tracer = trace.get_tracer("shop")
shop = f"http://127.0.0.1:{BASE}"



def wait_for_opening() -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", BASE), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)


wait_for_opening()
while True:
    try:
        if random.random() < 0.6:
            with tracer.start_as_current_span("look"):
                requests.get(f"{shop}/products/P{random.randrange(100, 160)}", timeout=10)
        else:
            with tracer.start_as_current_span("buy"):
                answer = requests.post(f"{shop}/orders", timeout=10)
                if not answer.ok:
                    log.warning("went away without the goods: %d", answer.status_code)
    except requests.ConnectionError:
        log.warning("the shop is closed")
    time.sleep(random.expovariate(VISITS_PER_SECOND))
