#include "gateway/doors/lines.h"

#include <string>
#include <string_view>
#include <utility>

#include "api/status.h"
#include "gateway/inflate.h"
#include "gateway/media.h"
#include "logs/lines.h"
#include "wire/json_writer.h"

namespace throughline::gateway::doors {
namespace {

Result<void> CheckHead(const api::Request& head) {
  const std::string_view type = head.Header("content-type");
  if (IsLinesType(type)) return {};
  return Error{Errc::kUnsupported,
               "content-type is \"" + std::string(type) +
                   "\", want application/x-ndjson, application/json or text/plain"};
}

api::Response Answer(const Decoded& decoded, const Outcome& outcome) {
  api::Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("received").Uint(decoded.received);
  json.Key("accepted").Uint(outcome.stored);
  json.Key("deduplicated").Uint(outcome.deduplicated);
  json.Key("unlinked").Uint(decoded.unlinked - outcome.kept_unlinked);
  json.Key("rejected").Uint(decoded.rejected);
  json.Key("kept_unlinked").Uint(outcome.kept_unlinked);
  json.Key("errors").BeginArray();
  if (!decoded.first_rejection.empty()) json.String(decoded.first_rejection);
  json.EndArray();
  json.EndObject();
  return response;
}

Result<DoorRead> Decode(const api::Request& head, const DecodeOptions& options, Batch& batch) {
  const logs::LineFormat format = LineFormatOf(head.Header("content-type"), batch.body);
  DoorRead read;
  TL_TRY_ASSIGN(read.decoded, logs::DecodeLines(batch.body.view(), format, options, batch));
  read.answer = Answer;
  return read;
}

api::Response Failure(const api::Request& /*head*/, const Error& error) {
  return api::Problem(error);
}

}  // namespace

const HttpDoor kLines = {.intake = Intake::kLines,
                         .check_head = CheckHead,
                         .encoding = EncodingFromHeader,
                         .decode = Decode,
                         .failure = Failure};

}  // namespace throughline::gateway::doors
