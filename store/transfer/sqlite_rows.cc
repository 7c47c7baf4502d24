#include "store/transfer/sqlite_rows.h"

#include <cmath>

#include "correlate/check.h"
#include "store/transfer/record_names.h"
#include "store/transfer/sqlite_tables.h"
#include "store/transfer/sqlite_texts.h"
#include "store/transfer/stated_service.h"

namespace throughline::store::transfer {
namespace {

constexpr std::size_t kTexts = 16;  // More than any row has.

void BindTime(std::uint64_t unix_ns, SqliteStatement& to) {
  to.Integer(static_cast<std::int64_t>(unix_ns));
}
void BindTimeOrNull(std::uint64_t unix_ns, SqliteStatement& to) {
  if (unix_ns == 0) {
    to.Null();
  } else {
    BindTime(unix_ns, to);
  }
}
void BindTextOrNull(std::string_view text, SqliteStatement& to) {
  if (text.empty()) {
    to.Null();
  } else {
    to.Text(text);
  }
}
// NaN is NULL, as SQLite has it.
void BindDouble(double value, SqliteStatement& to) {
  if (std::isnan(value)) {
    to.Null();
  } else {
    to.Real(value);
  }
}

}  // namespace

Result<SqliteRows> SqliteRows::Of(SqliteFile& file) {
  SqliteRows rows;
  TL_TRY_ASSIGN(rows.span_, file.Prepare(InsertInto("span", kSpanColumns)));
  TL_TRY_ASSIGN(rows.log_, file.Prepare(InsertInto("log", kLogColumns)));
  TL_TRY_ASSIGN(rows.exemplar_, file.Prepare(InsertInto("exemplar", kExemplarColumns)));
  TL_TRY_ASSIGN(rows.gauge_, file.Prepare(InsertInto("gauge", kGaugeColumns)));
  rows.texts_.resize(kTexts);
  return rows;
}

Result<void> SqliteRows::Write(std::string_view tenant, const Batch& batch) {
  tenant_ = tenant;
  resources_.assign(batch.resources.size(), {});
  scopes_.assign(batch.scopes.size(), {});
  for (const Span& span : batch.spans) TL_TRY(Insert(span, batch));
  for (const LogLine& line : batch.logs) TL_TRY(Insert(line, batch));
  for (const Exemplar& exemplar : batch.exemplars) TL_TRY(Insert(exemplar, batch));
  for (const GaugePoint& point : batch.gauges) TL_TRY(Insert(point, batch));
  return {};
}

std::string& SqliteRows::NextText() {
  TL_CHECK(used_ < texts_.size());
  std::string& text = texts_[used_++];
  text.clear();
  return text;
}

void SqliteRows::BindAttributes(Range range, const Batch& batch, SqliteStatement& to) {
  if (range.count == 0) {
    to.Null();
    return;
  }
  std::string& text = NextText();
  PutAttributesText(range, batch, text);
  to.Text(text);
}

template <typename Record>
void SqliteRows::BindOrigin(const Record& record, const Batch& batch, SqliteStatement& to) {
  used_ = 0;
  to.Text(tenant_);
  BindTimeOrNull(record.arrival_unix_ns, to);
  if constexpr (requires { record.service; }) {
    BindTextOrNull(record.service, to);
  } else {
    BindTextOrNull(batch.ServiceOf(record), to);
  }
  if (const Resource* const from = batch.ResourceOf(record.resource)) {
    std::string& text = resources_[record.resource];
    if (text.empty()) PutAttributesText(from->attributes, batch, text);
    to.Text(text);
    if (from->service == ServiceInAttributes(*from, batch)) {
      to.Null();
    } else {
      to.Text(from->service);
    }
  } else {
    to.Null();
    to.Null();
  }
  if constexpr (requires { record.scope; }) {
    if (const InstrumentationScope* const from = batch.ScopeOf(record.scope)) {
      std::string& text = scopes_[record.scope];
      if (text.empty()) PutAttributesText(from->attributes, batch, text);
      to.Text(from->name);
      BindTextOrNull(from->version, to);
      to.Text(text);
    } else {
      for (int i = 0; i < 3; ++i) to.Null();
    }
  }
}

namespace {

template <typename Id>
void BindId(Id id, std::string& text, SqliteStatement& to) {
  if (!id.IsValid()) {
    to.Null();
    return;
  }
  AppendHex(id, text);
  to.Text(text);
}

}  // namespace

Result<void> SqliteRows::Insert(const Span& span, const Batch& batch) {
  SqliteStatement& to = span_;
  BindOrigin(span, batch, to);
  BindId(span.trace_id, NextText(), to);
  BindId(span.span_id, NextText(), to);
  BindId(span.parent_span_id, NextText(), to);
  to.Text(span.name);
  to.Integer(span.kind);
  BindTime(span.start_unix_ns, to);
  BindTime(span.end_unix_ns, to);
  BindTime(span.duration_ns(), to);
  to.Integer(span.status_code);
  BindTextOrNull(span.status_message, to);
  to.Integer(span.flags);
  BindTextOrNull(span.trace_state, to);
  BindAttributes(span.attributes, batch, to);
  std::string& events = NextText();
  if (span.events.count > 0) PutEventsText(span, batch, events);
  BindTextOrNull(events, to);
  std::string& links = NextText();
  if (span.links.count > 0) PutLinksText(span, batch, links);
  BindTextOrNull(links, to);
  return to.Run();
}

Result<void> SqliteRows::Insert(const LogLine& line, const Batch& batch) {
  SqliteStatement& to = log_;
  BindOrigin(line, batch, to);
  BindId(line.trace_id, NextText(), to);
  BindId(line.span_id, NextText(), to);
  BindTimeOrNull(line.time_unix_ns, to);
  BindTimeOrNull(line.observed_unix_ns, to);
  to.Integer(line.severity_number);
  BindTextOrNull(line.severity_text, to);
  BindTextOrNull(line.event_name, to);
  const BodyTexts body = BodyTextsOf(line);
  if (body.is_there) {
    to.Text(body.text);
  } else {
    to.Null();
  }
  BindTextOrNull(body.json, to);
  to.Integer(line.flags);
  BindAttributes(line.attributes, batch, to);
  to.Text(NameIn(kFoundByNames, line.found_by));
  if (line.sampled == Sampled::kUnknown) {
    to.Null();
  } else {
    to.Integer(line.sampled == Sampled::kYes ? 1 : 0);
  }
  std::string& related = NextText();
  if (line.related.count > 0) PutRelatedText(line, batch, related);
  BindTextOrNull(related, to);
  std::string& identity = NextText();
  AppendHex(SpanId{line.identity}, identity);
  to.Text(identity);
  return to.Run();
}

Result<void> SqliteRows::Insert(const Exemplar& exemplar, const Batch& batch) {
  SqliteStatement& to = exemplar_;
  BindOrigin(exemplar, batch, to);
  BindId(exemplar.trace_id, NextText(), to);
  BindId(exemplar.span_id, NextText(), to);
  BindTimeOrNull(exemplar.time_unix_ns, to);
  to.Text(exemplar.metric);
  BindTextOrNull(exemplar.unit, to);
  to.Text(NameIn(kMetricTypeNames, exemplar.metric_type));
  if (exemplar.is_integer) {
    to.Integer(exemplar.integer);
  } else {
    BindDouble(exemplar.number, to);
  }
  if (!exemplar.has_le) {
    to.Null();
  } else if (std::isnan(exemplar.le)) {
    to.Text("NaN");  // NULL says that there is none.
  } else {
    to.Real(exemplar.le);
  }
  BindAttributes(exemplar.labels, batch, to);
  BindAttributes(exemplar.attributes, batch, to);
  return to.Run();
}

Result<void> SqliteRows::Insert(const GaugePoint& point, const Batch& batch) {
  SqliteStatement& to = gauge_;
  BindOrigin(point, batch, to);
  BindTimeOrNull(point.time_unix_ns, to);
  to.Text(point.metric);
  BindTextOrNull(point.unit, to);
  to.Text(NameIn(kMetricTypeNames, point.metric_type));
  BindDouble(point.value, to);
  BindAttributes(point.labels, batch, to);
  return to.Run();
}

}  // namespace throughline::store::transfer
