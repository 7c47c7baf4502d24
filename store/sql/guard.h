// What a statement of a person may do: ask. And how much of the machine it may take.
#pragma once

#include <cstdint>
#include <string>

#include "correlate/result.h"

struct sqlite3;

namespace throughline::store::sql {

// Bytes of one value, or of one row.
inline constexpr int kValueBytes = 64 << 20;
inline constexpr int kStatementBytes = 1 << 20;
inline constexpr int kExpressionDepth = 200;
inline constexpr int kCompoundSelects = 100;
// Of SQLite's memory in the process, that of the store included; what sorts more uses files.
inline constexpr std::int64_t kHeapBytes = std::int64_t{1} << 30;
// Steps of SQLite's machine between two looks at the clock.
inline constexpr int kStepsPerLook = 1000;

// Closes what a query does not need: writing, other files, pragmas that set something, extensions.
// `refused` outlives the connection, and says what was refused last.
Result<void> Guard(sqlite3* db, std::string& refused);

}  // namespace throughline::store::sql
