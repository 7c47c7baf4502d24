#include "gateway/doors/openmetrics.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exemplars/exposition.h"
#include "gateway/doors/plain.h"
#include "gateway/inflate.h"
#include "gateway/media.h"

namespace throughline::gateway::doors {
namespace {

using exemplars::ExpositionFormat;

constexpr std::array<std::string_view, 2> kTargetLabels = {"job", "instance"};

// What curl and batch jobs call it when they say nothing, or nothing true.
bool IsUnsaid(std::string_view type) {
  return type.empty() || type == "application/x-www-form-urlencoded";
}

std::optional<ExpositionFormat> FormatOf(std::string_view content_type) {
  const std::string type = MediaTypeOf(content_type);
  if (type == "application/openmetrics-text" || IsUnsaid(type)) {
    return ExpositionFormat::kOpenMetrics;
  }
  if (type == "text/plain") return ExpositionFormat::kText;
  if (type == "application/vnd.google.protobuf") return ExpositionFormat::kProtobuf;
  return std::nullopt;
}

Result<void> CheckHead(const api::Request& head) {
  const std::string_view type = head.Header("content-type");
  if (FormatOf(type)) return {};
  return Error{Errc::kUnsupported, "content-type is \"" + std::string(type) +
                                       "\", want application/openmetrics-text, text/plain or "
                                       "application/vnd.google.protobuf"};
}

Result<DoorRead> Decode(const api::Request& head, const DecodeOptions& options, Batch& batch) {
  std::vector<exemplars::Label> labels;
  for (const std::string_view name : kTargetLabels) {
    const auto value = head.Query(name);
    if (value) labels.push_back({.name = name, .value = *value});
  }
  const exemplars::ScrapeTarget target = {
      .labels = labels, .honor_labels = true, .time_unix_ns = head.arrival_unix_ns};
  const auto format = FormatOf(head.Header("content-type"));
  TL_TRY_ASSIGN(auto decoded,
                exemplars::DecodeExposition(batch.body.view(),
                                            format.value_or(ExpositionFormat::kOpenMetrics), target,
                                            options, batch));
  DoorRead read;
  read.decoded = std::move(decoded.exemplars);
  read.passed_points = decoded.samples - decoded.gauge_points;
  read.answer = [](const Decoded& /*decoded*/, const Outcome& /*outcome*/) { return Empty(204); };
  return read;
}

}  // namespace

const HttpDoor kOpenMetrics = {.intake = Intake::kOpenMetrics,
                               .reads_target = true,
                               .check_head = CheckHead,
                               .encoding = EncodingFromHeader,
                               .decode = Decode,
                               .failure = PlainFailure};

}  // namespace throughline::gateway::doors
