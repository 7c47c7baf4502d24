"""Python's logging through python-logging-loki, in the current shape of the push API and the old one."""

import logging
import unittest

import case
import clients
import otlp

logging_loki = clients.require("python-logging-loki", "logging_loki")


class Strict(logging_loki.LokiHandler):
    """The handler prints its failures and goes on; a test wants to know them."""

    def handleError(self, record):
        raise  # noqa: PLE0704  (within the handler's own except)


class LokiTest(case.GatewayCase):
    def logger(self, gateway, version, tags):
        handler = Strict(url=f"http://{gateway.doors['http']}/loki/api/v1/push", tags=tags, version=version)
        handler.setFormatter(logging.Formatter("%(levelname)s trace_id=%(trace)s span_id=%(span)s %(message)s"))
        logger = logging.Logger("shop")
        logger.addHandler(handler)
        self.addCleanup(handler.close)
        return logger

    def send(self, logger, numbers):
        for number in numbers:
            logger.warning("order %d «ü»", number, extra={
                "trace": otlp.trace_id(number), "span": otlp.span_id(number), "tags": {"number": str(number)}})

    def check(self, version):
        gateway = self.gateway()
        self.send(self.logger(gateway, version, {"app": "shop", "env": "test"}), range(5))
        for number in range(5):
            answer = gateway.http().get("/api/v1/traces/" + otlp.trace_id(number))
            self.assertEqual(answer.status, 200, answer.body)
            lines = answer.json()["logs"]
            self.assertEqual([line["body"] for line in lines], [
                f"WARNING trace_id={otlp.trace_id(number)} span_id={otlp.span_id(number)} order {number} «ü»"])
            line = lines[0]
            self.assertEqual((line["service"], line["span_id"], line["found_by"]),
                             ("shop", otlp.span_id(number), "key"))
            labels = {**line["resource"], **line["attributes"]}
            self.assertEqual([labels[k] for k in ("env", "number", "severity", "logger")],
                             ["test", str(number), "warning", "shop"])

    def test_current_shape(self):
        self.check("1")

    def test_old_shape(self):
        self.check("0")


if __name__ == "__main__":
    unittest.main()
