#include <string>

#include "correlate/attribute.h"
#include "logs/enrich_shapes.h"
#include "logs/json_line.h"
#include "logs/link_line.h"
#include "logs/loki_entry.h"
#include "otlp/utf8.h"
#include "wire/json_cursor.h"

namespace throughline::logs {
namespace {

using wire::JsonCursor;
using wire::JsonString;

// {"streams": [{"stream": {labels}, "values": [[time, line, {metadata}], ...]}, ...]}, where the
// metadata may be missing: the fields go there, as text, as all metadata is.
class LokiEnricher {
 public:
  LokiEnricher(std::string_view bytes, const EnrichOptions& options, TraceFields& fields)
      : options_(options), fields_(fields), splice_(bytes), is_utf8_(otlp::IsUtf8(bytes)) {}

  // Labels and values come in any order.
  void Stream(JsonCursor& json) {
    std::string_view labels = "{}";
    std::string_view values = "[]";
    JsonString key;
    std::string scratch;
    for (json.BeginObject(); json.NextKey(key);) {
      const std::string_view name = key.Text(scratch);
      const JsonCursor::Type type = json.Peek();
      if (name == "stream" && type == JsonCursor::Type::kObject) {
        labels = json.Skip();
      } else if (name == "values" && type == JsonCursor::Type::kArray) {
        values = json.Skip();
      } else {
        json.Skip();
      }
    }
    if (!json.ok()) return;
    JsonCursor entries(values);
    for (entries.BeginArray(); entries.NextItem();) Entry(entries.Skip(), labels);
  }

  Enriched Finish() {
    result_.body = splice_.Finish();
    return std::move(result_);
  }

 private:
  void Entry(std::string_view entry, std::string_view labels) {
    ++result_.records;
    LokiEntry parts;
    JsonCursor json(entry);
    Batch& batch = scratch_.Fresh();
    JsonLineReader reader(options_.decode, batch);
    LogLine of_labels;
    LogLine of_metadata;
    if (!(is_utf8_ || otlp::IsUtf8(entry)) || !ReadLokiEntry(json, parts).empty() ||
        (!parts.metadata.empty() && !reader.Read(parts.metadata, of_metadata)) ||
        !reader.Read(labels, of_labels)) {
      ++result_.malformed;
      return;
    }
    std::string text;
    LogLine line;
    ReadLokiTime(parts.time.Text(text), line.time_unix_ns);
    line.body = MakeStringValue(parts.line.Text(text), batch.arena);
    line.attributes = {.begin = 0, .count = static_cast<std::uint32_t>(batch.attributes.size())};
    const Linked linked = LinkLine(line, batch, FoundBy::kField);
    const auto added = fields_.For(line, linked.malformed, batch.Of(of_metadata.attributes));
    if (!added.empty()) Add(added, entry, parts.metadata);
  }

  void Add(std::span<const AddedField> added, std::string_view entry, std::string_view metadata) {
    members_.clear();
    if (metadata.empty()) {
      members_ = ",{";
      AppendJsonMembers(added, true, true, members_);
      members_ += '}';
      splice_.Insert(entry.data() + entry.size() - 1, members_);
    } else {
      const bool is_empty = metadata.find_first_not_of(" \t\r\n", 1) == metadata.size() - 1;
      AppendJsonMembers(added, is_empty, true, members_);
      splice_.Insert(metadata.data() + metadata.size() - 1, members_);
    }
  }

  const EnrichOptions& options_;
  TraceFields& fields_;
  Splice splice_;
  ScratchBatch scratch_;
  Enriched result_;
  std::string members_;
  bool is_utf8_;
};

}  // namespace

Result<Enriched> EnrichLokiPush(std::string_view bytes, const EnrichOptions& options,
                                TraceFields& fields) {
  LokiEnricher enricher(bytes, options, fields);
  JsonCursor json(bytes);
  JsonString key;
  std::string scratch;
  for (json.BeginObject(); json.NextKey(key);) {
    if (key.Text(scratch) != "streams") {
      json.Skip();
      continue;
    }
    for (json.BeginArray(); json.NextItem();) enricher.Stream(json);
  }
  if (!json.AtEnd()) {
    return InvalidArgument("json: " + std::string(json.error()) + " at byte " +
                           std::to_string(json.offset()));
  }
  return enricher.Finish();
}

}  // namespace throughline::logs
