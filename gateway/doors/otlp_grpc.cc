#include "gateway/doors/otlp_grpc.h"

#include <utility>

#include "exemplars/otlp.h"
#include "gateway/doors/otlp.h"
#include "logs/otlp.h"
#include "otlp/response.h"
#include "spans/otlp.h"

namespace throughline::gateway::doors {
namespace {

Result<GrpcDoor::Read> DecodeTraces(const DecodeOptions& options, Batch& batch) {
  TL_TRY_ASSIGN(auto decoded, spans::DecodeOtlp(batch.body.view(), options, batch));
  return GrpcDoor::Read{.decoded = std::move(decoded)};
}

Result<GrpcDoor::Read> DecodeLogs(const DecodeOptions& options, Batch& batch) {
  TL_TRY_ASSIGN(auto decoded, logs::DecodeOtlp(batch.body.view(), options, batch));
  return GrpcDoor::Read{.decoded = std::move(decoded)};
}

Result<GrpcDoor::Read> DecodeMetrics(const DecodeOptions& options, Batch& batch) {
  TL_TRY_ASSIGN(auto metrics, exemplars::DecodeOtlp(batch.body.view(), options, batch));
  return GrpcDoor::Read{.decoded = std::move(metrics.exemplars),
                        .passed_points = metrics.data_points};
}

// The three services' partial successes have the same fields: the rejected count, the message.
std::string Answer(const Decoded& decoded) {
  return otlp::ExportResponse(otlp::Format::kProtobuf, {}, decoded.rejected,
                              PartialSuccessMessage(decoded));
}

// OTLP counts data points, and the points of rejected exemplars were taken.
std::string AnswerMetrics(const Decoded& decoded) {
  return otlp::ExportResponse(otlp::Format::kProtobuf, {}, 0, PartialSuccessMessage(decoded));
}

}  // namespace

const GrpcDoor kGrpcTraces = {
    .intake = Intake::kGrpcTraces, .decode = DecodeTraces, .answer = Answer};
const GrpcDoor kGrpcMetrics = {
    .intake = Intake::kGrpcMetrics, .decode = DecodeMetrics, .answer = AnswerMetrics};
const GrpcDoor kGrpcLogs = {.intake = Intake::kGrpcLogs, .decode = DecodeLogs, .answer = Answer};

}  // namespace throughline::gateway::doors
