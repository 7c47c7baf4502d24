"""All three signals of one service to one gateway.

The exporters send to http://127.0.0.1:4318 unless OTEL_EXPORTER_OTLP_ENDPOINT says otherwise. The
SDK puts trace and span id into log records and, because a measurement is taken inside a span, an
exemplar into the histogram's bucket: nothing here does the linking by hand.
"""

import logging

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

EXPORT_MS = 2000


def start(service: str, version: str) -> None:
    """Registers the three providers. They flush at the end of the process by themselves."""
    resource = Resource.create({"service.name": service, "service.version": version})

    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=EXPORT_MS))
    trace.set_tracer_provider(tracers)

    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), EXPORT_MS)
    metrics.set_meter_provider(MeterProvider([reader], resource))

    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(), schedule_delay_millis=EXPORT_MS))
    set_logger_provider(loggers)
    logging.basicConfig(level=logging.INFO, format="%(message)s",
                        handlers=[LoggingHandler(logger_provider=loggers)])
    for chatty in ("werkzeug", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


def duration_histogram():
    """Seconds a request took. Recorded inside the span, so that each bucket gets an exemplar."""
    return metrics.get_meter("shop").create_histogram(
        "http.server.request.duration", unit="s",
        explicit_bucket_boundaries_advisory=[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5])
