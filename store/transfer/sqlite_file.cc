#include "store/transfer/sqlite_file.h"

#include <sqlite3.h>

#include "correlate/check.h"

namespace throughline::store::transfer {
namespace {

Error ErrorOf(sqlite3* db, int code) {
  const std::string message =
      "sqlite: " + std::string(db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {Errc::kDataLoss, message};
    case SQLITE_TOOBIG: return {Errc::kTooLarge, message};
    default: return {Errc::kUnavailable, message};
  }
}

// So much of a file is held in memory, also while its indexes are made.
constexpr const char* kCacheKiB = "8192";

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::Integer(std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), ++bound_, value);
  TL_CHECK(code == SQLITE_OK);
}

void SqliteStatement::Real(double value) {
  const int code = sqlite3_bind_double(statement_.get(), ++bound_, value);
  TL_CHECK(code == SQLITE_OK);
}

void SqliteStatement::Text(std::string_view text) {
  const int code =
      sqlite3_bind_text64(statement_.get(), ++bound_, text.data() == nullptr ? "" : text.data(),
                          text.size(), SQLITE_STATIC, SQLITE_UTF8);
  TL_CHECK(code == SQLITE_OK || code == SQLITE_TOOBIG);
  too_large_ = too_large_ || code != SQLITE_OK;
}

void SqliteStatement::Null() {
  const int code = sqlite3_bind_null(statement_.get(), ++bound_);
  TL_CHECK(code == SQLITE_OK);
}

Result<bool> SqliteStatement::Step() {
  if (too_large_) return Error{Errc::kTooLarge, "sqlite: a value is too long"};
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ErrorOf(sqlite3_db_handle(statement_.get()), code);
}

Result<void> SqliteStatement::Run() {
  const auto stepped = Step();
  Reset();
  if (!stepped) return stepped.error();
  return {};
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
  too_large_ = false;
}

ColumnType SqliteStatement::TypeOf(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER: return ColumnType::kInteger;
    case SQLITE_FLOAT: return ColumnType::kReal;
    case SQLITE_TEXT: return ColumnType::kText;
    case SQLITE_BLOB: return ColumnType::kBlob;
    default: return ColumnType::kNull;
  }
}

std::int64_t SqliteStatement::IntegerAt(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double SqliteStatement::RealAt(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string_view SqliteStatement::TextAt(int column) const {
  const auto* const text =
      reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void SqliteFile::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Result<SqliteFile> SqliteFile::Open(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteFile file(raw, path);
  if (code != SQLITE_OK) {
    Error error = ErrorOf(raw, code);
    error.message = path + ": " + error.message;
    return error;
  }
  TL_TRY(file.Run(std::string("PRAGMA cache_size = -") + kCacheKiB));
  return file;
}

Result<SqliteFile> SqliteFile::OpenToWrite(const std::string& path) {
  return Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

Result<SqliteFile> SqliteFile::OpenToRead(const std::string& path, std::size_t value_bytes) {
  TL_TRY_ASSIGN(SqliteFile file, Open(path, SQLITE_OPEN_READONLY));
  sqlite3* const db = file.db_.get();
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(value_bytes));
  TL_TRY(file.Run("PRAGMA cell_size_check = ON"));
  return file;
}

Result<void> SqliteFile::Run(const std::string& sql) {
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  Error error = ErrorOf(db_.get(), code);
  error.message = path_ + ": " + error.message;
  return error;
}

Result<SqliteStatement> SqliteFile::Prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code == SQLITE_OK) return SqliteStatement(statement);
  Error error = ErrorOf(db_.get(), code);
  error.message = path_ + ": " + error.message;
  return error;
}

Result<std::int64_t> SqliteFile::Number(const std::string& sql) {
  TL_TRY_ASSIGN(SqliteStatement statement, Prepare(sql));
  TL_TRY_ASSIGN(const bool found, statement.Step());
  return found ? statement.IntegerAt(0) : 0;
}

}  // namespace throughline::store::transfer
