#include "store/sqlite/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

#include "correlate/check.h"
#include "store/sqlite/page_check.h"

namespace throughline::store::sqlite {
namespace {

// What went wrong, for an extended code of SQLITE_IOERR.
std::string WhileDoing(int code) {
  switch (code) {
    case SQLITE_IOERR_READ:
    case SQLITE_IOERR_SHORT_READ: return " while reading";
    case SQLITE_IOERR_WRITE: return " while writing";
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC: return " while syncing";
    case SQLITE_IOERR_TRUNCATE: return " while truncating";
    case SQLITE_IOERR_FSTAT: return " while reading the size";
    case SQLITE_IOERR_DELETE: return " while removing its journal";
    case SQLITE_IOERR_ACCESS: return " while looking for its journal";
    case SQLITE_IOERR_LOCK:
    case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_RDLOCK: return " while locking";
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMLOCK:
    case SQLITE_IOERR_SHMMAP: return " while sharing memory";
    default: return " " + std::to_string(code);
  }
}

// The one place where SQLite's codes become ours.
Error ErrorOf(sqlite3* db, int code, const std::string& path) {
  const bool is_system = db != nullptr && code != SQLITE_IOERR_SHORT_READ;
  const int system = is_system ? sqlite3_system_errno(db) : 0;
  const std::string reason = system != 0 ? std::string(": ") + std::strerror(system) : "";
  if (code == SQLITE_IOERR_DATA) {
    return {Errc::kDataLoss, "damaged: " + path + ": a page is not what was written"};
  }
  switch (code & 0xff) {
    case SQLITE_FULL: return {Errc::kUnavailable, "disk full: " + path};
    case SQLITE_READONLY: return {Errc::kUnavailable, "read-only: " + path};
    case SQLITE_IOERR:
      // A file system may find out only when it syncs.
      if (system == ENOSPC || system == EDQUOT) return {Errc::kUnavailable, "disk full: " + path};
      return {Errc::kUnavailable, "I/O error" + WhileDoing(code) + ": " + path + reason};
    case SQLITE_CANTOPEN: return {Errc::kUnavailable, "cannot open: " + path + reason};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {Errc::kUnavailable, "in use by another program: " + path};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::kDataLoss, "damaged: " + path + ": " + sqlite3_errstr(code & 0xff)};
    default:
      return {Errc::kUnavailable,
              "sqlite: " + path + ": " +
                  std::string(db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code))};
  }
}

Error ErrorOf(sqlite3* db, int code) {
  const char* path = sqlite3_db_filename(db, "main");
  return ErrorOf(db, code, path != nullptr ? path : "");
}

// What the URI of a file needs escaped.
std::string ImmutableUri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

std::string Setup(const OpenOptions& options) {
  const std::string cache = "PRAGMA cache_size = -" + std::to_string(options.cache_kib);
  // The version of the schema stands on the first page: reading it tells at once whether this is
  // a database.
  if (options.read_only || options.immutable) return cache + "; PRAGMA schema_version";
  if (options.as_found)
    return "PRAGMA locking_mode = EXCLUSIVE; " + cache + "; PRAGMA schema_version";
  if (options.written_once) {
    return cache + "; PRAGMA page_size = " + std::to_string(options.page_bytes) +
           "; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";
  }
  return "PRAGMA page_size = " + std::to_string(options.page_bytes) +
         "; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = " +
         (options.full_durability ? "FULL; " : "NORMAL; ") + cache +
         (options.checkpoint ? "" : "; PRAGMA wal_autocheckpoint = 0");
}

}  // namespace

Rows::~Rows() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Rows::Next() {
  if (code_ != SQLITE_OK && code_ != SQLITE_ROW) return false;
  code_ = sqlite3_step(statement_);
  return code_ == SQLITE_ROW;
}

Result<void> Rows::Finish() {
  if (code_ == SQLITE_DONE || code_ == SQLITE_ROW || code_ == SQLITE_OK) return {};
  return ErrorOf(sqlite3_db_handle(statement_), code_);
}

std::int64_t Rows::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Rows::Number(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Rows::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Rows::Bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

// Binding fails only for an index that the SQL does not have, or a size that SQLite never takes
// (SQLITE_TOOBIG, which belongs to the caller's data and shows up when stepping).
void Rows::Bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_, index, value);
  TL_CHECK(code == SQLITE_OK);
}

void Rows::Bind(int index, double value) {
  TL_CHECK(sqlite3_bind_double(statement_, index, value) == SQLITE_OK);
}

