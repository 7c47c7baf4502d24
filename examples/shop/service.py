"""What the three HTTP services of the shop share: a Flask application that is observed."""

import signal
import sys
import time

from flask import Flask, g, request
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor

import telemetry


def create(name: str, version: str) -> Flask:
    telemetry.start(name, version)
    app = Flask(name)
    FlaskInstrumentor().instrument_app(app)
    RequestsInstrumentor().instrument()
    duration = telemetry.duration_histogram()

    @app.before_request
    def begin():
        g.began = time.perf_counter()

    @app.after_request
    def finish(response):
        duration.record(time.perf_counter() - g.began, {
            "http.route": request.url_rule.rule if request.url_rule else "",
            "http.request.method": request.method,
            "http.response.status_code": response.status_code,
        })
        return response

    return app


def serve(app: Flask, port: int) -> None:
    # An ordinary exit, so that the SDK flushes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app.run(host="127.0.0.1", port=port, threaded=True)
