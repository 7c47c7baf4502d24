#include "store/transfer/sqlite_row_reader.h"

#include <limits>
#include <optional>

#include "correlate/digits.h"
#include "correlate/identity.h"
#include "otlp/utf8.h"
#include "store/transfer/batch_mark.h"
#include "store/transfer/finish_record.h"
#include "store/transfer/hex_ids.h"
#include "store/transfer/plain_value.h"
#include "store/transfer/record_names.h"
#include "store/transfer/stated_service.h"

namespace throughline::store::transfer {

using wire::JsonCursor;
using wire::JsonString;

// The columns of one row, in their order.
class SqliteRowReader::Row {
 public:
  Row(SqliteRowReader& reader, const SqliteStatement& row)
      : reader_(reader), batch_(reader.batch_), row_(row), mark_(batch_) {}

  // What all tables begin with; the tenant is the caller's.
  template <typename Record>
  void Origin(Record& record) {
    column_ = 2;
    record.arrival_unix_ns = Time();
    const std::string_view service = Text();
    record.resource = ResourceIndex();
    if constexpr (requires { record.service; }) record.service = service;
    if constexpr (requires { record.scope; }) record.scope = ScopeIndex();
  }

  std::uint64_t Time() { return static_cast<std::uint64_t>(row_.IntegerAt(column_++)); }
  std::uint32_t Number() { return static_cast<std::uint32_t>(row_.IntegerAt(column_++)); }
  void Skip() { ++column_; }
  bool IsNull() const { return row_.TypeOf(column_) == ColumnType::kNull; }
  ColumnType type() const { return row_.TypeOf(column_); }
  std::int64_t Integer() { return row_.IntegerAt(column_++); }
  double Real() {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    const bool is_number = type() == ColumnType::kReal || type() == ColumnType::kInteger;
    const double value = is_number ? row_.RealAt(column_) : kNaN;
    ++column_;
    return value;
  }

  // In the batch.
  std::string_view Text() { return batch_.arena.Copy(View()); }

  template <typename Id>
  void ReadId(std::string_view name, Id& id) {
    const std::string_view text = View();
    if (!text.empty() && !ReadHex(text, id)) Fail(name, "is no id in hexadecimal");
  }

  template <typename Enum, std::size_t kCount>
  Enum Word(std::string_view name, const std::array<std::string_view, kCount>& names) {
    const auto found = NamedIn<Enum>(names, View());
    if (!found) Fail(name, "is no word of this format");
    return found.value_or(Enum{});
  }

  Range Attributes(std::string_view name) {
    Range range;
    const std::string_view text = View();
    if (text.empty()) return {.begin = Size(batch_.attributes), .count = 0};
    JsonCursor json(text);
    if (!ReadPlainAttributes(json, reader_.options_, batch_, range) || !json.AtEnd()) {
      Fail(name, "is no JSON of this format");
    }
    return range;
  }

  std::string_view Body() {
    const bool has_text = !IsNull();
    const std::string_view text = View();
    const std::string_view json_text = View();
    std::string value;
    if (!json_text.empty()) {
      JsonCursor json(json_text);
      if (!AppendPlainForm(json, 0, value) || !json.AtEnd()) {
        Fail("body_json", "is no JSON of this format");
        value.clear();
      }
    } else if (has_text) {
      AppendStringValue(text, value);
    }
    return batch_.arena.Copy(value);
  }

  // Calls `on_member(item, name, json)` for the members of the objects of a list, where the value
  // stands next; it says false for what cannot be. `begin_item` makes an item.
  template <typename BeginItem, typename OnMember>
  void Objects(std::string_view name, BeginItem begin_item, OnMember on_member) {
    const std::string_view text = View();
    if (text.empty()) return;
    JsonCursor json(text);
    bool good = json.BeginArray();
    while (good && json.NextItem()) {
      auto item = begin_item();
      JsonString key;
      std::string scratch;
      good = json.Peek() == JsonCursor::Type::kObject && json.BeginObject();
      while (good && json.NextKey(key)) good = on_member(item, key.Text(scratch), json);
      if (good) item.Add();
    }
    if (!good || !json.AtEnd()) Fail(name, "is no JSON of this format");
  }

  template <typename Id>
  static bool JsonId(JsonCursor& json, Id& id) {
    return json.Peek() == JsonCursor::Type::kString && ReadHex(json.String().raw, id);
  }
  static bool JsonUint(JsonCursor& json, std::uint64_t& value) {
    return json.Peek() == JsonCursor::Type::kNumber && digits::ParseDecimal(json.Number(), value);
  }
  bool JsonText(JsonCursor& json, std::string_view& text) {
    if (json.Peek() != JsonCursor::Type::kString) return false;
    std::string scratch;
    text = batch_.arena.Copy(json.String().Text(scratch));
    return json.ok();
  }
  bool JsonAttributes(JsonCursor& json, Range& range) {
    return ReadPlainAttributes(json, reader_.options_, batch_, range);
  }

