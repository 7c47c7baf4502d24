#include <string>

#include "logs/enrich_otlp.h"
#include "logs/enrich_shapes.h"
#include "wire/json_cursor.h"
#include "wire/json_writer.h"

namespace throughline::logs {
namespace {

using wire::JsonCursor;
using wire::JsonString;

// {"key": ..., "value": {"stringValue": ...}}, with a comma before each and, where `first`, not
// before the first.
void AppendKeyValues(std::span<const AddedField> fields, bool first, std::string& out) {
  for (const AddedField& field : fields) {
    if (!first) out += ',';
    first = false;
    out += "{\"key\":";
    wire::AppendJsonString(field.name(), out);
    out += ",\"value\":{";
    switch (field.type) {
      case AddedField::Type::kText: out += "\"stringValue\":"; break;
      case AddedField::Type::kInteger: out += "\"intValue\":"; break;
      case AddedField::Type::kBool: out += "\"boolValue\":"; break;
    }
    if (field.type == AddedField::Type::kBool) {
      out += field.ValueText();
    } else {
      wire::AppendJsonString(field.ValueText(), out);
    }
    out += "}}";
  }
}

class OtlpJsonEnricher {
 public:
  OtlpJsonEnricher(std::string_view bytes, const EnrichOptions& options, TraceFields& fields)
      : fields_(fields), splice_(bytes), reader_(options.decode) {}

  // Walks the request (level 0), a ResourceLogs (1) or a ScopeLogs (2). Names as in JSON and as in
  // the protobuf definition, which parsers take, too.
  void Message(JsonCursor& json, std::size_t level) {
    constexpr std::string_view kNames[] = {"resourceLogs", "scopeLogs", "logRecords"};
    constexpr std::string_view kOriginalNames[] = {"resource_logs", "scope_logs", "log_records"};
    JsonString key;
    std::string scratch;
    for (json.BeginObject(); json.NextKey(key);) {
      const std::string_view name = key.Text(scratch);
      if ((name != kNames[level] && name != kOriginalNames[level]) ||
          json.Peek() == JsonCursor::Type::kNull) {
        json.Skip();
        continue;
      }
      for (json.BeginArray(); json.NextItem();) {
        if (level < 2) {
          Message(json, level + 1);
        } else {
          const std::string_view record = json.Skip();
          if (json.ok()) Record(record);
        }
      }
    }
  }

  Enriched Finish() {
    result_.body = splice_.Finish();
    return std::move(result_);
  }

 private:
  void Record(std::string_view record) {
    ++result_.records;
    const auto read = reader_.Of(record, otlp::Format::kJson);
    if (!read.readable || record.front() != '{') {
      ++result_.malformed;
      return;
    }
    const auto added = fields_.For(read.line, read.malformed, read.batch->Of(read.line.attributes));
    if (!added.empty()) Add(record, added);
  }

  // At the end of the record's attributes; where it has none, as its last member.
  void Add(std::string_view record, std::span<const AddedField> added) {
    std::string_view attributes;
    bool is_empty = true;
    JsonCursor json(record);
    JsonString key;
    std::string scratch;
    for (json.BeginObject(); json.NextKey(key);) {
      is_empty = false;
      const bool is_attributes = key.Text(scratch) == "attributes";
      json.Peek();
      const std::string_view value = json.Skip();
      if (is_attributes) attributes = value;
    }
    text_.clear();
    if (attributes.starts_with('[')) {
      const bool first = attributes.find_first_not_of(" \t\r\n", 1) == attributes.size() - 1;
      AppendKeyValues(added, first, text_);
      splice_.Insert(attributes.data() + attributes.size() - 1, text_);
      return;
    }
    text_ = attributes.empty() ? (is_empty ? "\"attributes\":[" : ",\"attributes\":[") : "[";
    AppendKeyValues(added, true, text_);
    text_ += ']';
    if (attributes.empty()) {
      splice_.Insert(record.data() + record.size() - 1, text_);
    } else {
      splice_.Replace(attributes.data(), attributes.size(), text_);  // null.
    }
  }

  TraceFields& fields_;
  Splice splice_;
  OtlpRecordReader reader_;
  Enriched result_;
  std::string text_;
};

}  // namespace

Result<Enriched> EnrichOtlpJson(std::string_view bytes, const EnrichOptions& options,
                                TraceFields& fields) {
  OtlpJsonEnricher enricher(bytes, options, fields);
  JsonCursor json(bytes);
  enricher.Message(json, 0);
  if (!json.AtEnd()) {
    return InvalidArgument("json: " + std::string(json.error()) + " at byte " +
                           std::to_string(json.offset()));
  }
  return enricher.Finish();
}

}  // namespace throughline::logs
