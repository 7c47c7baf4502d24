#include "store/sql/link_table.h"

#include <array>

#include "store/sql/record_reader.h"

namespace throughline::store::sql {
namespace {

constexpr std::array<std::string_view, 5> kColumns = {"trace_id TEXT NOT NULL",
                                                      "kind TEXT NOT NULL", "time INTEGER",
                                                      "service TEXT", "tenant TEXT NOT NULL"};

std::uint64_t FirstOf(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return a != 0 ? a : b != 0 ? b : c;
}

// The link of a record, however it was found.
struct LinkRow {
  TraceId trace_id;
  std::uint64_t time_unix_ns = 0;
  std::string_view service;
  std::string_view tenant;
  std::int64_t row_id = 0;
};

LinkRow LinkOf(const RecordRow<Span>& row) {
  return {row.record.trace_id, row.record.start_unix_ns, row.batch.ServiceOf(row.record),
          row.tenant, RowIdOf(row)};
}
LinkRow LinkOf(const RecordRow<LogLine>& row) {
  const LogLine& line = row.record;
  return {line.trace_id, FirstOf(line.time_unix_ns, line.observed_unix_ns, line.arrival_unix_ns),
          line.service, row.tenant, RowIdOf(row)};
}
LinkRow LinkOf(const RecordRow<Exemplar>& row) {
  const Exemplar& exemplar = row.record;
  return {exemplar.trace_id, FirstOf(exemplar.time_unix_ns, 0, exemplar.arrival_unix_ns),
          exemplar.service, row.tenant, RowIdOf(row)};
}

class LinkCursor final : public TableCursor {
 public:
  explicit LinkCursor(Source& source) : spans_(source), lines_(source), exemplars_(source) {}

  Result<void> Begin(const Wanted& wanted) override {
    wanted_ = wanted;
    kind_ = 0;
    TL_TRY(BeginKind());
    return Settle();
  }
  Result<void> Next() override {
    TL_TRY(Step());
    return Settle();
  }
  bool AtEnd() const override { return kind_ == kKinds.size(); }

  void Put(int column, ValueOut out) const override {
    switch (column) {
      case 0: return out.Id(row_.trace_id);
      case 1: return out.Text(kKinds[kind_]);
      // A span that was sent without a start has 0 here, as in the view.
      case 2: return out.Time(row_.time_unix_ns);
      case 3: return out.TextOrNull(row_.service);
      default: return out.Text(row_.tenant);
    }
  }
  std::int64_t RowId() const override { return row_.row_id; }

 private:
  static constexpr std::array<std::string_view, 3> kKinds = {"span", "log", "exemplar"};

  Result<void> BeginKind() {
    if (kind_ == kKinds.size()) return {};
    Wanted wanted = wanted_;
    wanted.nothing = wanted.nothing || (wanted.kind && *wanted.kind != kKinds[kind_]);
    if (kind_ == 0) return spans_.Begin(wanted);
    return kind_ == 1 ? lines_.Begin(wanted) : exemplars_.Begin(wanted);
  }
  Result<void> Step() {
    if (kind_ == 0) return spans_.Next();
    return kind_ == 1 ? lines_.Next() : exemplars_.Next();
  }
  // Stands on the next record that has an id.
  Result<void> Settle() {
    while (kind_ < kKinds.size()) {
      const bool at_end = kind_ == 0   ? spans_.at_end()
                          : kind_ == 1 ? lines_.at_end()
                                       : exemplars_.at_end();
      if (at_end) {
        ++kind_;
        TL_TRY(BeginKind());
        continue;
      }
      row_ = kind_ == 0   ? LinkOf(spans_.row())
             : kind_ == 1 ? LinkOf(lines_.row())
                          : LinkOf(exemplars_.row());
      if (row_.trace_id.IsValid()) return {};
      TL_TRY(Step());
    }
    return {};
  }

  Wanted wanted_;
  RecordReader<Span> spans_;
  RecordReader<LogLine> lines_;
  RecordReader<Exemplar> exemplars_;
  std::size_t kind_ = kKinds.size();
  LinkRow row_;
};

class Links final : public Table {
 public:
  explicit Links(Source& source)
      : source_(source),
        keys_(KeysOf(columns(), {{Key::kTraceId, "trace_id"},
                                 {Key::kTenant, "tenant"},
                                 {Key::kKind, "kind"},
                                 {Key::kTime, "time"},
                                 {Key::kService, "service"}})) {}

  std::string_view name() const override { return "link"; }
  std::vector<std::string_view> columns() const override {
    return {kColumns.begin(), kColumns.end()};
  }
  std::vector<KeyColumn> keys() const override { return keys_; }
  std::uint64_t row_count() const override {
    const StoreUsage usage = source_.store->Usage();
    return usage.spans + usage.logs + usage.exemplars;
  }
  std::unique_ptr<TableCursor> Open() const override {
    return std::make_unique<LinkCursor>(source_);
  }

 private:
  Source& source_;
  const std::vector<KeyColumn> keys_;
};

}  // namespace

std::unique_ptr<Table> LinkTable(Source& source) { return std::make_unique<Links>(source); }

}  // namespace throughline::store::sql
