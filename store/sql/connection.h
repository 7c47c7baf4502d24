// SQL over a store, to be read: a connection to no file, in which the tables are, and statements.
//
//   TL_TRY_ASSIGN(const auto sql, Connection::Open(store, {}));
//   std::size_t used = 0;
//   TL_TRY_ASSIGN(auto statement, sql->Prepare("SELECT count(*) FROM span", &used));
//   TL_TRY_ASSIGN(const bool has_row, statement.Step());
//
// Errors are kInvalidArgument with SQLite's message, where not said otherwise. A connection and its
// statements belong to one thread; only `cancel` is for others too. sqlite3.h stays in the .cc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"
#include "store/sql/functions.h"
#include "store/sql/table.h"

struct sqlite3;
struct sqlite3_stmt;

namespace throughline::store::sql {

enum class CellType : std::uint8_t { kNull, kInteger, kReal, kText, kBlob };

class Statement {
 public:
  // Nothing but spaces and comments: there is nothing to step.
  bool is_empty() const { return statement_ == nullptr; }
  int column_count() const;
  std::string ColumnName(int column) const;

  // True: there is a row, whose cells are valid until the next step. kUnavailable: it was stopped.
  Result<bool> Step();
  CellType TypeOf(int column) const;
  std::int64_t IntegerAt(int column) const;
  double RealAt(int column) const;
  std::string_view BytesAt(int column) const;  // Of a text or a blob.

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Connection {
 public:
  struct Options {
    std::string tenant = {};                               // Empty: all of them.
    std::shared_ptr<const std::atomic<bool>> cancel = {};  // Null: nobody stops anything.
    ReadTime read_time = [](std::string_view) -> Result<std::uint64_t> {
      return InvalidArgument("no clock");
    };
  };
  static Result<std::unique_ptr<Connection>> Open(std::shared_ptr<const SqliteStore> store,
                                                  Options options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // The first statement of `sql`; `*used` is where the next one begins.
  Result<Statement> Prepare(std::string_view sql, std::size_t* used);
  // Where in its text the statement is wrong that Prepare refused last; -1: not known.
  int error_offset() const { return error_offset_; }
  // True: `sql` ends with a whole statement, not in the middle of one.
  static bool IsComplete(const std::string& sql);

  // Steps end then. Both of these only while no statement is there.
  void SetDeadline(std::chrono::steady_clock::time_point deadline) { source_.deadline = deadline; }
  void SetStore(std::shared_ptr<const SqliteStore> store) { source_.store = std::move(store); }

  // What must be known of the answers since the last call.
  std::set<std::string> TakeNotes();
  // "CREATE TABLE ..." of each table.
  std::vector<std::string> Schema() const;
  std::vector<std::string> TableNames() const;

 private:
  explicit Connection(Options options) : options_(std::move(options)) {}
  Result<void> Begin(std::shared_ptr<const SqliteStore> store);
  bool IsStopped() const;

  struct Close {
    void operator()(sqlite3* db) const;
  };
  const Options options_;
  Source source_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::string refused_;  // What the guard refused last.
  int error_offset_ = -1;
  std::unique_ptr<sqlite3, Close> db_;  // Last: closed first.
};

}  // namespace throughline::store::sql
