// The bodies of POST /explain and POST /compare: what is taken keeps the bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/links/body_members.h"
#include "api/links/compare_request.h"
#include "api/links/explain_request.h"
#include "correlate/check.h"
#include "store/memory/memory_store.h"

namespace {

using throughline::TimeSpan;
using throughline::api::links::kLongestWindowNs;
using throughline::api::links::kMostConditions;
using throughline::api::links::TraceSelection;

void CheckWindow(const TimeSpan& window) {
  TL_CHECK(window.length_ns() > 0);
  TL_CHECK(window.length_ns() <= kLongestWindowNs);
}

void CheckSelection(const TraceSelection& selection) {
  CheckWindow(selection.window);
  // Its own, and those beside both.
  TL_CHECK(selection.filter.attributes.size() <= 2 * kMostConditions);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const throughline::store::MemoryStore store({});
  static const throughline::api::links::Settings settings;
  const throughline::api::links::Context context{store, settings, 1'750'000'000'000'000'000};
  throughline::api::Request request;
  request.body = throughline::Body::Of({reinterpret_cast<const char*>(data), size});
  if (const auto compare = throughline::api::links::ReadCompareRequest(request, context)) {
    CheckSelection(compare->baseline);
    CheckSelection(compare->candidate);
  }
  if (const auto explain = throughline::api::links::ReadExplainRequest(request, context)) {
    TL_CHECK(explain->window || !explain->trace.empty());
    if (explain->window) CheckWindow(*explain->window);
    for (const TimeSpan& window : explain->baseline) CheckWindow(window);
    TL_CHECK(explain->baseline.size() <= throughline::api::links::kMostBaselines);
  }
  return 0;
}
