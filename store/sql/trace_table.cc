#include "store/sql/trace_table.h"

#include <algorithm>
#include <array>

#include "correlate/hash.h"
#include "store/sqlite/found_trace.h"
#include "store/sqlite/trace_scan.h"
#include "wire/json_writer.h"

namespace throughline::store::sql {
namespace {

// Traces that are looked for at a time, newest first: each page looks at all that are newer too.
constexpr std::size_t kFirstPage = 32;
constexpr std::size_t kLargestPage = 4096;

struct TraceColumn {
  std::string_view declaration;
  void (*put)(const TraceSummary& trace, std::string_view tenant, ValueOut out);
};

void PutNames(const std::vector<std::string>& names, ValueOut out) {
  std::string text;
  wire::JsonWriter json(text);
  json.BeginArray();
  for (const std::string& name : names) json.String(name);
  json.EndArray();
  out.Text(text);
}

void PutCount(std::uint64_t count, ValueOut out) { out.Integer(static_cast<std::int64_t>(count)); }

constexpr auto kColumns = std::to_array<TraceColumn>({
    {"tenant TEXT NOT NULL",
     [](const TraceSummary&, std::string_view tenant, ValueOut out) { out.Text(tenant); }},
    {"trace_id TEXT NOT NULL",
     [](const TraceSummary& trace, std::string_view, ValueOut out) { out.Id(trace.trace_id); }},
    {"root_service TEXT", [](const TraceSummary& trace, std::string_view,
                             ValueOut out) { out.TextOrNull(trace.root_service); }},
    {"root_operation TEXT", [](const TraceSummary& trace, std::string_view,
                               ValueOut out) { out.TextOrNull(trace.root_operation); }},
    {"root_span_id TEXT",
     [](const TraceSummary& trace, std::string_view, ValueOut out) { out.Id(trace.root_span_id); }},
    {"start_unix_ns INTEGER NOT NULL", [](const TraceSummary& trace, std::string_view,
                                          ValueOut out) { out.Time(trace.start_unix_ns); }},
    {"end_unix_ns INTEGER NOT NULL", [](const TraceSummary& trace, std::string_view,
                                        ValueOut out) { out.Time(trace.end_unix_ns); }},
    {"duration_ns INTEGER NOT NULL", [](const TraceSummary& trace, std::string_view,
                                        ValueOut out) { out.Time(trace.duration_ns); }},
    {"span_count INTEGER NOT NULL", [](const TraceSummary& trace, std::string_view,
                                       ValueOut out) { PutCount(trace.evidence.span_count, out); }},
    {"error_count INTEGER NOT NULL", [](const TraceSummary& trace, std::string_view,
                                        ValueOut out) { PutCount(trace.error_count, out); }},
    {"log_count INTEGER NOT NULL", [](const TraceSummary& trace, std::string_view,
                                      ValueOut out) { PutCount(trace.evidence.log_count, out); }},
    {"exemplar_count INTEGER NOT NULL",
     [](const TraceSummary& trace, std::string_view, ValueOut out) {
       PutCount(trace.evidence.exemplar_count, out);
     }},
    {"services TEXT NOT NULL", [](const TraceSummary& trace, std::string_view,
                                  ValueOut out) { PutNames(trace.services, out); }},
    {"versions TEXT NOT NULL", [](const TraceSummary& trace, std::string_view,
                                  ValueOut out) { PutNames(trace.versions, out); }},
});

class TraceCursor final : public TableCursor {
 public:
  explicit TraceCursor(Source& source) : source_(source) {}

