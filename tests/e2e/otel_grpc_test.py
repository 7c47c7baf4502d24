"""The OpenTelemetry SDK for Python, over OTLP/gRPC: traces, metrics with exemplars and logs, plain and gzip."""

import logging
import unittest

import case
import clients

clients.require("opentelemetry-sdk", "opentelemetry.sdk")
clients.require("opentelemetry-exporter-otlp-proto-grpc", "opentelemetry.exporter.otlp.proto.grpc")

import grpc  # noqa: E402
from opentelemetry import trace  # noqa: E402
from opentelemetry._logs import LogRecord, SeverityNumber  # noqa: E402
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter  # noqa: E402
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter  # noqa: E402
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: E402
from opentelemetry.sdk._logs import LoggerProvider  # noqa: E402
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: E402
from opentelemetry.sdk.metrics import MeterProvider  # noqa: E402
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: E402
from opentelemetry.sdk.resources import Resource  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: E402

SPANS = 50


class Program:
    """What a user's program sets up: one provider a signal, all to one endpoint."""

    def __init__(self, endpoint, compression, headers=None):
        options = {"endpoint": endpoint, "insecure": True, "compression": compression, "headers": headers}
        resource = Resource.create({"service.name": "shop"})
        self.traces = TracerProvider(resource=resource)
        self.traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options)))
        self.metrics = MeterProvider(
            [PeriodicExportingMetricReader(OTLPMetricExporter(**options), export_interval_millis=60_000)], resource)
        self.logs = LoggerProvider(resource=resource)
        self.logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**options)))

    def work(self):
        """The trace id of an order: a root, SPANS children, a measurement and a line in each."""
        tracer, logger = self.traces.get_tracer("shop.orders"), self.logs.get_logger("shop.log")
        duration = self.metrics.get_meter("shop.meter").create_histogram("order.duration", unit="s")
        with tracer.start_as_current_span("POST /order") as root:
            for number in range(SPANS):
                with tracer.start_as_current_span(f"step {number}", attributes={"number": number, "q": "«ü»"}):
                    duration.record(number / 10, {"step": "odd" if number % 2 else "even"})
                    logger.emit(LogRecord(body=f"did step {number}", severity_number=SeverityNumber.WARN,
                                          severity_text="WARN", attributes={"number": number}))
        return f"{root.get_span_context().trace_id:032x}", f"{root.get_span_context().span_id:016x}"

    def shutdown(self):
        for provider in (self.traces, self.metrics, self.logs):
            provider.shutdown()


class OtelGrpcTest(case.GatewayCase):
    def setUp(self):
        super().setUp()
        logging.disable(logging.NOTSET)
        trace._TRACER_PROVIDER = None

    def check(self, compression, tenant=None):
        gateway = self.gateway(environment={"THROUGHLINE_OTLP_GRPC_LISTEN": "127.0.0.1:0"})
        program = Program("http://" + gateway.doors["otlp_grpc"], compression,
                          (("x-scope-orgid", tenant),) if tenant else None)
        trace_id, root = program.work()
        program.shutdown()  # Flushes: from here all was acknowledged.
        answer = gateway.http(tenant).get("/api/v1/traces/" + trace_id)
        self.assertEqual(answer.status, 200, answer.body)
        found = answer.json()
        self.check_spans(found["spans"], root)
        self.assertEqual(sorted(line["body"] for line in found["logs"]),
                         sorted(f"did step {n}" for n in range(SPANS)))
        self.assertEqual({line["severity_number"] for line in found["logs"]}, {13})
        spans = {span["span_id"]: span["attributes"].get("number") for span in found["spans"]}
        for line in found["logs"]:
            self.assertEqual(spans[line["span_id"]], line["attributes"]["number"])
        self.assertTrue(found["exemplars"])
        for exemplar in found["exemplars"]:
            self.assertEqual(exemplar["metric"], "order.duration")
            self.assertEqual(float(exemplar["value"]), spans[exemplar["span_id"]] / 10)
        return gateway

    def check_spans(self, spans, root):
        self.assertEqual(len(spans), SPANS + 1)
        children = [span for span in spans if span["parent_span_id"] == root]
        self.assertEqual(sorted(span["attributes"]["number"] for span in children), list(range(SPANS)))
        self.assertEqual({(span["service"], span["scope"], span["attributes"]["q"]) for span in children},
                         {("shop", "shop.orders", "«ü»")})

    def test_plain(self):
        self.check(grpc.Compression.NoCompression)

    def test_gzip(self):
        self.check(grpc.Compression.Gzip)

    def test_deflate(self):
        self.check(grpc.Compression.Deflate)

    def test_the_tenant_is_metadata(self):
        gateway = self.check(grpc.Compression.NoCompression, tenant="team-a")
        self.assertEqual(gateway.http().get("/api/v1/traces").json()["traces"], [])


if __name__ == "__main__":
    unittest.main()
