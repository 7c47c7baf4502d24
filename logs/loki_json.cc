#include <string>

#include "logs/lines.h"
#include "logs/loki.h"
#include "logs/loki_entry.h"
#include "logs/loki_streams.h"
#include "otlp/utf8.h"
#include "wire/json_cursor.h"

namespace throughline::logs {
namespace {

using wire::JsonCursor;
using wire::JsonString;
using Type = JsonCursor::Type;

// As much of the name as a person needs.
std::string NotText(std::string_view name) {
  constexpr std::size_t kShownBytes = 64;
  return std::string("the value of ").append(name.substr(0, kShownBytes)).append(" is no string");
}

class LokiJsonReader {
 public:
  LokiJsonReader(std::string_view request, const DecodeOptions& options, Batch& batch,
                 Decoded& decoded)
      : streams_(request, options, batch, decoded) {}

  // False: too many entries.
  bool Read(JsonCursor& json) {
    JsonString key;
    for (json.BeginObject(); json.NextKey(key);) {
      if (key.Text(key_) != "streams" || json.Peek() == Type::kNull) {
        json.Skip();
        continue;
      }
      for (json.BeginArray(); json.NextItem();) {
        if (!Stream(json)) return false;
      }
    }
    return true;
  }
  Error TooMany() const { return streams_.TooMany(); }

 private:
  // Members come in any order, but labels are needed first: entries before them are read later.
  bool Stream(JsonCursor& json) {
    streams_.Begin();
    bool labels_read = false;
    std::string_view values;
    std::string_view entries;
    JsonString key;
    for (json.BeginObject(); json.NextKey(key);) {
      const std::string_view name = key.Text(key_);
      const Type type = json.Peek();
      if (name == "stream" && type == Type::kObject && !labels_read) {
        labels_read = true;
        Labels(json);
      } else if (name == "labels" && type == Type::kString && !labels_read) {
        labels_read = true;
        if (const JsonString text = json.String(); json.ok()) streams_.Labels(text.Text(text_));
      } else if (name == "values" && type != Type::kNull) {
        if (labels_read ? !Values(json) : !SkipArray(json, values)) return false;
      } else if (name == "entries" && type != Type::kNull) {
        if (labels_read ? !Entries(json) : !SkipArray(json, entries)) return false;
      } else {
        if (name == "stream" || name == "labels") RefuseLabels(labels_read);
        json.Skip();
      }
    }
    if (json.ok() && !ReadLater(values, entries)) return false;
    streams_.End();
    return true;
  }

  void RefuseLabels(bool again) {
    streams_.Refuse(again ? "labels: given twice" : "labels: want an object, or text in `labels`");
  }

  // True, for the array may be no array: the cursor knows.
  static bool SkipArray(JsonCursor& json, std::string_view& array) {
    if (json.Peek() == Type::kArray) {
      array = json.Skip();
    } else {
      json.BeginArray();
    }
    return true;
  }

  bool ReadLater(std::string_view values, std::string_view entries) {
    if (!values.empty()) {
      JsonCursor json(values);
      if (!Values(json)) return false;
    }
    if (!entries.empty()) {
      JsonCursor json(entries);
      if (!Entries(json)) return false;
    }
    return true;
  }

  void Labels(JsonCursor& json) {
    JsonString name;
    for (json.BeginObject(); json.NextKey(name);) {
      const std::string_view key = name.Text(key_);
      if (json.Peek() != Type::kString) {
        json.Skip();
        streams_.Refuse("labels: " + NotText(key));
        continue;
      }
      if (const JsonString value = json.String(); json.ok()) {
        streams_.Label(key, value.Text(text_));
      }
    }
  }

  // False: too many.
  bool Values(JsonCursor& json) {
    for (json.BeginArray(); json.NextItem();) {
      LokiEntry entry;
      const std::string_view problem = ReadLokiEntry(json, entry);
      if (!json.ok()) return true;
      if (!streams_.BeginEntry()) return false;
      std::uint64_t time = 0;
      if (!problem.empty()) {
        streams_.Reject(problem);
      } else if (!ReadLokiTime(entry.time.Text(text_), time)) {
        streams_.Reject("time is no integer of nanoseconds");
      } else {
        Finish(time, entry);
      }
    }
    return true;
  }

  // The shape of Loki before 1.0; ts is RFC 3339.
  bool Entries(JsonCursor& json) {
    for (json.BeginArray(); json.NextItem();) {
      LokiEntry entry;
      const std::string_view problem = ReadOldEntry(json, entry);
      if (!json.ok()) return true;
      if (!streams_.BeginEntry()) return false;
      const std::string_view text = entry.time.Text(text_);
      const std::uint64_t time = ParseTime(text);
      if (!problem.empty()) {
        streams_.Reject(problem);
      } else if (time == 0 && !text.empty()) {
        streams_.Reject("ts is no time");
      } else {
        Finish(time, entry);
      }
    }
    return true;
  }

  std::string_view ReadOldEntry(JsonCursor& json, LokiEntry& entry) {
    if (json.Peek() != Type::kObject) {
      json.Skip();
      return "want an object";
    }
    std::string_view problem = "line is missing";
    JsonString key;
    for (json.BeginObject(); json.NextKey(key);) {
      const std::string_view name = key.Text(key_);
      const Type type = json.Peek();
      if (name == "ts" && type == Type::kString) {
        entry.time = json.String();
      } else if (name == "line" && type == Type::kString) {
        entry.line = json.String();
        problem = {};
      } else {
        json.Skip();
      }
    }
    return problem;
  }

  void Finish(std::uint64_t time, const LokiEntry& entry) {
    JsonCursor json(entry.metadata.empty() ? "{}" : entry.metadata);
    JsonString name;
    for (json.BeginObject(); json.NextKey(name);) {
      const std::string_view key = name.Text(key_);
      if (json.Peek() != Type::kString) {
        return streams_.Reject("structured metadata: " + NotText(key));
      }
      streams_.Metadata(key, json.String().Text(text_));
    }
    streams_.Accept(time, entry.line.Text(text_));
  }

  LokiStreams streams_;
  std::string key_;   // Unescaped name.
  std::string text_;  // Unescaped text.
};

}  // namespace

Result<Decoded> DecodeLokiJson(std::string_view bytes, const DecodeOptions& options, Batch& batch) {
  if (!otlp::IsUtf8(bytes)) bytes = batch.arena.Copy(otlp::ReplaceInvalidUtf8(bytes));
  Decoded decoded;
  LokiJsonReader reader(bytes, options, batch, decoded);
  JsonCursor json(bytes);
  if (!reader.Read(json)) return reader.TooMany();
  if (!json.AtEnd()) {
    return InvalidArgument("json: " + std::string(json.error()) + " at byte " +
                           std::to_string(json.offset()));
  }
  return decoded;
}

}  // namespace throughline::logs
