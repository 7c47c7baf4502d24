#include "store/sql/connection.h"

#include <sqlite3.h>

#include <utility>

#include "store/sql/guard.h"
#include "store/sql/module.h"

namespace throughline::store::sql {
namespace {

Error ErrorOf(sqlite3* db, int code) {
  const std::string message = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_INTERRUPT: return {Errc::kUnavailable, message};
    case SQLITE_NOMEM:
      return {Errc::kTooLarge,
              message + ": the query wants more than " + std::to_string(kHeapBytes >> 20) + " MiB"};
    case SQLITE_TOOBIG: return {Errc::kTooLarge, message};
    case SQLITE_CORRUPT: return {Errc::kDataLoss, message};
    default: return {Errc::kInvalidArgument, message};
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

int Statement::column_count() const { return sqlite3_column_count(statement_.get()); }

std::string Statement::ColumnName(int column) const {
  const char* const name = sqlite3_column_name(statement_.get(), column);
  return name == nullptr ? "" : name;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ErrorOf(sqlite3_db_handle(statement_.get()), code);
}

CellType Statement::TypeOf(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER: return CellType::kInteger;
    case SQLITE_FLOAT: return CellType::kReal;
    case SQLITE_TEXT: return CellType::kText;
    case SQLITE_BLOB: return CellType::kBlob;
    default: return CellType::kNull;
  }
}

std::int64_t Statement::IntegerAt(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::RealAt(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string_view Statement::BytesAt(int column) const {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Connection::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Connection::~Connection() = default;

bool Connection::IsStopped() const { return source_.ScopeOf({}).Expired(); }

Result<std::unique_ptr<Connection>> Connection::Open(std::shared_ptr<const SqliteStore> store,
                                                     Options options) {
  std::unique_ptr<Connection> connection(new Connection(std::move(options)));
  TL_TRY(connection->Begin(std::move(store)));
  return connection;
}

Result<void> Connection::Begin(std::shared_ptr<const SqliteStore> store) {
  source_.store = std::move(store);
  source_.tenant = options_.tenant;
  source_.cancel = options_.cancel;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(
      ":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, nullptr);
  db_.reset(raw);
  if (code != SQLITE_OK) return ErrorOf(raw, code);
  tables_ = AllTables(source_);
  for (const auto& table : tables_) TL_TRY(AddTable(raw, *table));
  TL_TRY(AddFunctions(raw, options_.read_time));
  sqlite3_progress_handler(
      raw, kStepsPerLook,
      [](void* self) { return static_cast<Connection*>(self)->IsStopped() ? 1 : 0; }, this);
  return Guard(raw, refused_);
}

Result<Statement> Connection::Prepare(std::string_view sql, std::size_t* used) {
  refused_.clear();
  error_offset_ = -1;
  *used = sql.size();
  if (sql.size() > static_cast<std::size_t>(kStatementBytes)) {
    return Error{Errc::kTooLarge, "a statement of " + std::to_string(sql.size()) +
                                      " bytes, want at most " + std::to_string(kStatementBytes)};
  }
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code =
      sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), 0, &raw, &tail);
  Statement statement(raw);
  if (code != SQLITE_OK) {
    Error error = ErrorOf(db_.get(), code);
    error_offset_ = sqlite3_error_offset(db_.get());
    if (!refused_.empty()) error.message += ": " + refused_;
    return error;
  }
  *used = static_cast<std::size_t>(tail - sql.data());
  // The guard lets nothing else through.
  if (raw != nullptr && sqlite3_stmt_readonly(raw) == 0) {
    return InvalidArgument("not authorized: the statement would write");
  }
  return statement;
}

bool Connection::IsComplete(const std::string& sql) { return sqlite3_complete(sql.c_str()) != 0; }

std::set<std::string> Connection::TakeNotes() { return std::exchange(source_.notes, {}); }

std::vector<std::string> Connection::Schema() const {
  std::vector<std::string> texts;
  for (const auto& table : tables_) texts.push_back(table->Declaration());
  return texts;
}

std::vector<std::string> Connection::TableNames() const {
  std::vector<std::string> names;
  for (const auto& table : tables_) names.emplace_back(table->name());
  return names;
}

}  // namespace throughline::store::sql
