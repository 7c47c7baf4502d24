#include "gateway/grpc_message.h"

#include <string_view>
#include <utility>

#include "gateway/inflate.h"

namespace throughline::gateway {
namespace {

using namespace std::string_view_literals;

// Of a stream's first frame: "framing_format.txt" of snappy; RFC 8878 section 3.1.1; RFC 1952
// section 2.3.1.
constexpr std::string_view kFramedSnappy = "\xff\x06\x00\x00sNaPpY"sv;
constexpr std::string_view kZstd = "\x28\xb5\x2f\xfd"sv;
constexpr std::string_view kGzip = "\x1f\x8b"sv;

Result<wire::Encoding> EncodingOf(const GrpcMessage& message) {
  // An empty message may have the flag all the same.
  if (!message.compressed || message.bytes.size() == 0) return wire::Encoding::kIdentity;
  if (message.encoding != wire::Encoding::kIdentity) return message.encoding;
  const std::string_view bytes = message.bytes.view();
  if (bytes.starts_with(kFramedSnappy)) return wire::Encoding::kSnappy;
  if (bytes.starts_with(kZstd)) return wire::Encoding::kZstd;
  if (bytes.starts_with(kGzip)) {
    return Error{Errc::kUnsupported, "the message is gzip, which grpc-encoding does not say"};
  }
  return InvalidArgument(
      "the message has the flag of a compressed one, and is none that grpc-encoding names; want "
      "gzip, deflate, snappy (framed), zstd or identity");
}

}  // namespace

Result<Body> InflateMessage(GrpcMessage message, std::size_t limit_bytes) {
  TL_TRY_ASSIGN(const wire::Encoding encoding, EncodingOf(message));
  TL_TRY(InflateBody(encoding, limit_bytes, message.bytes));
  return std::move(message.bytes);
}

}  // namespace throughline::gateway
