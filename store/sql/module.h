// A Table as a virtual table of SQLite: eponymous, so that it is there under its name without
// having been created, and read-only.
#pragma once

#include <memory>

#include "correlate/result.h"
#include "store/sql/table.h"

struct sqlite3;

namespace throughline::store::sql {

// The table must outlive the connection.
Result<void> AddTable(sqlite3* db, const Table& table);

}  // namespace throughline::store::sql
