#include "gateway/doors/otlp.h"

#include <string_view>
#include <utility>

#include "api/status.h"
#include "exemplars/otlp.h"
#include "gateway/inflate.h"
#include "gateway/media.h"
#include "logs/otlp.h"
#include "otlp/response.h"
#include "spans/otlp.h"

namespace throughline::gateway::doors {
namespace {

std::string_view TypeOf(otlp::Format format) {
  return format == otlp::Format::kProtobuf ? "application/x-protobuf" : "application/json";
}

// A type that is neither of OTLP's gets the readable one.
otlp::Format FormatOf(const api::Request& head) {
  return OtlpFormatOf(head.Header("content-type")).value_or(otlp::Format::kJson);
}

Result<void> CheckHead(const api::Request& head) {
  const std::string_view type = head.Header("content-type");
  if (OtlpFormatOf(type)) return {};
  return Error{Errc::kUnsupported, "content-type is \"" + std::string(type) +
                                       "\", want application/x-protobuf or application/json"};
}

api::Response Failure(const api::Request& head, const Error& error) {
  api::Response response = api::Problem(error);
  const otlp::Format format = FormatOf(head);
  response.content_type = TypeOf(format);
  response.body = otlp::StatusResponse(format, api::GrpcStatusOf(error.code), error.message);
  return response;
}

// `rejected_name` empty: OTLP has no count for what this signal rejects.
DoorRead ReadOf(otlp::Format format, std::string_view rejected_name, Decoded decoded) {
  DoorRead read;
  read.decoded = std::move(decoded);
  read.answer = [format, rejected_name](const Decoded& of, const Outcome& /*outcome*/) {
    const std::uint64_t rejected = rejected_name.empty() ? 0 : of.rejected;
    api::Response response;
    response.content_type = TypeOf(format);
    response.body =
        otlp::ExportResponse(format, rejected_name, rejected, PartialSuccessMessage(of));
    return response;
  };
  return read;
}

Result<DoorRead> DecodeTraces(const api::Request& head, const DecodeOptions& options,
                              Batch& batch) {
  const otlp::Format format = FormatOf(head);
  TL_TRY_ASSIGN(auto decoded, format == otlp::Format::kJson
                                  ? spans::DecodeOtlpJson(batch.body.view(), options, batch)
                                  : spans::DecodeOtlp(batch.body.view(), options, batch));
  return ReadOf(format, "rejectedSpans", std::move(decoded));
}

Result<DoorRead> DecodeLogs(const api::Request& head, const DecodeOptions& options, Batch& batch) {
  const otlp::Format format = FormatOf(head);
  TL_TRY_ASSIGN(auto decoded, format == otlp::Format::kJson
                                  ? logs::DecodeOtlpJson(batch.body.view(), options, batch)
                                  : logs::DecodeOtlp(batch.body.view(), options, batch));
  return ReadOf(format, "rejectedLogRecords", std::move(decoded));
}

Result<DoorRead> DecodeMetrics(const api::Request& head, const DecodeOptions& options,
                               Batch& batch) {
  const otlp::Format format = FormatOf(head);
  TL_TRY_ASSIGN(auto metrics, format == otlp::Format::kJson
                                  ? exemplars::DecodeOtlpJson(batch.body.view(), options, batch)
                                  : exemplars::DecodeOtlp(batch.body.view(), options, batch));
  // The points of rejected exemplars were taken.
  DoorRead read = ReadOf(format, {}, std::move(metrics.exemplars));
  read.passed_points = metrics.data_points;
  return read;
}

}  // namespace

std::string PartialSuccessMessage(const Decoded& decoded) {
  std::string message = decoded.first_rejection;
  const auto add = [&](std::size_t count, std::string_view what, std::string_view first) {
    if (count == 0) return;
    if (!message.empty()) message += "; ";
    message += std::to_string(count);
    message += what;
    if (!first.empty()) message += ": ";
    message += first;
  };
  add(decoded.repaired, " repaired", decoded.first_repair);
  add(decoded.dropped_links, " span links with broken ids dropped", {});
  return message;
}

const HttpDoor kOtlpTraces = {.intake = Intake::kOtlpTraces,
                              .check_head = CheckHead,
                              .encoding = EncodingFromHeader,
                              .decode = DecodeTraces,
                              .failure = Failure};
const HttpDoor kOtlpMetrics = {.intake = Intake::kOtlpMetrics,
                               .check_head = CheckHead,
                               .encoding = EncodingFromHeader,
                               .decode = DecodeMetrics,
                               .failure = Failure};
const HttpDoor kOtlpLogs = {.intake = Intake::kOtlpLogs,
                            .check_head = CheckHead,
                            .encoding = EncodingFromHeader,
                            .decode = DecodeLogs,
                            .failure = Failure};

}  // namespace throughline::gateway::doors
