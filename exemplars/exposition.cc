#include "exemplars/exposition.h"

#include "exemplars/exposition_proto.h"
#include "exemplars/exposition_text.h"

namespace throughline::exemplars {

Result<DecodedExposition> DecodeExposition(std::string_view bytes, ExpositionFormat format,
                                           const ScrapeTarget& target, const DecodeOptions& options,
                                           Batch& batch) {
  using Dialect = wire::OpenMetricsReader::Dialect;
  switch (format) {
    case ExpositionFormat::kOpenMetrics:
      return DecodeExpositionText(bytes, Dialect::kOpenMetrics, target, options, batch);
    case ExpositionFormat::kText:
      return DecodeExpositionText(bytes, Dialect::kText, target, options, batch);
    case ExpositionFormat::kProtobuf: break;
  }
  return DecodeExpositionProto(bytes, target, options, batch);
}

}  // namespace throughline::exemplars
