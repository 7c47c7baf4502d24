#include "store/sql/module.h"

#include <sqlite3.h>

#include <string>

#include "store/sql/plan.h"

namespace throughline::store::sql {
namespace {

// SQLite's structure comes first in both.
struct Virtual : sqlite3_vtab {
  const Table* table = nullptr;
};
struct Cursor : sqlite3_vtab_cursor {
  std::unique_ptr<TableCursor> rows;
};

Cursor& Of(sqlite3_vtab_cursor* cursor) { return *static_cast<Cursor*>(cursor); }

int Answer(const Result<void>& result, Cursor& cursor) {
  if (result) return SQLITE_OK;
  if (result.error().code == Errc::kUnavailable && result.error().message == sqlite::kStopped) {
    return SQLITE_INTERRUPT;
  }
  sqlite3_free(cursor.pVtab->zErrMsg);
  cursor.pVtab->zErrMsg = sqlite3_mprintf("%s", result.error().message.c_str());
  return result.error().code == Errc::kDataLoss ? SQLITE_CORRUPT_VTAB : SQLITE_ERROR;
}

int Connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** to, char**) {
  const auto* const table = static_cast<const Table*>(aux);
  const int code = sqlite3_declare_vtab(db, table->Declaration().c_str());
  if (code != SQLITE_OK) return code;
  auto* const made = new Virtual();
  made->table = table;
  *to = made;
  return SQLITE_OK;
}

int Disconnect(sqlite3_vtab* table) {
  delete static_cast<Virtual*>(table);
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab* table, sqlite3_index_info* info) {
  const std::string plan = PlanFor(*static_cast<Virtual*>(table)->table, *info);
  info->idxStr = sqlite3_mprintf("%s", plan.c_str());
  if (info->idxStr == nullptr) return SQLITE_NOMEM;
  info->needToFreeIdxStr = 1;
  return SQLITE_OK;
}

int OpenCursor(sqlite3_vtab* table, sqlite3_vtab_cursor** to) {
  auto* const made = new Cursor();
  made->rows = static_cast<Virtual*>(table)->table->Open();
  *to = made;
  return SQLITE_OK;
}

int CloseCursor(sqlite3_vtab_cursor* cursor) {
  delete &Of(cursor);
  return SQLITE_OK;
}

int Filter(sqlite3_vtab_cursor* raw, int, const char* plan, int, sqlite3_value** values) {
  Cursor& cursor = Of(raw);
  const Table& table = *static_cast<Virtual*>(cursor.pVtab)->table;
  return Answer(cursor.rows->Begin(WantedBy(table, plan == nullptr ? "" : plan, values)), cursor);
}

int Next(sqlite3_vtab_cursor* cursor) { return Answer(Of(cursor).rows->Next(), Of(cursor)); }

int Eof(sqlite3_vtab_cursor* cursor) { return Of(cursor).rows->AtEnd() ? 1 : 0; }

int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  Of(cursor).rows->Put(column, ValueOut(context));
  return SQLITE_OK;
}

int RowId(sqlite3_vtab_cursor* cursor, sqlite3_int64* to) {
  *to = Of(cursor).rows->RowId();
  return SQLITE_OK;
}

sqlite3_module ReadOnlyModule() {
  sqlite3_module module{};  // Without xCreate: eponymous only.
  module.xConnect = Connect;
  module.xBestIndex = BestIndex;
  module.xDisconnect = Disconnect;
  module.xOpen = OpenCursor;
  module.xClose = CloseCursor;
  module.xFilter = Filter;
  module.xNext = Next;
  module.xEof = Eof;
  module.xColumn = Column;
  module.xRowid = RowId;
  return module;
}

}  // namespace

Result<void> AddTable(sqlite3* db, const Table& table) {
  static const sqlite3_module module = ReadOnlyModule();
  const std::string name(table.name());
  // SQLite hands it back as it is; nothing changes it.
  auto* const aux = const_cast<Table*>(&table);
  if (sqlite3_create_module_v2(db, name.c_str(), &module, aux, nullptr) != SQLITE_OK) {
    return Error{Errc::kUnavailable, "sqlite: " + std::string(sqlite3_errmsg(db))};
  }
  return {};
}

}  // namespace throughline::store::sql
