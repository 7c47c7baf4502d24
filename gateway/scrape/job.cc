#include "gateway/scrape/job.h"

#include <cstddef>

namespace throughline::gateway::scrape {
namespace {

std::string_view MediaType(Protocol protocol) {
  switch (protocol) {
    case Protocol::kOpenMetrics1: return "application/openmetrics-text;version=1.0.0";
    case Protocol::kOpenMetrics0: return "application/openmetrics-text;version=0.0.1";
    case Protocol::kProtobuf:
      return "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
             "encoding=delimited";
    case Protocol::kText: return "text/plain;version=0.0.4";
  }
  return "";
}

}  // namespace

std::string_view ProtocolName(Protocol protocol) {
  switch (protocol) {
    case Protocol::kOpenMetrics1: return "OpenMetricsText1.0.0";
    case Protocol::kOpenMetrics0: return "OpenMetricsText0.0.1";
    case Protocol::kProtobuf: return "PrometheusProto";
    case Protocol::kText: return "PrometheusText0.0.4";
  }
  return "";
}

std::string AcceptOf(const std::vector<Protocol>& protocols) {
  std::string accept;
  std::size_t tenths = protocols.size() + 2;  // Four protocols at most: under ten.
  for (const Protocol protocol : protocols) {
    accept.append(MediaType(protocol)).append(";q=0.").append(std::to_string(--tenths)) += ',';
  }
  return accept += "*/*;q=0.1";
}

}  // namespace throughline::gateway::scrape
