"""Charges cards. The card network is slow now and then, and sometimes does not answer at all."""

import logging
import os
import random
import time

from opentelemetry import trace

import service

BASE = int(os.environ.get("SHOP_PORT", "18080"))
app = service.create("shop-payment", "4.0.3")
log = logging.getLogger("payment")
tracer = trace.get_tracer("shop")


class CardNetworkTimeout(Exception):
    pass


def call_card_network() -> None:
    with tracer.start_as_current_span("POST api.cardnetwork.example", kind=trace.SpanKind.CLIENT):
        slow = random.random() < 0.15
        seconds = random.uniform(1.2, 2.4) if slow else random.uniform(0.02, 0.08)
        time.sleep(seconds)
        if seconds > 1:
            log.warning("card network was slow: %d ms", seconds * 1000)
        if seconds > 2:
            raise CardNetworkTimeout(f"no answer in {seconds:.1f} s")


@app.post("/charges")
def charge():
    try:
        call_card_network()
    except CardNetworkTimeout:
        log.exception("charge failed")
        return {"error": "card network timed out"}, 504
    log.info("charged")
    return {"paid": True}


service.serve(app, BASE + 2)
