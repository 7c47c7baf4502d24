// Opens a database of the data directory that commits are acknowledged by: catalog or tail.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "correlate/result.h"
#include "store/sqlite/database.h"
#include "store/sqlite/files.h"

namespace throughline::store::sqlite {

// What a kind of file is.
struct Schema {
  std::int64_t application_id = 0;
  std::span<const char* const> migrations;
  std::int64_t page_bytes = 0;
  std::uint64_t first_pages = 0;  // Of a database after the first migration.
};

// Opens or creates it, and migrates it durably whatever the options say. kDataLoss where SQLite
// would start anew over a WAL that it cannot read.
Result<Database> OpenOwned(const std::string& path, const Schema& schema, OpenOptions options);

// Makes durable what a killed process left of it in the system's cache. What is replayed from it
// has to be as durable as what is appended: a retry of it is acknowledged without a write. Only
// while it is not open.
Result<void> SyncOwned(const std::string& path, Files& files);

}  // namespace throughline::store::sqlite
