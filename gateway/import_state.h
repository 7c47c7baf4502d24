// Where an import stands, in the data directory: DIR/import.json.
//
// One at a time: the note of one that was stopped keeps others from beginning.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::gateway {

struct ImportState {
  std::string input;  // What is imported, as its user said it: form, path, tenant, times.
  std::string print;  // store::transfer::Input::Print of it.
  std::string place;  // Input::Place: all before it is in the store.
  std::uint64_t start_unix_ns = 0;  // The range of times, as it was when the import began.
  std::uint64_t end_unix_ns = UINT64_MAX;
  std::uint64_t arrival_unix_ns = 0;  // Of records that state none.
};

std::string ImportStateText(const ImportState& state);
// kDataLoss: it is none.
Result<ImportState> ParseImportState(std::string_view text);

std::string ImportStatePath(const std::string& directory);
// nullopt: no import was stopped.
Result<std::optional<ImportState>> ReadImportState(const std::string& directory);

}  // namespace throughline::gateway
