#include "store/segment/text_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace throughline::store::segment {
namespace {

constexpr std::size_t kPiece = 4;
// Of a filter, at most: more than a block of lines of a kilobyte needs.
constexpr unsigned kMostLog2 = 13;
constexpr std::size_t kMostBits = std::size_t{1} << kMostLog2;
constexpr std::size_t kLeastBits = 64;
// A filter is halved as long as no more of its bits are set: about 4 bytes a line of 230.
constexpr double kFill = 0.55;
constexpr unsigned char kHasCuts = 1;  // The first byte of a filter.

std::uint32_t HashOf(std::uint32_t piece) { return (piece * 0x9e3779b1U) >> (32 - kMostLog2); }

std::uint32_t PieceAt(const char* at) {
  std::uint32_t piece = 0;
  std::memcpy(&piece, at, sizeof piece);
  return piece;
}

// The shortest that is cut out of a body: a span's.
constexpr std::size_t kLeastId = 16;

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Whether what stands at a place may lie within an id: digits, of which the text does not say that
// they are fewer than an id has.
bool MayBeOfAnId(std::string_view text, std::size_t at) {
  if (!std::all_of(&text[at], &text[at] + kPiece, IsHex)) return false;
  std::size_t begin = at;
  while (begin > 0 && IsHex(text[begin - 1])) --begin;
  std::size_t end = at + kPiece;
  while (end < text.size() && IsHex(text[end])) ++end;
  return begin == 0 || end == text.size() || end - begin >= kLeastId;
}

}  // namespace

TextGatherer::TextGatherer() : slots_(kMostBits) {}

void TextGatherer::Add(std::string_view text) {
  has_bodies_ = true;
  if (text.size() < kPiece) return;
  const char* at = text.data();
  const char* const end = at + text.size() - (kPiece - 1);
  std::uint8_t* const slots = slots_.data();
  // Four from one load; the last of them reads no further than the text.
  for (; end - at > 4; at += 4) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    slots[HashOf(static_cast<std::uint32_t>(bytes))] = 1;
    slots[HashOf(static_cast<std::uint32_t>(bytes >> 8U))] = 1;
    slots[HashOf(static_cast<std::uint32_t>(bytes >> 16U))] = 1;
    slots[HashOf(static_cast<std::uint32_t>(bytes >> 24U))] = 1;
  }
  for (; at < end; ++at) slots[HashOf(PieceAt(at))] = 1;
}

void TextGatherer::Add(std::string_view text, const std::vector<Cut>& cuts) {
  std::size_t from = 0;
  for (const Cut& cut : cuts) {
    // With the pieces that reach into the id, but not those within it.
    const std::size_t end = std::clamp(cut.at + kPiece - 1, from, text.size());
    Add(text.substr(from, end - from));
    from = std::min(text.size(), cut.at + cut.size - (kPiece - 1));
    has_cuts_ = true;
  }
  Add(text.substr(from));
}

std::string TextGatherer::TakeFilter() {
  if (!has_bodies_) return {};
  std::vector<std::uint64_t> bits(kMostBits / 64);
  for (std::size_t i = 0; i < kMostBits; i += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, &slots_[i], sizeof eight);
    // The lowest bit of byte k becomes bit k.
    const std::uint64_t byte = (eight * 0x0102040810204080ULL) >> 56U;
    bits[i / 64] |= byte << (i % 64);
  }
  // Half of a filter over the other is the filter of half the size.
  for (std::size_t half = bits.size() / 2; half * 64 >= kLeastBits; half /= 2) {
    std::size_t set = 0;
    for (std::size_t i = 0; i < half; ++i) {
      set += static_cast<std::size_t>(std::popcount(bits[i] | bits[i + half]));
    }
    if (static_cast<double>(set) > kFill * static_cast<double>(half) * 64) break;
    for (std::size_t i = 0; i < half; ++i) bits[i] |= bits[i + half];
    bits.resize(half);
  }
  std::string filter(1 + 8 * bits.size(), '\0');
  filter[0] = static_cast<char>(has_cuts_ ? kHasCuts : 0);
  std::memcpy(filter.data() + 1, bits.data(), 8 * bits.size());
  std::fill(slots_.begin(), slots_.end(), std::uint8_t{0});
  has_bodies_ = false;
  has_cuts_ = false;
  return filter;
}

TextNeedle::TextNeedle(std::string_view text) {
  for (std::size_t i = 0; i + kPiece <= text.size(); ++i) {
    pieces_.push_back({.hash = HashOf(PieceAt(&text[i])), .may_be_of_an_id = MayBeOfAnId(text, i)});
  }
}

bool TextNeedle::MayBeIn(std::string_view filter) const {
  if (filter.empty()) return false;
  const std::size_t bits = 8 * (filter.size() - 1);
  if (bits < kLeastBits || bits > kMostBits || !std::has_single_bit(bits)) return true;  // Damaged.
  const bool has_cuts = (static_cast<unsigned char>(filter[0]) & kHasCuts) != 0;
  return std::all_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
    if (piece.may_be_of_an_id && has_cuts) return true;
    const std::size_t slot = piece.hash & (bits - 1);
    const unsigned bits_of_eight = static_cast<unsigned char>(filter[1 + slot / 8]);
    return (bits_of_eight >> (slot % 8) & 1U) != 0;
  });
}

}  // namespace throughline::store::segment
