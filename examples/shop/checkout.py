"""Takes orders and has them paid."""

import logging
import os
import random

import requests

import service

BASE = int(os.environ.get("SHOP_PORT", "18080"))
app = service.create("shop-checkout", "2.3.1")
log = logging.getLogger("checkout")


@app.post("/checkout")
def checkout():
    order = f"o-{random.randrange(10_000, 100_000)}"
    log.info("paying order %s", order)
    paid = requests.post(f"http://127.0.0.1:{BASE + 2}/charges", json={"order": order}, timeout=10)
    if paid.status_code >= 500:
        log.error("payment of order %s failed", order)
        return {"error": "payment failed"}, 502
    return {"order": order}


service.serve(app, BASE + 1)
