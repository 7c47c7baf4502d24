// Content codings, inflated within a bound.
//
// Nothing is allocated in proportion to a size that the input merely claims: the output starts at
// min(claimed, 8 x compressed), doubles up to `limit_bytes`, and more than that is kTooLarge.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/error.h"

namespace throughline::wire {

enum class Encoding {
  kIdentity,
  kGzip,
  kDeflate,
  kZstd,
  kSnappy,       // Framed where it starts with the framing magic, else one block.
  kSnappyBlock,  // Never framed: what Prometheus and Loki mean by snappy.
  kLz4
};

// The value of a Content-Encoding header, in any case; "" and "identity" are kIdentity; never
// kSnappyBlock. nullopt: not one of ours.
std::optional<Encoding> EncodingOf(std::string_view content_encoding);

struct Inflated {
  std::unique_ptr<char[]> data;  // `size` bytes, and `padding` more that may be read.
  std::size_t size = 0;
  std::size_t capacity = 0;
};

// gzip (RFC 1952, several members), deflate (zlib, RFC 1950, or raw, RFC 1951), zstd, snappy
// (framed where it starts with the framing magic, else one block), lz4 (frame). kIdentity is not
// for here. kMalformed: truncated, bad checksum, trailing garbage.
Result<Inflated> Inflate(Encoding encoding, std::string_view compressed, std::size_t limit_bytes,
                         std::size_t padding);

// For answers: gzip of `bytes`.
std::string Gzip(std::string_view bytes);

}  // namespace throughline::wire
