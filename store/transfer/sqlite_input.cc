// SQLite as an input: the tables one after the other, by row id.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "correlate/digits.h"
#include "correlate/scope.h"
#include "store/file.h"
#include "store/transfer/input.h"
#include "store/transfer/sqlite_file.h"
#include "store/transfer/sqlite_row_reader.h"
#include "store/transfer/sqlite_tables.h"

namespace throughline::store::transfer {
namespace {

struct Table {
  std::string_view name;
  std::string_view columns;
  std::string (SqliteRowReader::*read)(const SqliteStatement&);
};
constexpr std::array<Table, 4> kTables = {
    Table{"span", kSpanColumns, &SqliteRowReader::ReadSpan},
    Table{"log", kLogColumns, &SqliteRowReader::ReadLog},
    Table{"exemplar", kExemplarColumns, &SqliteRowReader::ReadExemplar},
    Table{"gauge", kGaugeColumns, &SqliteRowReader::ReadGauge}};

class SqliteInput final : public Input {
 public:
  SqliteInput(SqliteFile file, std::array<std::uint64_t, kTables.size()> sizes, std::string print,
              const InputLimits& limits)
      : file_(std::move(file)), sizes_(sizes), print_(std::move(print)), limits_(limits) {}

  Result<Incoming> Next() override {
    while (true) {
      TL_TRY_ASSIGN(Incoming incoming, Fill());
      // Nothing in it, and not at the end: all of it was rejected.
      if (incoming.batch != nullptr || table_ == kTables.size()) return incoming;
    }
  }

  std::string Place() const override { return std::to_string(table_) + " " + std::to_string(id_); }

  Result<void> GoTo(std::string_view place) override {
    std::uint64_t table = 0;
    std::uint64_t id = 0;
    const std::size_t space = place.find(' ');
    if (space == std::string_view::npos || !digits::ParseDecimal(place.substr(0, space), table) ||
        !digits::ParseDecimal(place.substr(space + 1), id) || table > kTables.size()) {
      return InvalidArgument("no place in a file of SQLite: " + std::string(place));
    }
    table_ = static_cast<std::size_t>(table);
    id_ = static_cast<std::int64_t>(id);
    return {};
  }

  std::string Print() const override { return print_; }
  std::uint64_t done() const override {
    std::uint64_t done = 0;
    for (std::size_t i = 0; i < table_; ++i) done += sizes_[i];
    return done + static_cast<std::uint64_t>(id_);
  }
  std::uint64_t size() const override {
    std::uint64_t size = 0;
    for (const std::uint64_t rows : sizes_) size += rows;
    return size;
  }
  const Decoded& decoded() const override { return decoded_; }

 private:
  Result<Incoming> Fill() {
    Incoming incoming;
    auto batch = std::make_shared<Batch>();
    SqliteRowReader reader(limits_.decode, *batch);
    while (table_ < kTables.size() && !IsFull(*batch)) {
      TL_TRY_ASSIGN(const bool found, Step());
      if (!found) {
        ++table_;
        id_ = 0;
        rows_.reset();
        continue;
      }
      if (!Read(reader, incoming.tenant)) break;
    }
    if (batch->record_count() > 0) incoming.batch = std::move(batch);
    return incoming;
  }

  bool IsFull(const Batch& batch) const {
    return batch.record_count() >= limits_.batch_records ||
           batch.arena.size_bytes() >= limits_.batch_bytes;
  }

  // To the next row, unless one waits. False: the table has no more.
  Result<bool> Step() {
    if (waits_) return true;
    if (!rows_) {
      const Table& table = kTables[table_];
      TL_TRY_ASSIGN(rows_, file_.Prepare(SelectFrom(table.name, table.columns)));
      rows_->Integer(id_);
    }
    return rows_->Step();
  }

  // False: the row is of another tenant than those before it, and waits for the next batch.
  bool Read(SqliteRowReader& reader, std::string& tenant) {
    const auto stated = TenantFromHeader(rows_->TextAt(1));
    waits_ = stated && !tenant.empty() && *stated != tenant;
    if (waits_) return false;
    ++decoded_.received;
    id_ = rows_->IntegerAt(0);
    const Table& table = kTables[table_];
    const std::string problem =
        stated ? (reader.*table.read)(*rows_) : "tenant is no name of a tenant";
    if (problem.empty()) {
      ++decoded_.accepted;
      tenant = *stated;
    } else {
      decoded_.Reject(std::string(table.name) + " " + std::to_string(id_) + ": " + problem);
    }
    return true;
  }

  SqliteFile file_;                                        // First: closed after its statements.
  const std::array<std::uint64_t, kTables.size()> sizes_;  // Rows, by their largest id.
  const std::string print_;
  const InputLimits limits_;
  Decoded decoded_;
  std::size_t table_ = 0;
  std::int64_t id_ = 0;  // Of the last row that was read.
  std::optional<SqliteStatement> rows_;
  bool waits_ = false;
};

}  // namespace

Result<std::unique_ptr<Input>> OpenSqliteInput(const std::string& path, const InputLimits& limits) {
  TL_TRY_ASSIGN(SqliteFile file, SqliteFile::OpenToRead(path, limits.record_bytes));
  std::array<std::uint64_t, kTables.size()> sizes{};
  std::string print;
  for (std::size_t i = 0; i < kTables.size(); ++i) {
    const std::string name(kTables[i].name);
    // A view or a virtual table could be anything.
    TL_TRY_ASSIGN(
        const std::int64_t tables,
        file.Number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '" + name +
                    "' AND rootpage > 0"));
    if (tables != 1) return InvalidArgument(path + " has no table " + name);
    TL_TRY_ASSIGN(const std::int64_t last, file.Number("SELECT max(id) FROM " + name));
    sizes[i] = static_cast<std::uint64_t>(std::max<std::int64_t>(last, 0));
    print += std::to_string(sizes[i]) + " ";
  }
  return std::unique_ptr<Input>(
      std::make_unique<SqliteInput>(std::move(file), sizes, print + "rows", limits));
}

}  // namespace throughline::store::transfer
