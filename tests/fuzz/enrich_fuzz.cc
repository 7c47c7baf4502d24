// Enriching: with nothing to add the body comes back byte for byte; with everything, the result is
// of the same shape again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/check.h"
#include "logs/enrich.h"

using throughline::Body;
using throughline::logs::EnrichOptions;
using throughline::logs::EnrichShape;
using throughline::logs::TraceAnswer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr EnrichShape kShapes[] = {EnrichShape::kNdjson,     EnrichShape::kJsonArray,
                                     EnrichShape::kJsonObject, EnrichShape::kLokiPush,
                                     EnrichShape::kOtlpJson,   EnrichShape::kOtlpProtobuf};
  const EnrichShape shape = kShapes[data[0] % 6];
  const Body body = Body::Of({reinterpret_cast<const char*>(data) + 1, size - 1});
  throughline::TraceSummary summary;
  summary.root_service = "service";
  summary.evidence.span_count = 1;
  std::size_t asked = 0;
  const throughline::logs::TraceLookup lookup = [&](const throughline::Resolved& id,
                                                    std::uint64_t) {
    TL_CHECK(id.IsValid());
    ++asked;
    return TraceAnswer{.link = {.state = throughline::LinkState::kLive, .reason = {}},
                       .summary = &summary};
  };
  const EnrichOptions nothing{.fields = {"no such field"}, .url_template = {}, .decode = {}};
  const auto same = Enrich(body.view(), shape, nothing, lookup);
  if (same) {
    TL_CHECK(same->body == body.view());
    TL_CHECK(same->malformed <= same->records);
  }
  asked = 0;
  const auto all = Enrich(body.view(), shape, {}, lookup);
  TL_CHECK(all.has_value() == same.has_value());
  if (!all) {
    TL_CHECK(!all.error().message.empty());
    return 0;
  }
  TL_CHECK(all->records == same->records && all->malformed == same->malformed);
  TL_CHECK(asked == IdsToEnrich(body.view(), shape, {}).size());
  const Body richer = Body::Of(all->body);
  const auto again = Enrich(richer.view(), shape, {}, lookup);
  TL_CHECK(again);
  TL_CHECK(again->records == all->records);
  return 0;
}
