#include "gateway/import_state.h"

#include "correlate/digits.h"
#include "store/file.h"
#include "wire/json_cursor.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

constexpr std::uint64_t kMostBytes = 1U << 20U;

}  // namespace

std::string ImportStateText(const ImportState& state) {
  std::string text;
  wire::JsonWriter json(text);
  json.BeginObject();
  json.Key("version").Uint(1);
  json.Key("input").String(state.input);
  json.Key("print").String(state.print);
  json.Key("place").String(state.place);
  json.Key("start_unix_ns").Uint(state.start_unix_ns);
  json.Key("end_unix_ns").Uint(state.end_unix_ns);
  json.Key("arrival_unix_ns").Uint(state.arrival_unix_ns);
  json.EndObject();
  text += '\n';
  return text;
}

Result<ImportState> ParseImportState(std::string_view text) {
  ImportState state;
  std::uint64_t version = 0;
  wire::JsonCursor json(text);
  wire::JsonString key;
  std::string scratch;
  const auto number = [&json](std::uint64_t& value) {
    (void)digits::ParseDecimal(json.Number(), value);
  };
  for (json.BeginObject(); json.NextKey(key);) {
    if (key.raw == "version") {
      number(version);
    } else if (key.raw == "input") {
      state.input = json.String().Text(scratch);
    } else if (key.raw == "print") {
      state.print = json.String().Text(scratch);
    } else if (key.raw == "place") {
      state.place = json.String().Text(scratch);
    } else if (key.raw == "start_unix_ns") {
      number(state.start_unix_ns);
    } else if (key.raw == "end_unix_ns") {
      number(state.end_unix_ns);
    } else if (key.raw == "arrival_unix_ns") {
      number(state.arrival_unix_ns);
    } else {
      json.Skip();
    }
  }
  if (!json.AtEnd() || version != 1) {
    return Error{Errc::kDataLoss, "no state of an import"};
  }
  return state;
}

std::string ImportStatePath(const std::string& directory) { return directory + "/import.json"; }

Result<std::optional<ImportState>> ReadImportState(const std::string& directory) {
  const std::string path = ImportStatePath(directory);
  const auto text = store::ReadWholeFile(path, kMostBytes);
  if (!text && text.error().code == Errc::kNotFound) return std::optional<ImportState>();
  if (!text) return text.error();
  auto state = ParseImportState(*text);
  if (!state) return Error{Errc::kDataLoss, path + ": " + state.error().message};
  return std::optional<ImportState>(std::move(*state));
}

}  // namespace throughline::gateway
