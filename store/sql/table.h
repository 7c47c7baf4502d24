// A table of the SQL over a store: what it has for columns, what it can be looked up by, and its
// cursors. module.h makes a virtual table of it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"
#include "correlate/scope.h"
#include "store/sql/value_out.h"
#include "store/sql/wanted.h"
#include "store/sqlite/sqlite_store.h"

namespace throughline::store::sql {

// What all tables of a connection look at. Changed only while no statement runs.
struct Source {
  std::shared_ptr<const SqliteStore> store;
  std::string tenant;  // Empty: all of them.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::shared_ptr<const std::atomic<bool>> cancel;
  std::set<std::string> notes;  // What the one who asked must know of the answer.

  // The tenants that a query may see.
  std::vector<std::string> Tenants(const Wanted& wanted) const;
  Scope ScopeOf(const std::string& name) const;
  void NoteDamage();
};

// Rows from Begin on: at the first one, or at the end. One thread, and one query at a time.
class TableCursor {
 public:
  virtual ~TableCursor() = default;

  virtual Result<void> Begin(const Wanted& wanted) = 0;
  virtual Result<void> Next() = 0;
  virtual bool AtEnd() const = 0;
  // Of the row at hand. Values are made when they are asked for: what a query does not name costs
  // nothing.
  virtual void Put(int column, ValueOut out) const = 0;
  // The same for the same record, however it was found; of another, another.
  virtual std::int64_t RowId() const = 0;
};

struct KeyColumn {
  Key key = Key::kTraceId;
  int column = 0;
};

class Table {
 public:
  virtual ~Table() = default;

  virtual std::string_view name() const = 0;
  // As in CREATE TABLE, in order: "trace_id TEXT NOT NULL".
  virtual std::vector<std::string_view> columns() const = 0;
  virtual std::vector<KeyColumn> keys() const = 0;
  // About; for the planner.
  virtual std::uint64_t row_count() const = 0;
  // True: cursors can give rows by falling time, which pays for some of them only.
  virtual bool has_newest_first() const { return false; }
  virtual std::unique_ptr<TableCursor> Open() const = 0;

  // "CREATE TABLE span(...)".
  std::string Declaration() const;
};

// The keys whose columns are of these names.
std::vector<KeyColumn> KeysOf(const std::vector<std::string_view>& columns,
                              const std::vector<std::pair<Key, std::string_view>>& names);

// All of them; `source` outlives them.
std::vector<std::unique_ptr<Table>> AllTables(Source& source);

}  // namespace throughline::store::sql