  Result<void> Begin(const Wanted& wanted) override {
    wanted_ = wanted;
    // A trace may begin before its root does: of the root's span only the begin is sure.
    if (wanted_.service) wanted_.time.end_unix_ns = UINT64_MAX;
    scan_.reset();
    found_.clear();
    page_.reset();
    is_last_page_ = false;
    at_ = 0;
    at_end_ = false;
    tenants_.clear();
    if (!wanted.nothing) tenants_ = source_.Tenants(wanted);
    std::reverse(tenants_.begin(), tenants_.end());
    return Settle();
  }
  Result<void> Next() override {
    ++at_;
    return Settle();
  }
  bool AtEnd() const override { return at_end_; }
  void Put(int column, ValueOut out) const override {
    kColumns[static_cast<std::size_t>(column)].put(found_[at_], tenant_, out);
  }
  std::int64_t RowId() const override {
    const TraceId id = found_[at_].trace_id;
    return static_cast<std::int64_t>(HashMix(
        id.low ^ HashBytes(tenant_.data(), tenant_.size(), id.high), 0x9e37'79b9'7f4a'7c15));
  }

 private:
  Result<void> Settle() {
    while (at_ == found_.size()) {
      found_.clear();
      at_ = 0;
      TL_TRY_ASSIGN(const bool more, Read());
      if (!more) {
        at_end_ = true;
        return {};
      }
    }
    return {};
  }

  // False: there are no more.
  Result<bool> Read() {
    if (page_) return ReadPage();
    if (scan_ != nullptr) {
      TL_TRY_ASSIGN(const bool more, scan_->Next(found_));
      if (more) return true;
      if (scan_->was_damaged()) source_.NoteDamage();
      scan_.reset();
    }
    if (tenants_.empty()) return false;
    tenant_ = std::move(tenants_.back());
    tenants_.pop_back();
    if (wanted_.trace_id) return ReadTrace();
    if (wanted_.newest_first) {
      page_.emplace();
      page_->time = wanted_.time;
      page_->service = wanted_.service;
      page_->limit = std::clamp(wanted_.limit, kFirstPage, kLargestPage);
      return ReadPage();
    }
    scan_ = source_.store->ScanTraces(source_.ScopeOf(tenant_),
                                      {.time = wanted_.time, .service = wanted_.service});
    return true;
  }

  Result<bool> ReadTrace() {
    TL_TRY_ASSIGN(auto summaries,
                  source_.store->Summarize(source_.ScopeOf(tenant_), *wanted_.trace_id));
    for (TraceSummary& summary : summaries) {
      // Of an id that only lines or exemplars carry there is no trace to tell of.
      if (summary.evidence.span_count == 0 || summary.trace_id != *wanted_.trace_id) continue;
      found_.push_back(std::move(summary));
    }
    return true;
  }

  // The planner asks for this order only where there is one tenant (Traces::has_newest_first).
  Result<bool> ReadPage() {
    if (is_last_page_) {
      is_last_page_ = false;
      return false;
    }
    TL_TRY_ASSIGN(auto page, source_.store->FindTraces(source_.ScopeOf(tenant_), *page_));
    if (page.incomplete_reason == sqlite::kDeadlineReason) {
      return Error{Errc::kUnavailable, sqlite::kStopped};
    }
    if (!page.complete) source_.NoteDamage();
    found_ = std::move(page.items);
    page_->cursor = page.cursor;
    page_->limit = std::min(page_->limit * 2, kLargestPage);
    is_last_page_ = page.cursor.empty();
    return true;
  }

  Source& source_;
  Wanted wanted_;
  std::vector<std::string> tenants_;  // Still to come, the next one last.
  std::string tenant_;
  std::unique_ptr<sqlite::TraceScan> scan_;
  std::optional<TraceQuery> page_;  // The next one, newest first.
  bool is_last_page_ = false;
  std::vector<TraceSummary> found_;
  std::size_t at_ = 0;
  bool at_end_ = true;
};

class Traces final : public Table {
 public:
  explicit Traces(Source& source)
      : source_(source),
        keys_(KeysOf(columns(), {{Key::kTraceId, "trace_id"},
                                 {Key::kTenant, "tenant"},
                                 {Key::kTime, "start_unix_ns"},
                                 {Key::kService, "root_service"}})) {}

  std::string_view name() const override { return "trace"; }
  std::vector<std::string_view> columns() const override {
    std::vector<std::string_view> declarations;
    for (const TraceColumn& column : kColumns) declarations.push_back(column.declaration);
    return declarations;
  }
  std::vector<KeyColumn> keys() const override { return keys_; }
  std::uint64_t row_count() const override { return source_.store->Usage().traces; }
  bool has_newest_first() const override { return source_.Tenants({}).size() <= 1; }
  std::unique_ptr<TableCursor> Open() const override {
    return std::make_unique<TraceCursor>(source_);
  }

 private:
  Source& source_;
  const std::vector<KeyColumn> keys_;
};

}  // namespace

std::unique_ptr<Table> TraceTable(Source& source) { return std::make_unique<Traces>(source); }

}  // namespace throughline::store::sql
