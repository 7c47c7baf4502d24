#include "correlate/find_scan.h"

#include <algorithm>
#include <array>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
#define TL_X86_SCAN 1
#include <immintrin.h>
#else
#define TL_X86_SCAN 0
#endif

namespace throughline {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kChunk = 16;
constexpr std::size_t kKeyReach = 4;  // A key's place has this many bytes from itself on.

// What a scan says of one block, the first byte in the lowest bit.
struct BlockMask {
  std::uint32_t keys;   // A key may begin here.
  std::uint32_t other;  // This byte is no hex digit, comma or dash (or is behind the line's end).

  bool HasChunk() const { return (other & 0xffffU) == 0 || (other >> kChunk) == 0; }
};

char At(std::string_view line, std::size_t at) { return at < line.size() ? line[at] : '\0'; }

constexpr bool IsChunkByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ',' ||
         c == '-';
}

// Per byte: may a key begin with it, may it be part of a chunk?
constexpr std::uint8_t kKeyByte = 1;
constexpr std::uint8_t kChunkByte = 2;
constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned i = 0; i < 128; ++i) {
    const char c = static_cast<char>(i);
    const bool is_key = std::string_view("tTsSbB").find(c) != std::string_view::npos;
    classes[i] =
        static_cast<std::uint8_t>((is_key ? kKeyByte : 0) | (IsChunkByte(c) ? kChunkByte : 0));
  }
  return classes;
}();

// The definition of a key's place, of the four bytes at `from`. The vector scan computes the same
// for 32 places at once.
bool IsKeyAnchor(const char* from) {
  const bool is_a = (from[2] | 0x20) == 'a';
  switch (from[0] | 0x20) {
    case 't': return (is_a && (from[3] | 0x20) == 'c') || from[2] == 'D';
    case 's': return (is_a && (from[3] | 0x20) == 'n') || from[2] == '8';
    case 'b': return from[1] == '3';
    default: return false;
  }
}

BlockMask PortableMask(std::string_view line, std::size_t base) {
  BlockMask mask{.keys = 0, .other = ~std::uint32_t{0}};
  const std::size_t end = std::min(line.size(), base + kBlock);
  for (std::size_t i = base; i < end; ++i) {
    const std::uint8_t classes = kClasses[static_cast<unsigned char>(line[i])];
    if (classes == 0) continue;
    const std::uint32_t bit = std::uint32_t{1} << (i - base);
    if ((classes & kChunkByte) != 0) mask.other &= ~bit;
    if ((classes & kKeyByte) == 0 || line.size() - i < kKeyReach) continue;
    if (IsKeyAnchor(line.data() + i)) mask.keys |= bit;
  }
  return mask;
}

// The definition of a shape's place: a delimiter with its fellow behind 32 or 16 hex digits, or
// behind the eight of an X-Ray root.
bool IsShapeAnchor(std::string_view line, std::size_t i) {
  constexpr std::size_t kWide = 33;
  constexpr std::size_t kNarrow = 17;
  constexpr std::size_t kXRayTime = 9;
  switch (line[i]) {
    case '-': return At(line, i + kWide) == '-' || At(line, i + kXRayTime) == '-';
    case '[': return At(line, i + kWide) == '-';
    case ',': return At(line, i + kWide) == ',' || At(line, i + kNarrow) == ',';
    case '|': return At(line, i + kWide) == '.';
    default: return false;
  }
}

// Which of the 16 bytes at `from` a shape's place can be.
std::uint32_t DelimiterMask(const char* from) {
#if TL_X86_SCAN
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const auto is = [bytes](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  return static_cast<std::uint32_t>(_mm_movemask_epi8(
      _mm_or_si128(_mm_or_si128(is('-'), is('[')), _mm_or_si128(is(','), is('|')))));
#else
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < kChunk; ++i) {
    const char c = from[i];
    if (c == '-' || c == '[' || c == ',' || c == '|') mask |= std::uint32_t{1} << i;
  }
  return mask;
#endif
}

// Goes over the blocks and remembers what the visitor still wants.
class Walk {
 public:
  Walk(std::string_view line, AnchorVisitor& visitor) : line_(line), visitor_(visitor) {}

