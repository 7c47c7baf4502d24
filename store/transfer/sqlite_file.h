// The SQLite files that people exchange: not the store's own, which store/sqlite keeps.
//
// A file and its statements belong to one thread. Texts that are bound are not copied: they outlive
// the Step. sqlite3.h stays inside the .cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "correlate/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace throughline::store::transfer {

enum class ColumnType : std::uint8_t { kNull, kInteger, kReal, kText, kBlob };

class SqliteStatement {
 public:
  SqliteStatement() = default;

  // Binds the next parameter, from the first after a Reset on.
  void Integer(std::int64_t value);
  void Real(double value);
  void Text(std::string_view text);
  void Null();

  // True: there is a row, whose columns are valid until the next Step.
  Result<bool> Step();
  // For a statement without rows: steps, and is ready for the next parameters.
  Result<void> Run();
  void Reset();

  ColumnType TypeOf(int column) const;
  std::int64_t IntegerAt(int column) const;
  double RealAt(int column) const;
  std::string_view TextAt(int column) const;  // Empty for NULL.

 private:
  friend class SqliteFile;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
  bool too_large_ = false;  // A text over SQLite's limit was bound.
};

class SqliteFile {
 public:
  // Opens or creates, for one writer.
  static Result<SqliteFile> OpenToWrite(const std::string& path);
  // Opens what somebody else made: nothing in it is run but the statements given here, and no value
  // may be longer than `value_bytes`.
  static Result<SqliteFile> OpenToRead(const std::string& path, std::size_t value_bytes);

  Result<void> Run(const std::string& sql);
  Result<SqliteStatement> Prepare(const std::string& sql);
  // The one number that a query gives; 0 for no row and NULL.
  Result<std::int64_t> Number(const std::string& sql);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  SqliteFile(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  static Result<SqliteFile> Open(const std::string& path, int flags);

  std::unique_ptr<sqlite3, Close> db_;
  std::string path_;
};

}  // namespace throughline::store::transfer
