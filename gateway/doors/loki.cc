#include "gateway/doors/loki.h"

#include <string>
#include <string_view>
#include <utility>

#include "gateway/doors/plain.h"
#include "gateway/inflate.h"
#include "gateway/media.h"
#include "logs/loki.h"

namespace throughline::gateway::doors {
namespace {

// As Loki does: what does not say that it is JSON is protobuf.
bool IsJson(const api::Request& head) {
  return MediaTypeOf(head.Header("content-type")) == "application/json";
}

Result<void> CheckHead(const api::Request& head) {
  const std::string type = MediaTypeOf(head.Header("content-type"));
  if (type.empty() || type == "application/json" || type == "application/x-protobuf") return {};
  return Error{Errc::kUnsupported,
               "content-type is \"" + type + "\", want application/json or application/x-protobuf"};
}

// Protobuf is a snappy block whether a header says so (few clients send one) or not.
Result<wire::Encoding> EncodingOf(const api::Request& head) {
  TL_TRY_ASSIGN(const wire::Encoding encoding, EncodingFromHeader(head));
  const bool unsaid = encoding == wire::Encoding::kIdentity || encoding == wire::Encoding::kSnappy;
  if (!IsJson(head) && unsaid) return wire::Encoding::kSnappyBlock;
  return encoding;
}

Result<DoorRead> Decode(const api::Request& head, const DecodeOptions& options, Batch& batch) {
  DoorRead read;
  TL_TRY_ASSIGN(read.decoded, IsJson(head)
                                  ? logs::DecodeLokiJson(batch.body.view(), options, batch)
                                  : logs::DecodeLokiProto(batch.body.view(), options, batch));
  // As Loki answers where it refuses some entries and keeps the others: clients log the reason, and
  // do not send the request again.
  read.answer = [](const Decoded& decoded, const Outcome& /*outcome*/) {
    return decoded.rejected == 0 ? Empty(204)
                                 : PlainFailure({}, InvalidArgument(decoded.first_rejection));
  };
  return read;
}

}  // namespace

const HttpDoor kLoki = {.intake = Intake::kLoki,
                        .check_head = CheckHead,
                        .encoding = EncodingOf,
                        .decode = Decode,
                        .failure = PlainFailure};

}  // namespace throughline::gateway::doors
