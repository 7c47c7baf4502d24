#include "wire/compress.h"

#include <libdeflate.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "wire/crc32c.h"

namespace throughline::wire {
namespace {

constexpr std::size_t kFirstRatio = 8;   // Of the first output to the compressed bytes.
constexpr std::size_t kSmallest = 4096;  // No output starts smaller, except by its limit.
constexpr int kGzipLevel = 4;            // Answers are made while somebody waits.

Error Malformed(std::string message, std::size_t offset = 0) {
  return {.kind = Error::Kind::kMalformed, .message = std::move(message), .offset = offset};
}

Error TooLarge(std::size_t limit_bytes) {
  return {.kind = Error::Kind::kTooLarge,
          .message = "more than " + std::to_string(limit_bytes) + " bytes after inflating"};
}

// The inflated bytes: a buffer that doubles up to its limit.
class Output {
 public:
  // `claimed` is what the input says of its size; 0: nothing.
  Output(std::size_t compressed, std::size_t claimed, std::size_t limit, std::size_t padding)
      : limit_(limit), padding_(padding) {
    std::size_t first = compressed > limit / kFirstRatio ? limit : compressed * kFirstRatio;
    if (claimed > 0) first = std::min(first, claimed);
    Reserve(std::min(std::max(first, kSmallest), limit));
  }

  char* end() { return data_.get() + size_; }
  const char* begin() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t space() const { return room_ - size_; }
  void Advance(std::size_t written) { size_ += written; }

  // Makes more space; false at the limit.
  bool Grow() {
    if (room_ == limit_) return false;
    Reserve(room_ > limit_ / 2 ? limit_ : room_ * 2);
    return true;
  }
  // Makes space for `bytes` more; false where the limit forbids.
  bool GrowFor(std::size_t bytes) {
    if (bytes > limit_ - size_) return false;
    while (space() < bytes) Grow();
    return true;
  }

  Inflated Take() {
    std::memset(end(), 0, padding_);
    return {.data = std::move(data_), .size = size_, .capacity = room_ + padding_};
  }

 private:
  void Reserve(std::size_t room) {
    auto larger = std::make_unique_for_overwrite<char[]>(room + padding_);
    if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    room_ = room;
  }

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t room_ = 0;  // Without the padding.
  std::size_t limit_;
  std::size_t padding_;
};

using Deflater = std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>;
using ZstdContext = std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)>;
using Lz4Context = std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)>;

// The decompressors keep no state between calls, only memory: one each a thread.
libdeflate_decompressor* ThreadDeflater() {
  thread_local const Deflater deflater(libdeflate_alloc_decompressor(),
                                       &libdeflate_free_decompressor);
  return deflater.get();
}

ZSTD_DCtx* ThreadZstd() {
  thread_local const ZstdContext context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  return context.get();
}

// libdeflate's three formats have one signature.
using DeflateFunction = libdeflate_result (*)(libdeflate_decompressor*, const void*, std::size_t,
                                              void*, std::size_t, std::size_t*, std::size_t*);

// Inflates one member at the front of `rest` and removes it from there. libdeflate needs the whole
// output at once, so a full buffer means a larger one and the member again.
Result<void> InflateMember(DeflateFunction inflate, std::string_view& rest, std::size_t limit_bytes,
                           Output& out) {
  for (;;) {
    std::size_t read = 0;
    std::size_t written = 0;
    switch (inflate(ThreadDeflater(), rest.data(), rest.size(), out.end(), out.space(), &read,
                    &written)) {
      case LIBDEFLATE_SUCCESS:
        out.Advance(written);
        rest.remove_prefix(read);
        return {};
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        if (!out.Grow()) return TooLarge(limit_bytes);
        break;
      default: return Malformed("deflate stream is truncated or damaged");
    }
  }
}

Result<Inflated> InflateGzip(std::string_view compressed, std::size_t limit_bytes,
                             std::size_t padding) {
  // ISIZE of the last member: the size modulo 2^32, or a lie.
  std::size_t claimed = 0;
  if (compressed.size() >= 18) {
    for (std::size_t i = 1; i <= 4; ++i) {
      claimed = (claimed << 8U) | static_cast<unsigned char>(compressed[compressed.size() - i]);
    }
  }
  Output out(compressed.size(), claimed, limit_bytes, padding);
  std::string_view rest = compressed;
  do {
    const std::size_t offset = compressed.size() - rest.size();
    if (rest.size() < 2 || rest[0] != '\x1f' || rest[1] != '\x8b') {
      return Malformed(offset == 0 ? "no gzip header" : "bytes after the gzip stream", offset);
    }
    auto member = InflateMember(&libdeflate_gzip_decompress_ex, rest, limit_bytes, out);
    if (!member) {
      Error error = std::move(member).error();
      error.offset = offset;
      return error;
    }
  } while (!rest.empty());
  return out.Take();
}

