#include "store/sql/record_table.h"

#include <utility>

#include "store/sql/record_columns.h"
#include "store/sql/record_reader.h"

namespace throughline::store::sql {
namespace {

template <typename Record>
class RecordTableCursor final : public TableCursor {
 public:
  explicit RecordTableCursor(Source& source) : reader_(source) {}

  Result<void> Begin(const Wanted& wanted) override { return reader_.Begin(wanted); }
  Result<void> Next() override { return reader_.Next(); }
  bool AtEnd() const override { return reader_.at_end(); }
  void Put(int column, ValueOut out) const override {
    ColumnsOf<Record>()[static_cast<std::size_t>(column)].put(reader_.row(), out);
  }
  std::int64_t RowId() const override { return RowIdOf(reader_.row()); }

 private:
  RecordReader<Record> reader_;
};

template <typename Record>
class RecordTable final : public Table {
 public:
  using Names = std::vector<std::pair<Key, std::string_view>>;
  RecordTable(Source& source, std::string_view name, std::uint64_t StoreUsage::*count,
              const Names& keys)
      : source_(source), name_(name), count_(count), keys_(KeysOf(Columns(), keys)) {}

  std::string_view name() const override { return name_; }
  std::vector<std::string_view> columns() const override { return Columns(); }
  std::vector<KeyColumn> keys() const override { return keys_; }
  std::uint64_t row_count() const override { return source_.store->Usage().*count_; }
  std::unique_ptr<TableCursor> Open() const override {
    return std::make_unique<RecordTableCursor<Record>>(source_);
  }

 private:
  static std::vector<std::string_view> Columns() {
    std::vector<std::string_view> declarations;
    for (const auto& column : ColumnsOf<Record>()) declarations.push_back(column.declaration);
    return declarations;
  }

  Source& source_;
  const std::string_view name_;
  std::uint64_t StoreUsage::*const count_;
  const std::vector<KeyColumn> keys_;
};

}  // namespace

std::unique_ptr<Table> SpanTable(Source& source) {
  return std::make_unique<RecordTable<Span>>(source, "span", &StoreUsage::spans,
                                             RecordTable<Span>::Names{
                                                 {Key::kTraceId, "trace_id"},
                                                 {Key::kTenant, "tenant"},
                                                 {Key::kTime, "start_unix_ns"},
                                                 {Key::kService, "service"},
                                                 {Key::kName, "name"},
                                                 {Key::kStatus, "status_code"},
                                                 {Key::kDuration, "duration_ns"},
                                             });
}

std::unique_ptr<Table> LogTable(Source& source) {
  return std::make_unique<RecordTable<LogLine>>(source, "log", &StoreUsage::logs,
                                                RecordTable<LogLine>::Names{
                                                    {Key::kTraceId, "trace_id"},
                                                    {Key::kTenant, "tenant"},
                                                    {Key::kTime, "time_unix_ns"},
                                                    {Key::kService, "service"},
                                                    {Key::kSeverity, "severity_number"},
                                                });
}

std::unique_ptr<Table> ExemplarTable(Source& source) {
  return std::make_unique<RecordTable<Exemplar>>(source, "exemplar", &StoreUsage::exemplars,
                                                 RecordTable<Exemplar>::Names{
                                                     {Key::kTraceId, "trace_id"},
                                                     {Key::kTenant, "tenant"},
                                                     {Key::kTime, "time_unix_ns"},
                                                     {Key::kName, "metric"},
                                                 });
}

}  // namespace throughline::store::sql
