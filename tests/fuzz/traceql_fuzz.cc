// A query that can be read, written out again, reads as the same, and selects the same spans.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/query/traceql.h"
#include "api/query/traceql_evaluate.h"
#include "api/query/traceql_plan.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"
#include "correlate/check.h"

namespace {

using namespace throughline;
using namespace throughline::api::query::traceql;

// Three generations, one of them with what queries ask for.
const Batch& SomeSpans() {
  static const Batch* const kBatch = [] {
    auto* batch = new Batch;
    std::string value;
    AppendIntValue(500, value);
    batch->attributes.push_back(MakeAttribute("a", value, 0, batch->arena));
    batch->attributes.push_back(MakeStringAttribute("service.name", "b", 0, batch->arena));
    batch->resources.push_back({.attributes = {1, 1}, .service = "b"});
    for (std::uint64_t id = 1; id <= 6; ++id) {
      Span span;
      span.trace_id = {1, 2};
      span.span_id = {id};
      span.parent_span_id = {id / 2};
      span.start_unix_ns = 1'000 + id;
      span.end_unix_ns = 1'000'000 * id;
      span.kind = static_cast<std::uint32_t>(id % 6);
      span.status_code = static_cast<std::uint32_t>(id % 3);
      span.name = id % 2 == 0 ? "even" : "odd";
      span.resource = 0;
      if (id > 3) span.attributes = {0, 1};
      batch->spans.push_back(span);
    }
    return batch;
  }();
  return *kBatch;
}

std::vector<SelectedSpans> Select(const Query& query) {
  const Batch& batch = SomeSpans();
  static const TraceTree kTree = BuildTraceTree(batch);
  const Trace trace({1, 2}, batch, kTree);
  return Evaluator(trace).Select(query.pipeline);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(ParseField(text));
  TL_CHECK(Parse(ToText(ParseLeniently(text))).has_value());
  const auto query = Parse(text);
  if (!query) return 0;
  static_cast<void>(CandidatesOf(query->pipeline));
  static_cast<void>(FieldsOf(query->pipeline));
  const std::string written = ToText(*query);
  const auto again = Parse(written);
  // Parentheses and units may make it longer than a query may be.
  if (!again) return 0;
  TL_CHECK(ToText(*again) == written);
  const auto selected = Select(*query);
  const auto selected_again = Select(*again);
  TL_CHECK(selected.size() == selected_again.size());
  for (std::size_t i = 0; i < selected.size(); ++i) {
    TL_CHECK(!selected[i].places.empty());
    TL_CHECK(selected[i].places == selected_again[i].places);
  }
  return 0;
}