bool LooksLikeZlib(std::string_view bytes) {
  if (bytes.size() < 2) return false;
  const unsigned first = static_cast<unsigned char>(bytes[0]);
  const unsigned second = static_cast<unsigned char>(bytes[1]);
  return (first & 0x0fU) == 8 && (first >> 4U) <= 7 && (first * 256 + second) % 31 == 0;
}

Result<Inflated> InflateDeflate(DeflateFunction inflate, std::string_view compressed,
                                std::size_t limit_bytes, std::size_t padding) {
  Output out(compressed.size(), 0, limit_bytes, padding);
  std::string_view rest = compressed;
  const auto member = InflateMember(inflate, rest, limit_bytes, out);
  if (!member) return member.error();
  if (!rest.empty()) {
    return Malformed("bytes after the deflate stream", compressed.size() - rest.size());
  }
  return out.Take();
}

// HTTP's "deflate" is zlib, and many senders mean the raw stream.
Result<Inflated> InflateZlibOrRaw(std::string_view compressed, std::size_t limit_bytes,
                                  std::size_t padding) {
  if (LooksLikeZlib(compressed)) {
    auto zlib = InflateDeflate(&libdeflate_zlib_decompress_ex, compressed, limit_bytes, padding);
    if (zlib || zlib.error().kind == Error::Kind::kTooLarge) return zlib;
  }
  return InflateDeflate(&libdeflate_deflate_decompress_ex, compressed, limit_bytes, padding);
}

// One shot, as with libdeflate, because streaming would allocate the window that a frame claims.
Result<Inflated> InflateZstd(std::string_view compressed, std::size_t limit_bytes,
                             std::size_t padding) {
  const unsigned long long claimed = ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR) return Malformed("no zstd frame");
  const bool known = claimed != ZSTD_CONTENTSIZE_UNKNOWN;
  if (known && claimed > limit_bytes) return TooLarge(limit_bytes);
  Output out(compressed.size(), known ? static_cast<std::size_t>(claimed) : 0, limit_bytes,
             padding);
  for (;;) {
    const std::size_t written = ZSTD_decompressDCtx(ThreadZstd(), out.end(), out.space(),
                                                    compressed.data(), compressed.size());
    if (ZSTD_isError(written) == 0) {
      out.Advance(written);
      return out.Take();
    }
    if (ZSTD_getErrorCode(written) != ZSTD_error_dstSize_tooSmall) {
      return Malformed(std::string("zstd: ") + ZSTD_getErrorName(written));
    }
    if (!out.Grow()) return TooLarge(limit_bytes);
  }
}

constexpr std::string_view kSnappyMagic("\xff\x06\x00\x00sNaPpY", 10);
constexpr std::size_t kSnappyChunk = 65536;  // Most uncompressed bytes of a chunk.

// The size a snappy block says it has, if its bytes can hold that: three bytes make at most 64.
std::optional<std::size_t> SnappySize(std::string_view block) {
  std::size_t claimed = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &claimed)) return std::nullopt;
  constexpr std::size_t kMostRatio = 22;
  if (claimed / kMostRatio > block.size()) return std::nullopt;
  return claimed;
}

Result<Inflated> InflateSnappyBlock(std::string_view compressed, std::size_t limit_bytes,
                                    std::size_t padding) {
  const auto claimed = SnappySize(compressed);
  if (!claimed) return Malformed("snappy block claims a size that it cannot hold");
  if (*claimed > limit_bytes) return TooLarge(limit_bytes);
  Output out(compressed.size(), *claimed, limit_bytes, padding);
  if (!out.GrowFor(*claimed)) return TooLarge(limit_bytes);
  if (!snappy::RawUncompress(compressed.data(), compressed.size(), out.end())) {
    return Malformed("snappy block is truncated or damaged");
  }
  out.Advance(*claimed);
  return out.Take();
}

// One data chunk: a masked checksum of the uncompressed bytes, then the bytes or a block.
Result<void> InflateSnappyChunk(std::string_view chunk, bool is_compressed, std::size_t limit_bytes,
                                Output& out) {
  if (chunk.size() < 4) return Malformed("snappy chunk without its checksum");
  std::uint32_t masked = 0;
  for (std::size_t i = 4; i-- > 0;) {
    masked = (masked << 8U) | static_cast<unsigned char>(chunk[i]);
  }
  chunk.remove_prefix(4);
  const auto size = is_compressed ? SnappySize(chunk) : chunk.size();
  if (!size || *size > kSnappyChunk) return Malformed("snappy chunk over 65536 bytes");
  if (!out.GrowFor(*size)) return TooLarge(limit_bytes);
  if (!is_compressed) {
    if (!chunk.empty()) std::memcpy(out.end(), chunk.data(), chunk.size());
  } else if (!snappy::RawUncompress(chunk.data(), chunk.size(), out.end())) {
    return Malformed("snappy chunk is damaged");
  }
  const std::uint32_t crc = Crc32c({out.end(), *size});
  if (((crc >> 15U) | (crc << 17U)) + 0xa282ead8U != masked) {
    return Malformed("snappy chunk has a wrong checksum");
  }
  out.Advance(*size);
  return {};
}

