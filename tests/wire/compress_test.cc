#include "wire/compress.h"

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire/crc32c.h"

namespace throughline::wire {
namespace {

constexpr std::size_t kLimit = 1U << 20U;
constexpr std::size_t kPadding = 64;

// Text that compresses to about a tenth, with no long run.
std::string Sample(std::size_t size) {
  std::string text;
  for (std::uint64_t i = 0; text.size() < size; ++i) {
    text += "line " + std::to_string(i * 2654435761U % 1000003U) + " of the sample\n";
  }
  text.resize(size);
  return text;
}

using DeflateFunction = std::size_t (*)(libdeflate_compressor*, const void*, std::size_t, void*,
                                        std::size_t);

std::string Deflate(DeflateFunction compress, std::string_view bytes) {
  libdeflate_compressor* const compressor = libdeflate_alloc_compressor(6);
  std::string out(bytes.size() + 1024, '\0');
  out.resize(compress(compressor, bytes.data(), bytes.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

std::string Zlib(std::string_view bytes) { return Deflate(&libdeflate_zlib_compress, bytes); }
std::string RawDeflate(std::string_view bytes) {
  return Deflate(&libdeflate_deflate_compress, bytes);
}

std::string Zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

// A frame that does not say how large its content is, as streaming senders write it.
std::string ZstdStreamed(std::string_view bytes) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), bytes.data(), bytes.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string SnappyBlock(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

std::string Chunk(unsigned type, std::string_view content) {
  std::string out(1, static_cast<char>(type));
  for (unsigned shift = 0; shift < 24; shift += 8) {
    out += static_cast<char>(content.size() >> shift & 0xffU);
  }
  return out.append(content);
}

std::string Checksum(std::string_view bytes) {
  const std::uint32_t crc = Crc32c(bytes);
  const std::uint32_t masked = ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
  std::string out;
  for (unsigned shift = 0; shift < 32; shift += 8)
    out += static_cast<char>(masked >> shift & 0xffU);
  return out;
}

// Chunks of 64 KiB, in turn compressed and not.
std::string SnappyFrames(std::string_view bytes) {
  std::string out = Chunk(0xff, "sNaPpY");
  for (unsigned type = 0; !bytes.empty(); type ^= 1U) {
    const std::string_view part = bytes.substr(0, 65536);
    bytes.remove_prefix(part.size());
    out += Chunk(type, Checksum(part) + (type == 0 ? SnappyBlock(part) : std::string(part)));
    out += Chunk(0xfe, "padding");
  }
  return out;
}

std::string Lz4(std::string_view bytes) {
  std::string out(LZ4F_compressFrameBound(bytes.size(), nullptr), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), nullptr));
  return out;
}

struct Coder {
  const char* name;
  Encoding encoding;
  std::string (*compress)(std::string_view);
};

const Coder kCoders[] = {{"Gzip", Encoding::kGzip, &Gzip},
                         {"Zlib", Encoding::kDeflate, &Zlib},
                         {"RawDeflate", Encoding::kDeflate, &RawDeflate},
                         {"Zstd", Encoding::kZstd, &Zstd},
                         {"ZstdStreamed", Encoding::kZstd, &ZstdStreamed},
                         {"SnappyBlock", Encoding::kSnappy, &SnappyBlock},
                         {"SnappyFrames", Encoding::kSnappy, &SnappyFrames},
                         {"OnlyASnappyBlock", Encoding::kSnappyBlock, &SnappyBlock},
                         {"Lz4", Encoding::kLz4, &Lz4}};

class EveryCoder : public testing::TestWithParam<Coder> {
 protected:
  std::string Compress(std::string_view bytes) const { return GetParam().compress(bytes); }
  // Each input in an allocation of its own, so that the sanitizer sees an over-read.
  Result<Inflated> Open(std::string_view compressed, std::size_t limit = kLimit) const {
    const std::vector<char> copy(compressed.begin(), compressed.end());
    return Inflate(GetParam().encoding, {copy.data(), copy.size()}, limit, kPadding);
  }
};

INSTANTIATE_TEST_SUITE_P(Compress, EveryCoder, testing::ValuesIn(kCoders),
                         [](const auto& coder) { return std::string(coder.param.name); });

TEST_P(EveryCoder, GivesBackWhatWasCompressed) {
  for (const std::size_t size : {0U, 1U, 100U, 4096U, 65536U, 300000U}) {
    const std::string text = Sample(size);
    const auto inflated = Open(Compress(text));
    ASSERT_TRUE(inflated) << size << ": " << inflated.error().message;
    EXPECT_EQ(std::string_view(inflated->data.get(), inflated->size), text) << size;
    EXPECT_GE(inflated->capacity, inflated->size + kPadding);
    std::string padding(inflated->data.get() + inflated->size, kPadding);
    EXPECT_EQ(padding, std::string(kPadding, '\0')) << "padding must be readable";
  }
}

TEST_P(EveryCoder, TruncatedIsMalformed) {
  const std::string compressed = Compress(Sample(2000));
  for (std::size_t size = 0; size < compressed.size(); ++size) {
    const auto inflated = Open(std::string_view(compressed).substr(0, size));
    // A frame ends between chunks too: snappy's framing has no end mark.
    if (GetParam().compress == &SnappyFrames && inflated) continue;
    ASSERT_FALSE(inflated) << size << " of " << compressed.size();
    EXPECT_EQ(inflated.error().kind, Error::Kind::kMalformed) << size;
  }
}

TEST_P(EveryCoder, TrailingGarbageIsMalformed) {
  const auto inflated = Open(Compress(Sample(2000)) + "garbage");
  ASSERT_FALSE(inflated);
  EXPECT_EQ(inflated.error().kind, Error::Kind::kMalformed);
}

TEST_P(EveryCoder, TheLimitIsExact) {
  const std::string compressed = Compress(Sample(50000));
  EXPECT_TRUE(Open(compressed, 50000));
  for (const std::size_t limit : {49999U, 10000U, 1U}) {
    const auto inflated = Open(compressed, limit);
    ASSERT_FALSE(inflated) << limit;
    EXPECT_EQ(inflated.error().kind, Error::Kind::kTooLarge) << limit;
  }
}

TEST_P(EveryCoder, BombIsCutOff) {
  const auto inflated = Open(Compress(std::string(30U << 20U, '\0')));
  ASSERT_FALSE(inflated);
  EXPECT_EQ(inflated.error().kind, Error::Kind::kTooLarge);
}

TEST_P(EveryCoder, RunsCompressBeyondTheFirstGuess) {
  const std::string zeros(kLimit, 'z');
  const auto inflated = Open(Compress(zeros));
  ASSERT_TRUE(inflated) << inflated.error().message;
  EXPECT_EQ(std::string_view(inflated->data.get(), inflated->size), zeros);
}

TEST_P(EveryCoder, FlippedBytesNeverCrash) {
  const std::string text = Sample(3000);
  const std::string compressed = Compress(text);
  for (std::size_t i = 0; i < compressed.size(); ++i) {
    std::string damaged = compressed;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    const auto inflated = Open(damaged, 10000);
    EXPECT_TRUE(!inflated || inflated->size <= 10000U) << i;
  }
}

TEST_P(EveryCoder, OtherBytesAreMalformed) {
  for (const std::string_view bytes : {"", "x", "{\"resourceSpans\":[]}", "\x1f\x8b"}) {
    const auto inflated = Open(bytes);
    ASSERT_FALSE(inflated) << bytes;
    EXPECT_EQ(inflated.error().kind, Error::Kind::kMalformed) << bytes;
  }
}

TEST(Compress, GzipOfSeveralMembers) {
  const auto inflated =
      Inflate(Encoding::kGzip, Gzip("one ") + Gzip("") + Gzip(Sample(9000)), kLimit, kPadding);
  ASSERT_TRUE(inflated) << inflated.error().message;
  EXPECT_EQ(std::string_view(inflated->data.get(), inflated->size), "one " + Sample(9000));
}

TEST(Compress, GzipChecksumIsChecked) {
  std::string compressed = Gzip(Sample(1000));
  compressed[compressed.size() - 8] = static_cast<char>(compressed[compressed.size() - 8] ^ 1);
  const auto inflated = Inflate(Encoding::kGzip, compressed, kLimit, kPadding);
  ASSERT_FALSE(inflated);
  EXPECT_EQ(inflated.error().kind, Error::Kind::kMalformed);
}

TEST(Compress, SnappyChecksumIsChecked) {
  std::string frames = SnappyFrames(Sample(1000));
  frames[14] = static_cast<char>(frames[14] ^ 1);
  const auto inflated = Inflate(Encoding::kSnappy, frames, kLimit, kPadding);
  ASSERT_FALSE(inflated);
  EXPECT_EQ(inflated.error().kind, Error::Kind::kMalformed);
}

TEST(Compress, ABlockIsNoFrame) {
  const auto inflated =
      Inflate(Encoding::kSnappyBlock, SnappyFrames(Sample(1000)), kLimit, kPadding);
  ASSERT_FALSE(inflated);
  EXPECT_EQ(inflated.error().kind, Error::Kind::kMalformed);
}

TEST(Compress, ClaimedSizesAreNotBelieved) {
  // ISIZE of 4 GiB over a small member: the size is wrong, and nothing of it is allocated.
  std::string gzip = Gzip("small");
  gzip.replace(gzip.size() - 4, 4, "\xff\xff\xff\xff");
  const auto lying = Inflate(Encoding::kGzip, gzip, kLimit, kPadding);
  ASSERT_FALSE(lying);
  EXPECT_EQ(lying.error().kind, Error::Kind::kMalformed);
  // Snappy blocks that claim 4 GiB and 900,000 bytes in a few.
  for (const std::string_view block : {"\xff\xff\xff\xff\x0fxx", "\xa0\xf7\x36xxxxxxxx"}) {
    const auto inflated = Inflate(Encoding::kSnappy, block, kLimit, kPadding);
    ASSERT_FALSE(inflated);
    EXPECT_EQ(inflated.error().kind, Error::Kind::kMalformed);
  }
}

TEST(Compress, SmallBodiesAllocateLittle) {
  const auto inflated = Inflate(Encoding::kGzip, Gzip("small"), 20U << 20U, kPadding);
  ASSERT_TRUE(inflated);
  EXPECT_LE(inflated->capacity, 4096U + kPadding);
}

TEST(Compress, EncodingNamesAreCaseInsensitive) {
  EXPECT_EQ(EncodingOf(""), Encoding::kIdentity);
  EXPECT_EQ(EncodingOf("identity"), Encoding::kIdentity);
  EXPECT_EQ(EncodingOf("GZIP"), Encoding::kGzip);
  EXPECT_EQ(EncodingOf("deflate"), Encoding::kDeflate);
  EXPECT_EQ(EncodingOf("Zstd"), Encoding::kZstd);
  EXPECT_EQ(EncodingOf("snappy"), Encoding::kSnappy);
  EXPECT_EQ(EncodingOf("lz4"), Encoding::kLz4);
  EXPECT_EQ(EncodingOf("br"), std::nullopt);
  EXPECT_EQ(EncodingOf("gzip, gzip"), std::nullopt);
}

TEST(Crc32c, KnownAnswers) {
  // RFC 3720, appendix B.4.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
}

}  // namespace
}  // namespace throughline::wire