  // False: the visitor has seen enough.
  bool VisitBlock(std::size_t base, const BlockMask& mask) {
    std::uint32_t places = mask.keys;
    if (mask.HasChunk() && base + kBlock > wanted_) {
      // A shape begins up to 16 bytes before its first chunk.
      const char* const from = line_.data() + base;
      if ((mask.other & 0xffffU) == 0 && base > 0) {
        if (!Visit(DelimiterMask(from - kChunk), 0, base - kChunk)) return false;
      }
      places |= DelimiterMask(from);
      if ((mask.other >> kChunk) == 0) places |= DelimiterMask(from + kChunk) << kChunk;
    }
    return Visit(places, mask.keys, base);
  }

 private:
  // `places` that are no `keys` are delimiters.
  bool Visit(std::uint32_t places, std::uint32_t keys, std::size_t base) {
    for (; places != 0; places &= places - 1) {
      const auto bit = static_cast<unsigned>(__builtin_ctz(places));
      const std::size_t at = base + bit;
      const bool is_key = ((keys >> bit) & 1U) != 0;
      if (at < wanted_ || (!is_key && !IsShapeAnchor(line_, at))) continue;
      wanted_ = std::max(wanted_, visitor_.Visit(at));
      if (wanted_ == AnchorVisitor::kEnough) return false;
    }
    return true;
  }

  std::string_view line_;
  AnchorVisitor& visitor_;
  std::size_t wanted_ = 0;
};

#if TL_X86_SCAN

#define TL_AVX2 __attribute__((target("avx2"), always_inline)) inline

TL_AVX2 __m256i Load(const char* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
TL_AVX2 __m256i Is(__m256i bytes, char c) { return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c)); }
TL_AVX2 __m256i Fold(__m256i bytes) { return _mm256_or_si256(bytes, _mm256_set1_epi8(0x20)); }
TL_AVX2 __m256i And(__m256i a, __m256i b) { return _mm256_and_si256(a, b); }
TL_AVX2 __m256i Or(__m256i a, __m256i b) { return _mm256_or_si256(a, b); }
TL_AVX2 std::uint32_t Bits(__m256i bytes) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
}

TL_AVX2 __m256i Shuffle(__m256i table, __m256i index) { return _mm256_shuffle_epi8(table, index); }

// The kinds of the bytes. Each kind has a bit, which the table of low nibbles and that of high
// nibbles both give to its bytes and to no others.
constexpr char kDecimalKind = 1;  // 0-9: 3x.
constexpr char kLetterKind = 2;   // a-f, A-F: 4x, 6x.
constexpr char kJoinKind = 4;     // Comma and dash: 2c, 2d.
constexpr char kWordKind = 8;     // s, t, S, T: 5x, 7x.
constexpr char kBKind = 16;       // b, B: 4x, 6x.
constexpr char kChunkKinds = kDecimalKind | kLetterKind | kJoinKind;

TL_AVX2 __m256i Kinds(__m256i bytes) {
  constexpr char kD = kDecimalKind;
  constexpr char kDL = kDecimalKind | kLetterKind;
  constexpr char kL = kLetterKind | kBKind;
  const __m256i low = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(kD, kDL, kDL | kBKind, kDL | kWordKind, kDL | kWordKind, kDL, kDL, kD, kD, kD,
                    0, 0, kJoinKind, kJoinKind, 0, 0));
  const __m256i high = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 0, kJoinKind, kD, kL, kWordKind, kL, kWordKind, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i nibbles = And(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0f));
  return And(Shuffle(low, bytes), Shuffle(high, nibbles));
}

// The places of keys among the 32 bytes at `from`, which are of `kinds`; reads kKeyReach - 1 more.
TL_AVX2 std::uint32_t KeyBits(const char* from, __m256i bytes, __m256i kinds) {
  // What must follow, by the low nibble of the first byte: s (3) or t (4).
  const __m256i fourth = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 0, 0, 'n', 'c', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i third = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 0, 0, '8', 'D', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i v2 = Load(from + 2);
  const __m256i name =
      And(Is(Fold(v2), 'a'), _mm256_cmpeq_epi8(Fold(Load(from + 3)), Shuffle(fourth, bytes)));
  const __m256i opaque = _mm256_cmpeq_epi8(v2, Shuffle(third, bytes));
  const __m256i wanted = Or(And(Or(name, opaque), _mm256_set1_epi8(kWordKind)),
                            And(Is(Load(from + 1), '3'), _mm256_set1_epi8(kBKind)));
  return ~Bits(_mm256_cmpeq_epi8(And(kinds, wanted), _mm256_setzero_si256()));
}

