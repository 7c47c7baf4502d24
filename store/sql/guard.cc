#include "store/sql/guard.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace throughline::store::sql {
namespace {

// Pragmas that only tell something.
constexpr std::array<std::string_view, 8> kPragmas = {
    "table_info",  "table_xinfo",    "table_list",      "function_list",
    "module_list", "collation_list", "compile_options", "pragma_list"};

constexpr std::array<std::string_view, 1> kSchema = {"sqlite_master"};
constexpr const char* kReadOnly = "the data can be read only: want SELECT, VALUES or EXPLAIN";
constexpr std::array<std::string_view, 2> kFunctions = {"load_extension", "fts3_tokenizer"};

template <std::size_t kSize>
bool IsIn(const std::array<std::string_view, kSize>& names, const char* name) {
  return name != nullptr && std::find(names.begin(), names.end(), name) != names.end();
}

int Refuse(void* refused, const char* what) {
  *static_cast<std::string*>(refused) = what;
  return SQLITE_DENY;
}

int Authorize(void* refused, int action, const char* first, const char* second, const char*,
              const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION:
      return IsIn(kFunctions, second) ? Refuse(refused, "this function is closed") : SQLITE_OK;
    case SQLITE_UPDATE:
      // So SQLite declares the columns of a virtual table; it lets no statement do that
      // (DEFENSIVE).
      if (IsIn(kSchema, first)) return SQLITE_OK;
      return Refuse(refused, kReadOnly);
    case SQLITE_PRAGMA:
      if (IsIn(kPragmas, first)) return SQLITE_OK;
      return Refuse(refused, "of pragmas only those that tell of tables and functions are open");
    case SQLITE_ATTACH:
    case SQLITE_DETACH: return Refuse(refused, "no other files can be opened");
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT: return Refuse(refused, "nothing changes, so there are no transactions");
    default: return Refuse(refused, kReadOnly);
  }
}

}  // namespace

Result<void> Guard(sqlite3* db, std::string& refused) {
  struct Setting {
    int name;
    int value;
  };
  constexpr Setting kConfig[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      // A name in double quotes that is none is a mistake, not a text.
      {SQLITE_DBCONFIG_DQS_DML, 0},
      {SQLITE_DBCONFIG_DQS_DDL, 0},
  };
  for (const Setting& setting : kConfig) {
    if (sqlite3_db_config(db, setting.name, setting.value, nullptr) != SQLITE_OK) {
      return Error{Errc::kUnavailable,
                   "sqlite: setting " + std::to_string(setting.name) + " is not there"};
    }
  }
  constexpr Setting kLimits[] = {
      {SQLITE_LIMIT_LENGTH, kValueBytes},
      {SQLITE_LIMIT_SQL_LENGTH, kStatementBytes},
      {SQLITE_LIMIT_EXPR_DEPTH, kExpressionDepth},
      {SQLITE_LIMIT_COMPOUND_SELECT, kCompoundSelects},
      {SQLITE_LIMIT_ATTACHED, 0},
      {SQLITE_LIMIT_TRIGGER_DEPTH, 0},
      {SQLITE_LIMIT_WORKER_THREADS, 0},
  };
  for (const Setting& limit : kLimits) sqlite3_limit(db, limit.name, limit.value);
  sqlite3_hard_heap_limit64(kHeapBytes);
  sqlite3_set_authorizer(db, Authorize, &refused);
  return {};
}

}  // namespace throughline::store::sql
