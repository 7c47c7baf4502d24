// Where a page of an answer ended: the sort key of its last item, as opaque text.
//
// A cursor names a place in the order, not a position in a list, so that it stays good while
// records come and go: the next page has what sorts behind that key.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline::store {

// Compared word by word; no two items of an answer have the same.
using SortKey = std::array<std::uint64_t, 4>;

// Which list a cursor belongs to, and so its order. Numbers are part of the text: never reused.
enum class CursorKind : std::uint8_t {
  kNewestTraces = 1,     // (start, id), descending.
  kLongestTraces = 2,    // (duration, start, id), descending.
  kLines = 3,            // (effective time, span id, identity), ascending.
  kNewestLines = 4,      // The same, descending.
  kNewestExemplars = 5,  // As lines, descending.
  kNewestGauges = 6,     // (effective time, identity), descending.
};

SortKey KeyOf(const TraceSummary& summary, CursorKind kind);
SortKey KeyOf(const LogLine& line);
SortKey KeyOf(const Exemplar& exemplar);
SortKey KeyOf(const GaugePoint& point);

// True when `a` stands before `b` in the list.
bool StandsBefore(CursorKind kind, const SortKey& a, const SortKey& b);

// 44 characters of base64url.
std::string EncodeCursor(CursorKind kind, const SortKey& key);
// Nothing for empty text, which is the start of the list. kInvalidArgument: it is no cursor, or
// one of another list.
Result<std::optional<SortKey>> DecodeCursor(CursorKind kind, std::string_view text);

// An item of a list by its key; `index` is the caller's.
struct Keyed {
  SortKey key;
  std::uint32_t index = 0;
};

// Collects the items of a page where there may be very many: holds a few times `limit` at most.
// Items with equal keys are copies of one record; one of them stays.
class PageItems {
 public:
  // `after` as for CutPage.
  PageItems(CursorKind kind, const std::optional<SortKey>& after, std::size_t limit)
      : kind_(kind), after_(after), kept_(std::min(limit, std::size_t{1} << 40U) + 1) {}

  // Whether an item with this key may be on the page.
  bool Wants(const SortKey& key) const {
    if (after_ && !StandsBefore(kind_, *after_, key)) return false;
    return !full_ || StandsBefore(kind_, key, last_);
  }
  void Add(const Keyed& item) {
    if (!Wants(item.key)) return;
    items_.push_back(item);
    if (items_.size() >= 2 * kept_ + kLeast) Settle();
  }
  // Leaves what can be on the page, and one more where there is one. True: the page is full, and
  // only what stands before its last item can still come onto it.
  bool Settle();
  // The time of the last item, once the page is full.
  std::uint64_t last_unix_ns() const { return last_[0]; }
  // All that can be on the page, and one more where there is one; for CutPage.
  std::vector<Keyed>& items() { return items_; }

 private:
  static constexpr std::size_t kLeast = 1024;

  const CursorKind kind_;
  const std::optional<SortKey>& after_;
  const std::size_t kept_;
  std::vector<Keyed> items_;
  std::size_t settled_ = 0;
  bool full_ = false;
  SortKey last_{};
};

// Leaves in `items` the first `limit` behind `after`, in order, each key once. Returns the cursor
// behind them; empty when nothing is left.
std::string CutPage(CursorKind kind, const std::optional<SortKey>& after, std::size_t limit,
                    std::vector<Keyed>& items);

// kInvalidArgument: a page has at least one item.
Result<void> CheckLimit(std::size_t limit);

// CutPage, and says in an answer where its page ended, or that the deadline cut the search.
template <typename Answer>
void EndPage(CursorKind kind, const std::optional<SortKey>& after, std::size_t limit, bool was_cut,
             std::vector<Keyed>& items, Answer& answer) {
  answer.cursor = CutPage(kind, after, limit, items);
  if (!was_cut) return;
  answer.cursor.clear();
  answer.complete = false;
  answer.incomplete_reason = "deadline";
}

}  // namespace throughline::store
