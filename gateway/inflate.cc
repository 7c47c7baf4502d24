#include "gateway/inflate.h"

#include <string>
#include <utility>

#include "wire/compress.h"

namespace throughline::gateway {
namespace {

Error FromWire(const wire::Error& error) {
  switch (error.kind) {
    case wire::Error::Kind::kMalformed: return {Errc::kInvalidArgument, error.message};
    case wire::Error::Kind::kTooLarge: return {Errc::kTooLarge, error.message};
    case wire::Error::Kind::kUnsupported: return {Errc::kUnsupported, error.message};
  }
  return {Errc::kInvalidArgument, error.message};
}

}  // namespace

Result<wire::Encoding> EncodingFromHeader(const api::Request& head) {
  const std::string_view header = head.Header("content-encoding");
  if (const auto encoding = wire::EncodingOf(header)) return *encoding;
  return Error{Errc::kUnsupported, "content-encoding is " + std::string(header) +
                                       ", want gzip, deflate, zstd, snappy, lz4 or none"};
}

Result<void> InflateBody(wire::Encoding encoding, std::size_t limit_bytes, Body& body) {
  if (encoding == wire::Encoding::kIdentity) return {};
  auto inflated = wire::Inflate(encoding, body.view(), limit_bytes, Body::kPadding);
  if (!inflated) return FromWire(inflated.error());
  body = Body(std::move(inflated->data), inflated->size, inflated->capacity);
  return {};
}

}  // namespace throughline::gateway
