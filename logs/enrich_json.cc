#include <string>

#include "logs/enrich_shapes.h"
#include "logs/json_line.h"
#include "logs/link_line.h"
#include "otlp/proto.h"
#include "wire/json_cursor.h"

namespace throughline::logs {
namespace {

using wire::JsonCursor;

class JsonEnricher {
 public:
  JsonEnricher(std::string_view bytes, const EnrichOptions& options, TraceFields& fields)
      : options_(options), fields_(fields), splice_(bytes), is_utf8_(otlp::IsUtf8(bytes)) {}

  // One record: an object, with white space around it or not. Others are left as they are.
  void Record(std::string_view record) {
    ++result_.records;
    const std::size_t first = record.find_first_not_of(" \t\r");
    Batch& batch = scratch_.Fresh();
    JsonLineReader reader(options_.decode, batch);
    LogLine line;
    if (first == std::string_view::npos || record[first] != '{' ||
        !(is_utf8_ || otlp::IsUtf8(record)) || !reader.Read(record, line) ||
        reader.over_attributes()) {
      ++result_.malformed;
      return;
    }
    const Linked linked = LinkLine(line, batch, FoundBy::kField);
    const auto added = fields_.For(line, linked.malformed, batch.Of(line.attributes));
    if (added.empty()) return;
    const std::size_t end = record.rfind('}');
    const bool is_empty = record.find_first_not_of(" \t\r\n", first + 1) == end;
    members_.clear();
    AppendJsonMembers(added, is_empty, false, members_);
    splice_.Insert(record.data() + end, members_);
  }

  Enriched Finish() {
    result_.body = splice_.Finish();
    return std::move(result_);
  }

 private:
  const EnrichOptions& options_;
  TraceFields& fields_;
  Splice splice_;
  ScratchBatch scratch_;
  Enriched result_;
  std::string members_;
  bool is_utf8_;
};

void EnrichEachLine(std::string_view bytes, JsonEnricher& enricher) {
  while (!bytes.empty()) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) enricher.Record(line);
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
  }
}

}  // namespace

Result<Enriched> EnrichJson(std::string_view bytes, EnrichShape shape, const EnrichOptions& options,
                            TraceFields& fields) {
  JsonEnricher enricher(bytes, options, fields);
  if (shape == EnrichShape::kNdjson) {
    EnrichEachLine(bytes, enricher);
    return enricher.Finish();
  }
  JsonCursor json(bytes);
  const auto record = [&] {
    const std::string_view item = json.Skip();
    if (json.ok()) enricher.Record(item);
  };
  if (shape == EnrichShape::kJsonObject) {
    if (json.Peek() != JsonCursor::Type::kObject) return InvalidArgument("json: want an object");
    record();
  } else {
    for (json.BeginArray(); json.NextItem();) record();
  }
  if (!json.AtEnd()) {
    return InvalidArgument("json: " + std::string(json.error()) + " at byte " +
                           std::to_string(json.offset()));
  }
  return enricher.Finish();
}

}  // namespace throughline::logs