void Rows::Bind(int index, std::string_view text) {
  const int code = sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(),
                                       text.size(), SQLITE_STATIC, SQLITE_UTF8);
  TL_CHECK(code == SQLITE_OK || code == SQLITE_TOOBIG);
  if (code != SQLITE_OK) code_ = code;
}

void Rows::Bind(int index, Blob blob) {
  const int code =
      sqlite3_bind_blob64(statement_, index, blob.bytes.data() == nullptr ? "" : blob.bytes.data(),
                          blob.bytes.size(), SQLITE_STATIC);
  TL_CHECK(code == SQLITE_OK || code == SQLITE_TOOBIG);
  if (code != SQLITE_OK) code_ = code;
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Database::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Result<Database> Database::Open(const std::string& path, const OpenOptions& options) {
  const bool reads = options.read_only || options.immutable;
  const int flags = reads ? SQLITE_OPEN_READONLY
                          : SQLITE_OPEN_READWRITE | (options.as_found ? 0 : SQLITE_OPEN_CREATE);
  const std::string name = options.immutable ? ImmutableUri(path) : path;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(
      name.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | (options.immutable ? SQLITE_OPEN_URI : 0),
      options.checked_pages ? CheckingVfs(options.vfs) : options.vfs);
  Database db(raw);
  if (code != SQLITE_OK) {
    return ErrorOf(raw, raw != nullptr ? sqlite3_extended_errcode(raw) : code, path);
  }
  sqlite3_extended_result_codes(raw, 1);
  if (!reads && (options.as_found || !options.checkpoint)) {
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  if (options.checked_pages && !reads) {
    int free_bytes = kPageCheckBytes;
    sqlite3_file_control(raw, "main", SQLITE_FCNTL_RESERVE_BYTES, &free_bytes);
  }
  TL_TRY(db.Run(Setup(options).c_str()));
  return db;
}

Result<void> Database::SetFullDurability(bool full) {
  return Run(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

Result<void> Database::Run(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return ErrorOf(db_.get(), code);
  return {};
}

Result<Statement> Database::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(db_.get(), code);
  return Statement(statement);
}

Result<std::int64_t> Database::Pragma(const char* name) {
  const std::string sql = std::string("PRAGMA ") + name;
  TL_TRY_ASSIGN(auto statement, Prepare(sql.c_str()));
  auto row = statement.Use();
  const std::int64_t value = row.Next() ? row.Integer(0) : 0;
  TL_TRY(row.Finish());
  return value;
}

Result<Transaction> Transaction::Begin(Database& db) {
  TL_TRY(db.Run("BEGIN IMMEDIATE"));
  return Transaction(&db);
}

Transaction::~Transaction() {
  // Nothing to do about a rollback that fails: SQLite has rolled back by itself then.
  if (db_ != nullptr) (void)db_->Run("ROLLBACK");
}

Result<void> Transaction::Commit() {
  TL_TRY(db_->Run("COMMIT"));
  db_ = nullptr;
  return {};
}

Result<void> Migrate(Database& db, std::int64_t application_id, std::span<const char* const> steps,
                     const std::string& path) {
  TL_TRY_ASSIGN(const std::int64_t found_id, db.Pragma("application_id"));
  TL_TRY_ASSIGN(const std::int64_t found_version, db.Pragma("user_version"));
  const auto newest = static_cast<std::int64_t>(steps.size());
  if (found_version > 0 && found_id != application_id) {
    return Error{Errc::kDataLoss, path + ": not a file of this kind (application_id " +
                                      std::to_string(found_id) + ", want " +
                                      std::to_string(application_id) + ")"};
  }
  if (found_version > newest) {
    return Error{Errc::kDataLoss, path + ": written by a newer version (schema " +
                                      std::to_string(found_version) + ", this one reads up to " +
                                      std::to_string(newest) + ")"};
  }
  for (std::int64_t version = found_version; version < newest; ++version) {
    TL_TRY_ASSIGN(auto transaction, Transaction::Begin(db));
    TL_TRY(db.Run(steps[static_cast<std::size_t>(version)]));
    const std::string stamp = "PRAGMA application_id = " + std::to_string(application_id) +
                              "; PRAGMA user_version = " + std::to_string(version + 1);
    TL_TRY(db.Run(stamp.c_str()));
    TL_TRY(transaction.Commit());
  }
  return {};
}

}  // namespace throughline::store::sqlite
