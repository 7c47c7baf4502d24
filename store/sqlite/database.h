// SQLite behind three small classes: a connection, a prepared statement, the rows of one use.
//
//   TL_TRY_ASSIGN(auto find, db.Prepare("SELECT name FROM tenant WHERE id = ? ORDER BY name"));
//   auto row = find.Use(id);               // Binds; resets and unbinds when `row` dies.
//   while (row.Next()) names.emplace_back(row.Text(0));
//   TL_TRY(row.Finish());                  // Done, or what went wrong, asked once.
//
// A connection and its statements belong to one thread at a time. Blobs and texts that are bound
// are not copied: they must outlive the use. sqlite3.h stays inside the .cc.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "correlate/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace throughline::store::sqlite {

// Bytes to bind as a BLOB; a string_view binds as TEXT.
struct Blob {
  std::string_view bytes;
};

class Rows {
 public:
  Rows(Rows&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)), code_(other.code_) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  // Steps; true while there is a row, whose columns are valid until the next step.
  bool Next();
  Result<void> Finish();

  std::int64_t Integer(int column) const;
  double Number(int column) const;
  std::string_view Text(int column) const;
  std::string_view Bytes(int column) const;

 private:
  friend class Statement;
  explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}
  void Bind(int index, std::int64_t value);
  void Bind(int index, double value);
  void Bind(int index, std::string_view text);
  void Bind(int index, Blob blob);

  sqlite3_stmt* statement_;
  int code_ = 0;  // SQLITE_OK.
};

class Statement {
 public:
  template <typename... Arguments>
  Rows Use(const Arguments&... arguments) {
    Rows use(statement_.get());
    int index = 0;
    (use.Bind(++index, arguments), ...);
    return use;
  }
  // For statements without rows.
  template <typename... Arguments>
  Result<void> Run(const Arguments&... arguments) {
    auto use = Use(arguments...);
    while (use.Next()) {
    }
    return use.Finish();
  }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

struct OpenOptions {
  const char* vfs = nullptr;  // A registered VFS; null: SQLite's own choice.
  bool read_only = false;     // The file must be there; nothing of what writes below applies.
  // The file never changes again: it is read without locks and without looking for a WAL.
  bool immutable = false;
  // As it stands, with what its WAL has: nothing is created, folded back or changed by opening it.
  bool as_found = false;
  // Without a journal and without syncing: for a file that is written once, then synced as a whole.
  bool written_once = false;
  // Pages carry checksums (page_check.h): written ones get them, those that are read must have
  // them. With `immutable`, or with `written_once` and pages of 4096 bytes.
  bool checked_pages = false;
  std::int64_t page_bytes = 4096;
  bool full_durability = false;  // synchronous = FULL: commits survive power loss.
  bool checkpoint = true;        // False: the WAL is never folded back, not on close either.
  std::int64_t cache_kib = 2048;
};

class Database {
 public:
  // Opens or creates `path` in WAL mode, for this process alone; or, as the options say, reads it.
  // Errors carry the path, here and later: kDataLoss when the file is damaged, else kUnavailable.
  static Result<Database> Open(const std::string& path, const OpenOptions& options);

  // As OpenOptions::full_durability, for the commits from here on.
  Result<void> SetFullDurability(bool full);

  Result<void> Run(const char* sql);
  Result<Statement> Prepare(const char* sql);
  Result<std::int64_t> Pragma(const char* name);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  explicit Database(sqlite3* db) : db_(db) {}

  std::unique_ptr<sqlite3, Close> db_;
};

// Rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> Commit();

 private:
  explicit Transaction(Database* db) : db_(db) {}
  Database* db_;
};

// Brings a database to the newest schema, each step in a transaction of its own, counted in
// user_version. Steps are never edited once released; they are appended. Refuses a database of
// another application, or of a newer schema, by name.
Result<void> Migrate(Database& db, std::int64_t application_id, std::span<const char* const> steps,
                     const std::string& path);

}  // namespace throughline::store::sqlite