  // Finishes the record, or takes back what was appended for it.
  template <typename Done>
  std::string End(Done done) {
    if (problem_.empty()) problem_ = done();
    if (!problem_.empty()) mark_.Restore(batch_);
    return problem_;
  }

  static std::uint32_t Size(const auto& list) { return static_cast<std::uint32_t>(list.size()); }
  Batch& batch() { return batch_; }
  const DecodeOptions& options() const { return reader_.options_; }

 private:
  void Fail(std::string_view name, std::string_view what) {
    if (problem_.empty()) problem_ = std::string(name).append(" ").append(what);
  }

  // Valid until the next column is read as another type, so until the next row.
  std::string_view View() {
    const std::string_view text = row_.TextAt(column_++);
    if (otlp::IsUtf8(text)) return text;
    Fail("a text", "is not UTF-8");
    return {};
  }

  // A place behind the end is that of a row that turned out to be none.
  template <typename List>
  static bool IsKnown(const std::unordered_map<std::string, std::uint32_t>& known,
                      const std::string& key, const List& list, std::uint32_t& index) {
    const auto at = known.find(key);
    if (at == known.end() || at->second >= list.size()) return false;
    index = at->second;
    return true;
  }

  std::uint32_t ResourceIndex() {
    if (IsNull()) {
      column_ += 2;
      return kNoIndex;
    }
    std::string key(row_.TextAt(column_));
    const bool states_service = row_.TypeOf(column_ + 1) != ColumnType::kNull;
    if (states_service) key.append(1, '\0').append(row_.TextAt(column_ + 1));
    std::uint32_t index = 0;
    if (IsKnown(reader_.resources_, key, batch_.resources, index)) {
      column_ += 2;
      return index;
    }
    Resource resource;
    resource.attributes = Attributes("resource");
    const std::string_view stated = Text();
    resource.service = states_service ? stated : ServiceInAttributes(resource, batch_);
    resource.hash = HashOf(resource, batch_, reader_.options_.hash_seed);
    index = Size(batch_.resources);
    batch_.resources.push_back(resource);
    if (problem_.empty()) reader_.resources_[key] = index;
    return index;
  }

  std::uint32_t ScopeIndex() {
    if (IsNull()) {
      column_ += 3;
      return kNoIndex;
    }
    std::string key;
    for (int i = 0; i < 3; ++i) {
      const std::string_view text = row_.TextAt(column_ + i);
      key.append(std::to_string(text.size())).append(":").append(text);
    }
    std::uint32_t index = 0;
    if (IsKnown(reader_.scopes_, key, batch_.scopes, index)) {
      column_ += 3;
      return index;
    }
    InstrumentationScope scope;
    scope.name = Text();
    scope.version = Text();
    scope.attributes = Attributes("scope_attributes");
    scope.hash = HashOf(scope, batch_, reader_.options_.hash_seed);
    index = Size(batch_.scopes);
    batch_.scopes.push_back(scope);
    if (problem_.empty()) reader_.scopes_[key] = index;
    return index;
  }

