#include "store/cursor.h"

#include <algorithm>

#include "correlate/record_time.h"

namespace throughline::store {
namespace {

constexpr std::size_t kBytes = 1 + sizeof(SortKey);  // A multiple of 3: base64 without padding.
constexpr std::size_t kCharacters = kBytes / 3 * 4;
static_assert(kBytes % 3 == 0);

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Error NoCursor() { return InvalidArgument("cursor is not one of an earlier answer to this query"); }

// Big-endian, behind the kind.
std::array<std::uint8_t, kBytes> Pack(CursorKind kind, const SortKey& key) {
  std::array<std::uint8_t, kBytes> bytes{};
  bytes[0] = static_cast<std::uint8_t>(kind);
  for (std::size_t i = 0; i < sizeof(SortKey); ++i) {
    bytes[i + 1] = static_cast<std::uint8_t>(key[i / 8] >> (56 - i % 8 * 8));
  }
  return bytes;
}

}  // namespace

SortKey KeyOf(const TraceSummary& summary, CursorKind kind) {
  const std::uint64_t duration = kind == CursorKind::kLongestTraces ? summary.duration_ns : 0;
  return {duration, summary.start_unix_ns, summary.trace_id.high, summary.trace_id.low};
}

SortKey KeyOf(const LogLine& line) { return {TimeOf(line), line.span_id.value, line.identity, 0}; }

SortKey KeyOf(const Exemplar& exemplar) {
  return {TimeOf(exemplar), exemplar.span_id.value, exemplar.identity, 0};
}

SortKey KeyOf(const GaugePoint& point) { return {TimeOf(point), point.identity, 0, 0}; }

bool StandsBefore(CursorKind kind, const SortKey& a, const SortKey& b) {
  return kind == CursorKind::kLines ? a < b : b < a;
}

std::string EncodeCursor(CursorKind kind, const SortKey& key) {
  const auto bytes = Pack(kind, key);
  std::string text;
  text.reserve(kCharacters);
  for (std::size_t i = 0; i < kBytes; i += 3) {
    const std::uint32_t group =
        (std::uint32_t{bytes[i]} << 16U) | (std::uint32_t{bytes[i + 1]} << 8U) | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) text += kDigits[(group >> shift) & 63U];
  }
  return text;
}

Result<std::optional<SortKey>> DecodeCursor(CursorKind kind, std::string_view text) {
  if (text.empty()) return std::optional<SortKey>();
  if (text.size() != kCharacters) return NoCursor();
  std::array<std::uint8_t, kBytes> bytes{};
  for (std::size_t i = 0; i < kCharacters; i += 4) {
    std::uint32_t group = 0;
    for (const char c : text.substr(i, 4)) {
      const std::size_t digit = kDigits.find(c);
      if (digit == std::string_view::npos) return NoCursor();
      group = (group << 6U) | static_cast<std::uint32_t>(digit);
    }
    for (std::size_t j = 0; j < 3; ++j) {
      bytes[i / 4 * 3 + j] = static_cast<std::uint8_t>(group >> (16 - j * 8));
    }
  }
  if (bytes[0] != static_cast<std::uint8_t>(kind)) return NoCursor();
  SortKey key{};
  for (std::size_t i = 0; i < sizeof(SortKey); ++i) key[i / 8] = (key[i / 8] << 8U) | bytes[i + 1];
  return std::optional<SortKey>(key);
}

namespace {

// In order; of equal keys, which are of copies of one record, one stays.
void SortUnique(CursorKind kind, std::vector<Keyed>& items) {
  std::sort(items.begin(), items.end(),
            [kind](const Keyed& a, const Keyed& b) { return StandsBefore(kind, a.key, b.key); });
  const auto same = [](const Keyed& a, const Keyed& b) { return a.key == b.key; };
  items.erase(std::unique(items.begin(), items.end(), same), items.end());
}

}  // namespace

bool PageItems::Settle() {
  if (settled_ == items_.size()) return full_;
  SortUnique(kind_, items_);
  if (items_.size() >= kept_) {
    items_.resize(kept_);
    last_ = items_.back().key;
    full_ = true;
  }
  settled_ = items_.size();
  return full_;
}

std::string CutPage(CursorKind kind, const std::optional<SortKey>& after, std::size_t limit,
                    std::vector<Keyed>& items) {
  if (after) {
    std::erase_if(items, [&](const Keyed& item) { return !StandsBefore(kind, *after, item.key); });
  }
  SortUnique(kind, items);
  const bool more = items.size() > limit;
  if (more) items.resize(limit);
  return more && limit > 0 ? EncodeCursor(kind, items.back().key) : std::string();
}

Result<void> CheckLimit(std::size_t limit) {
  if (limit > 0) return {};
  return InvalidArgument("limit is 0, want at least 1");
}

}  // namespace throughline::store
