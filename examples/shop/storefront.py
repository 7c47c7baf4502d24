"""The door of the shop: products and orders."""

import logging
import os

import requests

import service

BASE = int(os.environ.get("SHOP_PORT", "18080"))
app = service.create("shop-storefront", "5.12.0")
log = logging.getLogger("storefront")


@app.get("/products/<product>")
def show(product):
    log.info("showing product %s", product)
    return {"product": product, "cents": 1299}


@app.post("/orders")
def order():
    answer = requests.post(f"http://127.0.0.1:{BASE + 1}/checkout", json={"items": 2}, timeout=10)
    if answer.status_code >= 500:
        log.error("order failed: checkout answered %d", answer.status_code)
        return {"error": "try again later"}, 500
    log.info("order placed: %s", answer.json()["order"])
    return answer.json(), 201


service.serve(app, BASE)
