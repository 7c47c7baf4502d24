#include "gateway/doors/zipkin.h"

#include <optional>
#include <string>
#include <string_view>

#include "gateway/doors/plain.h"
#include "gateway/inflate.h"
#include "gateway/media.h"
#include "spans/zipkin.h"

namespace throughline::gateway::doors {
namespace {

enum class Format { kJson, kProtobuf };

// Without a type it is JSON, as Zipkin takes it.
std::optional<Format> FormatOf(std::string_view content_type) {
  const std::string type = MediaTypeOf(content_type);
  if (type.empty() || type == "application/json") return Format::kJson;
  if (type == "application/x-protobuf" || type == "application/protobuf") return Format::kProtobuf;
  return std::nullopt;
}

Result<void> CheckHead(const api::Request& head) {
  const std::string_view type = head.Header("content-type");
  if (FormatOf(type)) return {};
  return Error{Errc::kUnsupported, "content-type is \"" + std::string(type) +
                                       "\", want application/json or application/x-protobuf"};
}

Result<DoorRead> Decode(const api::Request& head, const DecodeOptions& options, Batch& batch) {
  const auto decode = FormatOf(head.Header("content-type")) == Format::kProtobuf
                          ? spans::DecodeZipkinProto
                          : spans::DecodeZipkinJson;
  DoorRead read;
  TL_TRY_ASSIGN(read.decoded, decode(batch.body.view(), options, batch));
  read.answer = [](const Decoded&, const Outcome&) { return Empty(202); };
  return read;
}

}  // namespace

const HttpDoor kZipkin = {.intake = Intake::kZipkin,
                          .check_head = CheckHead,
                          .encoding = EncodingFromHeader,
                          .decode = Decode,
                          .failure = PlainFailure};

}  // namespace throughline::gateway::doors
