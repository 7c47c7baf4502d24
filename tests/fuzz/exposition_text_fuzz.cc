// Text expositions: the counts add up, what is kept is UTF-8 and canonical, the same bytes give the
// same, and what OpenMetrics takes the text format takes too, with the same records. The first
// byte says which labels a target adds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "correlate/attribute.h"
#include "correlate/check.h"
#include "exemplars/exposition.h"
#include "otlp/utf8.h"

using throughline::Attribute;
using throughline::Batch;
using throughline::Exemplar;

namespace {

void CheckLabels(throughline::Range range, const Batch& batch) {
  TL_CHECK(range.begin + range.count <= batch.attributes.size());
  for (const Attribute& attribute : batch.Of(range)) {
    const std::string_view text = throughline::StringOf(attribute.value());
    TL_CHECK(!attribute.key().empty() && !text.empty());
    TL_CHECK(throughline::otlp::IsUtf8(attribute.key()) && throughline::otlp::IsUtf8(text));
  }
}

void CheckSame(const Batch& one, const Batch& other) {
  TL_CHECK(one.exemplars.size() == other.exemplars.size());
  for (std::size_t i = 0; i < one.exemplars.size(); ++i) {
    TL_CHECK(one.exemplars[i].identity == other.exemplars[i].identity);
    TL_CHECK(one.exemplars[i].metric_type == other.exemplars[i].metric_type);
  }
  // Times of samples differ between the formats, and with them the identities.
  TL_CHECK(one.gauges.size() == other.gauges.size());
  for (std::size_t i = 0; i < one.gauges.size(); ++i) {
    TL_CHECK(one.gauges[i].metric == other.gauges[i].metric);
    TL_CHECK(one.gauges[i].value == other.gauges[i].value);
    TL_CHECK(one.gauges[i].metric_type == other.gauges[i].metric_type);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using throughline::exemplars::ExpositionFormat;
  using throughline::exemplars::Label;
  if (size == 0) return 0;
  const Label labels[] = {{"job", "harbour/crane"}, {"instance", "10.0.0.7:80"}, {"a", "b"}};
  const throughline::exemplars::ScrapeTarget target = {
      .labels = {labels, static_cast<std::size_t>(data[0] % 4U)},
      .honor_labels = (data[0] & 0x80U) != 0,
      .time_unix_ns = 1};
  const throughline::DecodeOptions options{.hash_seed = 7, .keep_unlinked = true, .gauges = {"*"}};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Batch text;
  const auto decoded = DecodeExposition(bytes, ExpositionFormat::kText, target, options, text);
  Batch strict;
  const auto strictly =
      DecodeExposition(bytes, ExpositionFormat::kOpenMetrics, target, options, strict);
  TL_CHECK(!strictly || decoded);
  if (!decoded) return 0;
  const throughline::Decoded& counts = decoded->exemplars;
  TL_CHECK(counts.received == counts.accepted + counts.rejected + counts.unlinked);
  TL_CHECK(text.exemplars.size() == counts.accepted + counts.unlinked);
  TL_CHECK(counts.received <= decoded->samples);
  TL_CHECK(decoded->gauge_points == text.gauges.size());
  TL_CHECK(decoded->gauge_points <= decoded->samples);
  for (const Exemplar& exemplar : text.exemplars) {
    TL_CHECK(!exemplar.metric.empty() && throughline::otlp::IsUtf8(exemplar.metric));
    CheckLabels(exemplar.labels, text);
    CheckLabels(exemplar.attributes, text);
  }
  for (const throughline::GaugePoint& point : text.gauges) {
    TL_CHECK(!point.metric.empty() && throughline::otlp::IsUtf8(point.metric));
    TL_CHECK(point.value == point.value && point.time_unix_ns > 0);
    CheckLabels(point.labels, text);
  }
  Batch again;
  TL_CHECK(DecodeExposition(bytes, ExpositionFormat::kText, target, options, again));
  CheckSame(text, again);
  if (strictly) CheckSame(text, strict);
  return 0;
}
