#include "api/loki/streams.h"

#include <utility>

#include "api/loki/answer.h"

namespace throughline::api::loki {
namespace {

using wire::JsonWriter;

void WriteEntry(JsonWriter& json, const Entry& entry, bool categorize) {
  json.BeginArray();
  json.UintString(entry.unix_ns);
  json.String(entry.line);
  if (categorize) {
    json.BeginObject();
    const auto metadata = entry.labels.Of(false, true, false);
    const auto parsed = entry.labels.Of(false, false, true);
    if (!metadata.empty()) WriteLabels(json.Key("structuredMetadata"), metadata);
    if (!parsed.empty()) WriteLabels(json.Key("parsed"), parsed);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

bool AsksCategorized(const Request& request) {
  const std::string_view flags = request.Header("x-loki-response-encoding-flags");
  return flags.find(kCategorize) != std::string_view::npos;
}

void Streams::Add(Entry entry) {
  const bool all = !categorize_;
  streams_[entry.labels.Of(true, all, all)].push_back(std::move(entry));
  ++size_;
}

void Streams::Write(JsonWriter& json) const {
  json.BeginArray();
  for (const auto& [labels, entries] : streams_) {
    json.BeginObject();
    WriteLabels(json.Key("stream"), labels);
    json.Key("values").BeginArray();
    for (const Entry& entry : entries) WriteEntry(json, entry, categorize_);
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
}

void Streams::WriteFlags(JsonWriter& json) const {
  if (categorize_) WriteStrings(json.Key("encodingFlags"), {std::string(kCategorize)});
}

void WriteLabels(JsonWriter& json, const std::map<std::string, std::string>& labels) {
  json.BeginObject();
  for (const auto& [name, value] : labels) json.Key(name).String(value);
  json.EndObject();
}

}  // namespace throughline::api::loki