// Which of the 32 bytes are no hex digit, comma or dash.
TL_AVX2 std::uint32_t OtherBits(__m256i kinds) {
  return Bits(_mm256_cmpeq_epi8(And(kinds, _mm256_set1_epi8(kChunkKinds)), _mm256_setzero_si256()));
}

// The last block, which begins at `base` and has too few bytes behind it: the bytes that end with
// the line are read, and those of the block before shifted out.
TL_AVX2 BlockMask Avx2LastMask(std::string_view line, std::size_t base) {
  constexpr std::size_t kKeyBytes = kBlock + kKeyReach - 1;
  const char* const end = line.data() + line.size();
  const std::size_t rest = line.size() - base;
  BlockMask mask{.keys = 0, .other = ~std::uint32_t{0}};
  const __m256i key_bytes = Load(end - kKeyBytes);
  const std::uint32_t keys = KeyBits(end - kKeyBytes, key_bytes, Kinds(key_bytes));
  if (rest >= kKeyReach) mask.keys = keys >> (kKeyBytes - rest);
  const std::uint32_t other = OtherBits(Kinds(Load(end - std::max(rest, kBlock))));
  if (rest >= kBlock) {
    mask.other = other;
  } else if (rest > 0) {
    mask.other = (other >> (kBlock - rest)) | (~std::uint32_t{0} << rest);
  }
  return mask;
}

constexpr std::size_t kMaskedBlocks = 32;  // Scanned before the first visit.

// Writes the masks of the blocks from `base` on, at most kMaskedBlocks, and returns how many. Apart
// from the visits, which would cost the compiler its registers.
__attribute__((target("avx2"), noinline)) std::size_t Avx2Masks(std::string_view line,
                                                                std::size_t base,
                                                                BlockMask* masks) {
  constexpr std::size_t kMore = kKeyReach - 1;
  std::size_t count = 0;
  for (; count < kMaskedBlocks; ++count, base += kBlock) {
    if (line.size() - base < kBlock + kMore) {
      masks[count++] = Avx2LastMask(line, base);
      break;
    }
    const __m256i bytes = Load(line.data() + base);
    const __m256i kinds = Kinds(bytes);
    masks[count] = {.keys = KeyBits(line.data() + base, bytes, kinds), .other = OtherBits(kinds)};
  }
  return count;
}

void ScanAnchorsAvx2(std::string_view line, AnchorVisitor& visitor) {
  Walk walk(line, visitor);
  BlockMask masks[kMaskedBlocks];
  std::size_t base = 0;
  while (base < line.size()) {
    const std::size_t count = Avx2Masks(line, base, masks);
    for (std::size_t i = 0; i < count; ++i, base += kBlock) {
      if (masks[i].keys == 0 && !masks[i].HasChunk()) continue;
      if (!walk.VisitBlock(base, masks[i])) return;
    }
  }
}

#endif  // TL_X86_SCAN

}  // namespace

void ScanAnchorsPortable(std::string_view line, AnchorVisitor& visitor) {
  Walk walk(line, visitor);
  for (std::size_t base = 0; base < line.size(); base += kBlock) {
    if (!walk.VisitBlock(base, PortableMask(line, base))) return;
  }
}

void ScanAnchors(std::string_view line, AnchorVisitor& visitor) {
#if TL_X86_SCAN
  constexpr std::size_t kMinBytes = kBlock + kKeyReach - 1;
  if (line.size() >= kMinBytes && __builtin_cpu_supports("avx2")) {
    return ScanAnchorsAvx2(line, visitor);
  }
#endif
  ScanAnchorsPortable(line, visitor);
}

}  // namespace throughline
