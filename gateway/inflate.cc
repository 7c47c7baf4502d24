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

Result<void> CheckEncoding(const api::Request& head) {
  const std::string_view header = head.Header("content-encoding");
  if (wire::EncodingOf(header)) return {};
  return Error{Errc::kUnsupported, "content-encoding is " + std::string(header) +
                                       ", want gzip, deflate, zstd, snappy, lz4 or none"};
}

Result<void> InflateBody(api::Request& request, std::size_t limit_bytes) {
  TL_TRY(CheckEncoding(request));
  const auto encoding = wire::EncodingOf(request.Header("content-encoding"));
  if (*encoding == wire::Encoding::kIdentity) return {};
  auto inflated = wire::Inflate(*encoding, request.body.view(), limit_bytes, Body::kPadding);
  if (!inflated) return FromWire(inflated.error());
  request.body = Body(std::move(inflated->data), inflated->size, inflated->capacity);
  return {};
}

}  // namespace throughline::gateway
