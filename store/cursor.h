// Where a page of an answer ended: the sort key of its last item, as opaque text.
//
// A cursor names a place in the order, not a position in a list, so that it stays good while
// records come and go: the next page has what sorts behind that key.
#pragma once

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
};

SortKey KeyOf(const TraceSummary& summary, CursorKind kind);
SortKey KeyOf(const LogLine& line);
SortKey KeyOf(const Exemplar& exemplar);

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

// Leaves in `items` the first `limit` behind `after`, in order. Returns the cursor behind them;
// empty when nothing is left.
std::string CutPage(CursorKind kind, const std::optional<SortKey>& after, std::size_t limit,
                    std::vector<Keyed>& items);

}  // namespace throughline::store