// google/snappy, framing_format.txt.
Result<Inflated> InflateSnappyFrames(std::string_view compressed, std::size_t limit_bytes,
                                     std::size_t padding) {
  Output out(compressed.size(), 0, limit_bytes, padding);
  std::size_t at = 0;
  while (at < compressed.size()) {
    const auto byte = [&](std::size_t i) -> std::size_t {
      return static_cast<unsigned char>(compressed[at + i]);
    };
    if (compressed.size() - at < 4) return Malformed("truncated snappy chunk header", at);
    const std::size_t type = byte(0);
    const std::size_t size = byte(1) | (byte(2) << 8U) | (byte(3) << 16U);
    if (size > compressed.size() - at - 4) return Malformed("truncated snappy chunk", at);
    const std::string_view chunk = compressed.substr(at + 4, size);
    if (type <= 1) {
      auto result = InflateSnappyChunk(chunk, type == 0, limit_bytes, out);
      if (!result) {
        Error error = std::move(result).error();
        error.offset = at;
        return error;
      }
    } else if (type < 0x80) {
      return Malformed("snappy chunk of a reserved type", at);
    } else if (type == 0xff && chunk != kSnappyMagic.substr(4)) {
      return Malformed("snappy stream identifier is wrong", at);
    }
    at += 4 + size;
  }
  return out.Take();
}

Result<Inflated> InflateLz4(std::string_view compressed, std::size_t limit_bytes,
                            std::size_t padding) {
  LZ4F_dctx* created = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&created, LZ4F_VERSION)) != 0) {
    return Error{.kind = Error::Kind::kUnsupported, .message = "no memory for lz4"};
  }
  const Lz4Context context(created, &LZ4F_freeDecompressionContext);
  // One byte more than allowed, so that a full output is one that is too large.
  Output out(compressed.size(), 0, limit_bytes + 1, padding);
  std::size_t at = 0;
  std::size_t more = 1;  // 0: a frame has just ended.
  while (at < compressed.size() || more != 0) {
    if (out.space() == 0 && !out.Grow()) return TooLarge(limit_bytes);
    std::size_t written = out.space();
    std::size_t read = compressed.size() - at;
    more =
        LZ4F_decompress(context.get(), out.end(), &written, compressed.data() + at, &read, nullptr);
    if (LZ4F_isError(more) != 0) {
      return Malformed(std::string("lz4: ") + LZ4F_getErrorName(more), at);
    }
    at += read;
    out.Advance(written);
    if (read == 0 && written == 0) break;  // It waits for bytes that are not there.
  }
  if (out.size() > limit_bytes) return TooLarge(limit_bytes);
  if (more != 0) return Malformed("lz4 frame is truncated", at);
  return out.Take();
}

}  // namespace

std::optional<Encoding> EncodingOf(std::string_view content_encoding) {
  struct Name {
    std::string_view name;
    Encoding encoding;
  };
  constexpr std::array<Name, 9> kNames{{{"", Encoding::kIdentity},
                                        {"identity", Encoding::kIdentity},
                                        {"gzip", Encoding::kGzip},
                                        {"x-gzip", Encoding::kGzip},
                                        {"deflate", Encoding::kDeflate},
                                        {"zstd", Encoding::kZstd},
                                        {"snappy", Encoding::kSnappy},
                                        {"x-snappy-framed", Encoding::kSnappy},
                                        {"lz4", Encoding::kLz4}}};
  const auto equal = [](std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
    });
  };
  for (const Name& name : kNames) {
    if (equal(content_encoding, name.name)) return name.encoding;
  }
  return std::nullopt;
}

Result<Inflated> Inflate(Encoding encoding, std::string_view compressed, std::size_t limit_bytes,
                         std::size_t padding) {
  if (compressed.empty()) return Malformed("empty, where a compressed body is announced");
  switch (encoding) {
    case Encoding::kIdentity: break;
    case Encoding::kGzip: return InflateGzip(compressed, limit_bytes, padding);
    case Encoding::kDeflate: return InflateZlibOrRaw(compressed, limit_bytes, padding);
    case Encoding::kZstd: return InflateZstd(compressed, limit_bytes, padding);
    case Encoding::kSnappy:
      return compressed.starts_with(kSnappyMagic)
                 ? InflateSnappyFrames(compressed, limit_bytes, padding)
                 : InflateSnappyBlock(compressed, limit_bytes, padding);
    case Encoding::kSnappyBlock: return InflateSnappyBlock(compressed, limit_bytes, padding);
    case Encoding::kLz4: return InflateLz4(compressed, limit_bytes, padding);
  }
  return Error{.kind = Error::Kind::kUnsupported, .message = "not a compressed encoding"};
}

std::string Gzip(std::string_view bytes) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(kGzipLevel), &libdeflate_free_compressor);
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()), '\0');
  out.resize(libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(), out.data(),
                                      out.size()));
  return out;
}

}  // namespace throughline::wire
