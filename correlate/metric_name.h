// How Prometheus spells the names of OTLP metrics and labels.
//
// Dashboards ask by Prometheus' names, senders of OTLP use OpenTelemetry's.
// Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", OTLP metric
// points to Prometheus.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"

namespace throughline {

// Characters that Prometheus does not allow become '_'; a digit in front gets one before it.
std::string PrometheusName(std::string_view name);

// True when `asked` is PrometheusName(name), without making it.
bool IsPrometheusName(std::string_view asked, std::string_view name);

// All names under which a metric is found: as sent, then in Prometheus' spelling, without and with
// its unit, each also with the suffix of its type: `_total` for sums, `_bucket` for histograms.
// Never `_count` or `_sum`: those series carry no exemplars.
std::vector<std::string> NamesOf(std::string_view metric, std::string_view unit, MetricType type);

// The one of them that Prometheus itself gives the series, with unit and type; what a sender of
// Prometheus' own spelt out is not said twice.
std::string PrometheusMetricName(std::string_view metric, std::string_view unit, MetricType type);

// Whether `asked` is one of NamesOf, without making them where the answer is plain.
bool IsNamed(const Exemplar& exemplar, std::string_view asked);

}  // namespace throughline
