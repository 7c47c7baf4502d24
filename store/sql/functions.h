// The functions that queries have beside SQLite's own:
//
//   trace_id(text)  the id as the tables have it, of any spelling that a lookup takes; else NULL
//   unix_ns(text)   a time in nanoseconds, of what a person writes: '2h' (ago), RFC 3339, ...
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "correlate/result.h"

struct sqlite3;

namespace throughline::store::sql {

// Clocks and the words for times are the caller's. The same answer as long as a statement runs.
using ReadTime = std::function<Result<std::uint64_t>(std::string_view text)>;

// `read_time` outlives the connection.
Result<void> AddFunctions(sqlite3* db, const ReadTime& read_time);

}  // namespace throughline::store::sql
