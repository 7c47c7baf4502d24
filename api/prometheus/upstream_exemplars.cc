#include "api/prometheus/upstream_exemplars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include <simdjson.h>

#include "correlate/ids.h"

namespace throughline::api::prometheus {
namespace {

namespace dom = simdjson::dom;

constexpr std::array<std::string_view, 4> kTraceLabels = {"trace_id", "traceID", "traceId",
                                                          "TraceID"};
constexpr std::array<std::string_view, 4> kSpanLabels = {"span_id", "spanID", "spanId", "SpanID"};

LabelSet ReadLabels(dom::element value) {
  LabelSet labels;
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return labels;
  for (const auto& [name, text] : object) {
    std::string_view label;
    if (text.get(label) == simdjson::SUCCESS) labels.emplace(name, label);
  }
  return labels;
}

// Values are texts: "0.25", "+Inf", "NaN".
bool ReadNumber(std::string_view text, double& number) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

std::string_view FirstOf(const LabelSet& labels, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto found = labels.find(name); found != labels.end()) return found->second;
  }
  return {};
}

bool ReadExemplar(dom::element item, UpstreamExemplar& out) {
  std::string_view value;
  double seconds = 0;
  dom::element labels;
  if (item["value"].get(value) != simdjson::SUCCESS || !ReadNumber(value, out.value)) return false;
  if (item["timestamp"].get(seconds) != simdjson::SUCCESS) return false;
  if (!(seconds > 0 && seconds < 1.8e10)) return false;  // What nanoseconds hold.
  if (item["labels"].get(labels) != simdjson::SUCCESS) return false;
  out.unix_ns = static_cast<std::uint64_t>(std::llround(seconds * 1e3)) * 1'000'000;
  out.labels = ReadLabels(labels);
  out.trace_id =
      Resolve(FirstOf(out.labels, kTraceLabels), Strictness::kField, KeyKind::kTraceId).trace_id;
  out.span_id = ResolveSpanIdText(FirstOf(out.labels, kSpanLabels)).span_id;
  return true;
}

}  // namespace

Result<UpstreamExemplars> ReadUpstreamExemplars(std::string_view json, std::size_t most) {
  dom::parser parser;
  dom::element root;
  std::string_view status;
  dom::array data;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
      root["status"].get(status) != simdjson::SUCCESS) {
    return InvalidArgument("its answer is not Prometheus' JSON");
  }
  if (status != "success") {
    std::string_view error;
    if (root["error"].get(error) != simdjson::SUCCESS) error = "an error without words";
    return InvalidArgument("it answered: " + std::string(error.substr(0, 200)));
  }
  if (root["data"].get(data) != simdjson::SUCCESS) {
    return InvalidArgument("its answer has no list of exemplars");
  }
  UpstreamExemplars out;
  for (const dom::element series : data) {
    dom::element labels;
    dom::array exemplars;
    if (series["seriesLabels"].get(labels) != simdjson::SUCCESS ||
        series["exemplars"].get(exemplars) != simdjson::SUCCESS) {
      continue;
    }
    out.series.push_back(ReadLabels(labels));
    for (const dom::element item : exemplars) {
      UpstreamExemplar exemplar;
      exemplar.series = static_cast<std::uint32_t>(out.series.size() - 1);
      if (ReadExemplar(item, exemplar)) out.exemplars.push_back(std::move(exemplar));
    }
  }
  const auto is_newer = [](const UpstreamExemplar& a, const UpstreamExemplar& b) {
    return a.unix_ns > b.unix_ns;
  };
  std::stable_sort(out.exemplars.begin(), out.exemplars.end(), is_newer);
  if (out.exemplars.size() > most) {
    out.left_out = out.exemplars.size() - most;
    out.exemplars.resize(most);
  }
  return out;
}

}  // namespace throughline::api::prometheus
