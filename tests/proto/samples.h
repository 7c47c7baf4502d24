// Requests with something of everything, built with the official classes.
#pragma once

#include <string>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace throughline::samples {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::common::v1::KeyValue;

// `size` bytes that are no zeros.
std::string Id(std::size_t size, char first = 1);

// An attribute of each type, nested ones and odd ones.
void AddAttributes(google::protobuf::RepeatedPtrField<KeyValue>& attributes);

// A value of `levels` arrays and maps inside each other.
AnyValue Nested(int levels);

ExportTraceServiceRequest Traces();
ExportMetricsServiceRequest Metrics();
// Points that options.gauges = {"k8s.pod.cpu.*"} keeps, and such as it does not.
ExportMetricsServiceRequest Gauges();
ExportLogsServiceRequest Logs();

}  // namespace throughline::samples
