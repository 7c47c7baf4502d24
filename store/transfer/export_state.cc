#include "store/transfer/export_state.h"

#include "correlate/digits.h"
#include "store/file.h"
#include "wire/json_cursor.h"
#include "wire/json_writer.h"

namespace throughline::store::transfer {
namespace {

using wire::JsonCursor;
using wire::JsonString;

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kMostBytes = 1U << 20U;
constexpr std::size_t kMostNumbers = 16;

std::uint64_t Unsigned(JsonCursor& json) {
  std::uint64_t value = 0;
  (void)digits::ParseDecimal(json.Number(), value);
  return value;
}

Result<ExportState> WithPath(Result<ExportState> state, const std::string& path) {
  if (!state) return Error{state.error().code, path + ": " + state.error().message};
  return state;
}

}  // namespace

std::string ExportStateText(const ExportState& state) {
  std::string text;
  wire::JsonWriter json(text);
  json.BeginObject();
  json.Key("version").Uint(kVersion);
  json.Key("question").String(state.question);
  json.Key("start_unix_ns").Uint(state.time.start_unix_ns);
  json.Key("end_unix_ns").Uint(state.time.end_unix_ns);
  json.Key("tenant").String(state.tenant);
  json.Key("source").Uint(state.place.source);
  json.Key("at").Uint(state.place.at);
  json.Key("records").Uint(state.records);
  json.Key("output").BeginArray();
  for (const std::uint64_t number : state.output) json.Uint(number);
  json.EndArray();
  json.EndObject();
  text += '\n';
  return text;
}

Result<ExportState> ParseExportState(std::string_view text) {
  ExportState state;
  std::uint64_t version = 0;
  JsonCursor json(text);
  JsonString key;
  std::string scratch;
  for (json.BeginObject(); json.NextKey(key);) {
    if (key.raw == "version") {
      version = Unsigned(json);
    } else if (key.raw == "question") {
      state.question = json.String().Text(scratch);
    } else if (key.raw == "start_unix_ns") {
      state.time.start_unix_ns = Unsigned(json);
    } else if (key.raw == "end_unix_ns") {
      state.time.end_unix_ns = Unsigned(json);
    } else if (key.raw == "tenant") {
      state.tenant = json.String().Text(scratch);
    } else if (key.raw == "source") {
      state.place.source = Unsigned(json);
    } else if (key.raw == "at") {
      state.place.at = Unsigned(json);
    } else if (key.raw == "records") {
      state.records = Unsigned(json);
    } else if (key.raw == "output") {
      for (json.BeginArray(); json.NextItem() && state.output.size() < kMostNumbers;) {
        state.output.push_back(Unsigned(json));
      }
    } else {
      json.Skip();
    }
  }
  if (!json.AtEnd()) {
    return Error{Errc::kDataLoss, "no state of an export at byte " + std::to_string(json.offset())};
  }
  if (version != kVersion) {
    return Error{Errc::kDataLoss, "version is " + std::to_string(version) + ", want 1"};
  }
  return state;
}

Result<ExportState> ReadExportState(const std::string& path) {
  TL_TRY_ASSIGN(const std::string text, ReadWholeFile(path, kMostBytes));
  return WithPath(ParseExportState(text), path);
}

std::string StatePathOf(const std::string& output_path) {
  std::string path = output_path;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path + ".state";
}

}  // namespace throughline::store::transfer