  SqliteRowReader& reader_;
  Batch& batch_;
  const SqliteStatement& row_;
  const BatchMark mark_;
  int column_ = 0;
  std::string problem_;
};

std::string SqliteRowReader::ReadSpan(const SqliteStatement& statement) {
  struct EventItem {
    SpanEvent event;
    Batch& batch;
    void Add() { batch.events.push_back(event); }
  };
  struct LinkItem {
    SpanLink link;
    Batch& batch;
    void Add() { batch.span_links.push_back(link); }
  };
  Row row(*this, statement);
  Span span;
  row.Origin(span);
  row.ReadId("trace_id", span.trace_id);
  row.ReadId("span_id", span.span_id);
  row.ReadId("parent_span_id", span.parent_span_id);
  span.name = row.Text();
  span.kind = row.Number();
  span.start_unix_ns = row.Time();
  span.end_unix_ns = row.Time();
  row.Skip();  // The duration follows from these.
  span.status_code = row.Number();
  span.status_message = row.Text();
  span.flags = row.Number();
  span.trace_state = row.Text();
  span.attributes = row.Attributes("attributes");
  span.events.begin = Row::Size(batch_.events);
  row.Objects(
      "events",
      [this] {
        return EventItem{{}, batch_};
      },
      [&row](EventItem& item, std::string_view name, JsonCursor& json) {
        if (name == "time_unix_ns") return Row::JsonUint(json, item.event.time_unix_ns);
        if (name == "name") return row.JsonText(json, item.event.name);
        if (name == "attributes") return row.JsonAttributes(json, item.event.attributes);
        json.Skip();
        return json.ok();
      });
  span.events.count = Row::Size(batch_.events) - span.events.begin;
  span.links.begin = Row::Size(batch_.span_links);
  row.Objects(
      "links",
      [this] {
        return LinkItem{{}, batch_};
      },
      [&row](LinkItem& item, std::string_view name, JsonCursor& json) {
        if (name == "trace_id") return Row::JsonId(json, item.link.trace_id);
        if (name == "span_id") return Row::JsonId(json, item.link.span_id);
        if (name == "trace_state") return row.JsonText(json, item.link.trace_state);
        if (name == "attributes") return row.JsonAttributes(json, item.link.attributes);
        if (name == "flags") {
          std::uint64_t flags = 0;
          const bool read = Row::JsonUint(json, flags);
          item.link.flags = static_cast<std::uint32_t>(flags);
          return read;
        }
        json.Skip();
        return json.ok();
      });
  span.links.count = Row::Size(batch_.span_links) - span.links.begin;
  return row.End([&] { return Finish(span, options_, batch_); });
}

std::string SqliteRowReader::ReadLog(const SqliteStatement& statement) {
  struct RelatedItem {
    RelatedId id;
    Batch& batch;
    void Add() { batch.related.push_back(id); }
  };
  Row row(*this, statement);
  LogLine line;
  row.Origin(line);
  row.ReadId("trace_id", line.trace_id);
  row.ReadId("span_id", line.span_id);
  line.time_unix_ns = row.Time();
  line.observed_unix_ns = row.Time();
  line.severity_number = row.Number();
  line.severity_text = row.Text();
  line.event_name = row.Text();
  line.body = row.Body();
  line.flags = row.Number();
  line.attributes = row.Attributes("attributes");
  line.found_by = row.Word<FoundBy>("found_by", kFoundByNames);
  line.sampled = row.IsNull() ? Sampled::kUnknown : Sampled::kNo;
  if (row.Integer() != 0) line.sampled = Sampled::kYes;
  line.related.begin = Row::Size(batch_.related);
  row.Objects(
      "related",
      [this] {
        return RelatedItem{{}, batch_};
      },
      [](RelatedItem& item, std::string_view name, JsonCursor& json) {
        if (name == "trace_id") return Row::JsonId(json, item.id.trace_id);
        if (name == "span_id") return Row::JsonId(json, item.id.span_id);
        json.Skip();
        return json.ok();
      });
  line.related.count = Row::Size(batch_.related) - line.related.begin;
  std::optional<std::uint64_t> identity;
  if (!row.IsNull()) {
    SpanId stated;
    row.ReadId("identity", stated);
    identity = stated.value;
  }
  const auto place = static_cast<std::uint64_t>(statement.IntegerAt(0));
  return row.End([&] { return Finish(line, identity, place, options_, batch_); });
}

std::string SqliteRowReader::ReadExemplar(const SqliteStatement& statement) {
  Row row(*this, statement);
  Exemplar exemplar;
  row.Origin(exemplar);
  row.ReadId("trace_id", exemplar.trace_id);
  row.ReadId("span_id", exemplar.span_id);
  exemplar.time_unix_ns = row.Time();
  exemplar.metric = row.Text();
  exemplar.unit = row.Text();
  exemplar.metric_type = row.Word<MetricType>("metric_type", kMetricTypeNames);
  exemplar.is_integer = row.type() == ColumnType::kInteger;
  if (exemplar.is_integer) {
    exemplar.integer = row.Integer();
  } else {
    exemplar.number = row.Real();
  }
  exemplar.has_le = !row.IsNull();
  const double le = row.Real();
  exemplar.le = exemplar.has_le ? le : 0;
  exemplar.labels = row.Attributes("labels");
  exemplar.attributes = row.Attributes("attributes");
  return row.End([&] { return Finish(exemplar, options_, batch_); });
}

std::string SqliteRowReader::ReadGauge(const SqliteStatement& statement) {
  Row row(*this, statement);
  GaugePoint point;
  row.Origin(point);
  point.time_unix_ns = row.Time();
  point.metric = row.Text();
  point.unit = row.Text();
  point.metric_type = row.Word<MetricType>("metric_type", kMetricTypeNames);
  point.value = row.Real();
  point.labels = row.Attributes("labels");
  return row.End([&] { return Finish(point, options_, batch_); });
}

}  // namespace throughline::store::transfer
