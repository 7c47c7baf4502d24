// SQLite as an output: rows in one open transaction, which a Save commits with the state. What was
// written behind it is never in the file, so there is nothing to take away.
#include <utility>

#include "store/file.h"
#include "store/transfer/output.h"
#include "store/transfer/sqlite_file.h"
#include "store/transfer/sqlite_rows.h"
#include "store/transfer/sqlite_tables.h"

namespace throughline::store::transfer {
namespace {

class SqliteOutput final : public Output {
 public:
  SqliteOutput(SqliteFile file, SqliteRows rows, SqliteStatement save,
               std::optional<ExportState> resumed)
      : file_(std::move(file)),
        rows_(std::move(rows)),
        save_(std::move(save)),
        resumed_(std::move(resumed)) {}

  const std::optional<ExportState>& resumed() const override { return resumed_; }

  Result<void> Write(std::string_view tenant, const Batch& batch) override {
    return rows_.Write(tenant, batch);
  }

  Result<void> Save(ExportState state) override {
    state.output.clear();
    const std::string text = ExportStateText(state);
    save_.Text(text);
    TL_TRY(save_.Run());
    return file_.Run("COMMIT; BEGIN IMMEDIATE");
  }

  Result<void> Finish() override {
    TL_TRY(file_.Run(kFinishTables));
    return file_.Run("COMMIT");
  }

 private:
  SqliteFile file_;  // First: closed after its statements.
  SqliteRows rows_;
  SqliteStatement save_;
  const std::optional<ExportState> resumed_;
};

Result<std::optional<ExportState>> StateIn(SqliteFile& file, const std::string& path) {
  TL_TRY_ASSIGN(SqliteStatement read, file.Prepare("SELECT state FROM export_state"));
  TL_TRY_ASSIGN(const bool found, read.Step());
  if (!found) return std::optional<ExportState>();
  auto state = ParseExportState(read.TextAt(0));
  if (!state) return Error{state.error().code, path + ": " + state.error().message};
  return std::optional<ExportState>(std::move(*state));
}

}  // namespace

Result<std::unique_ptr<Output>> OpenSqliteOutput(const std::string& path) {
  const Error conflict{Errc::kConflict,
                       path + " is there already: remove it, or name another file"};
  if (!FileExists(path)) {
    // SQLite would make it for all to read.
    TL_TRY(AppendFile::Open(path, 0));
  }
  TL_TRY_ASSIGN(SqliteFile file, SqliteFile::OpenToWrite(path));
  const auto tables = file.Number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error().code == Errc::kDataLoss ? conflict : tables.error();
  TL_TRY_ASSIGN(const std::int64_t states,
                file.Number("SELECT count(*) FROM sqlite_schema WHERE name = 'export_state'"));
  if (*tables > 0 && states == 0) return conflict;
  TL_TRY(file.Run("BEGIN IMMEDIATE"));
  std::optional<ExportState> resumed;
  if (*tables == 0) {
    TL_TRY(file.Run(kCreateTables));
    TL_TRY(file.Run("COMMIT; BEGIN IMMEDIATE"));
  } else {
    TL_TRY_ASSIGN(resumed, StateIn(file, path));
  }
  TL_TRY_ASSIGN(SqliteRows rows, SqliteRows::Of(file));
  TL_TRY_ASSIGN(SqliteStatement save,
                file.Prepare("INSERT OR REPLACE INTO export_state(id, state) VALUES(1, ?)"));
  return std::unique_ptr<Output>(std::make_unique<SqliteOutput>(
      std::move(file), std::move(rows), std::move(save), std::move(resumed)));
}

}  // namespace throughline::store::transfer
