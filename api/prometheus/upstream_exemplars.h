// The exemplars that a real Prometheus answered to the same query, read to be merged with ours.
//
// The text is another server's and may be anything: what is no answer of /query_exemplars is an
// error, what is no exemplar in one is passed by.
// Source: prometheus.io/docs/prometheus/latest/querying/api, "Querying exemplars".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "api/prometheus/exemplar_series.h"
#include "correlate/result.h"
#include "correlate/trace_id.h"

namespace throughline::api::prometheus {

struct UpstreamExemplar {
  std::uint32_t series = 0;  // Index into UpstreamExemplars::series.
  std::uint64_t unix_ns = 0;
  double value = 0;
  TraceId trace_id;  // Invalid: its labels name none.
  SpanId span_id;
  LabelSet labels;  // As sent.
};

struct UpstreamExemplars {
  std::vector<LabelSet> series;
  std::vector<UpstreamExemplar> exemplars;  // The newest first.
  std::size_t left_out = 0;                 // Older ones, over `most`.
};

// kInvalidArgument: it is not such an answer, or one that tells of an error.
Result<UpstreamExemplars> ReadUpstreamExemplars(std::string_view json, std::size_t most);

}  // namespace throughline::api::prometheus
