"""OpenTelemetry's Zipkin exporter for Python: v2 JSON."""

import unittest

import case
import clients

clients.require("opentelemetry-sdk", "opentelemetry.sdk")
clients.require("opentelemetry-exporter-zipkin-json", "opentelemetry.exporter.zipkin.json")

from opentelemetry.exporter.zipkin.json import ZipkinExporter  # noqa: E402
from opentelemetry.sdk.resources import Resource  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult  # noqa: E402
from opentelemetry.trace import SpanKind, StatusCode  # noqa: E402


class Watched(SpanExporter):
    """The exporter logs its failures and goes on; a test wants to know them."""

    def __init__(self, exporter):
        self.exporter, self.results = exporter, []

    def export(self, spans):
        self.results.append(self.exporter.export(spans))
        return self.results[-1]

    def shutdown(self):
        self.exporter.shutdown()


class ZipkinTest(case.GatewayCase):
    def test_spans_keep_their_tree_tags_and_annotations(self):
        gateway = self.gateway()
        watched = Watched(ZipkinExporter(endpoint=f"http://{gateway.doors['http']}/api/v2/spans"))
        provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
        provider.add_span_processor(SimpleSpanProcessor(watched))
        tracer = provider.get_tracer("shop.orders")
        with tracer.start_as_current_span("POST /order", kind=SpanKind.SERVER) as root:
            with tracer.start_as_current_span("charge", kind=SpanKind.CLIENT, attributes={"card": "«ü»"}) as charge:
                charge.add_event("declined", {"reason": "limit"})
                charge.set_status(StatusCode.ERROR, "no money")
        provider.shutdown()
        self.assertEqual(watched.results, [SpanExportResult.SUCCESS] * 2)

        answer = gateway.http().get(f"/api/v1/traces/{root.get_span_context().trace_id:032x}")
        self.assertEqual(answer.status, 200, answer.body)
        spans = {span["name"]: span for span in answer.json()["spans"]}
        self.assertEqual(sorted(spans), ["POST /order", "charge"])
        server, client = spans["POST /order"], spans["charge"]
        self.assertEqual((server["kind"], client["kind"]), ("server", "client"))
        self.assertEqual((server["service"], client["service"]), ("shop", "shop"))
        self.assertEqual(client["parent_span_id"], server["span_id"])
        self.assertEqual((server["status"], client["status"]), ("unset", "error"))
        self.assertEqual(client["attributes"]["card"], "«ü»")
        self.assertEqual(len(client["events"]), 1)
        self.assertIn("declined", client["events"][0]["name"])
        self.assertLessEqual(abs(int(client["start_unix_nano"]) - charge.start_time), 1000)  # It sends microseconds.


if __name__ == "__main__":
    unittest.main()
