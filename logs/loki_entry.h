// One entry of a Loki push in JSON, in place: what decoding and enriching share.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/json_cursor.h"

namespace throughline::logs {

struct LokiEntry {
  wire::JsonString time;  // The text of a string, or the digits of a number.
  wire::JsonString line;
  std::string_view metadata;  // An object; empty: there is none.
};

// Reads the value that stands next as [time, line] or [time, line, {metadata}]. Gives why it is
// none, with the cursor behind it; empty: it is one. When the cursor is not ok, what it gives means
// nothing.
std::string_view ReadLokiEntry(wire::JsonCursor& json, LokiEntry& entry);

// Reads a time in nanoseconds; a negative one is 0. False: it is no integer of 64 bits.
bool ReadLokiTime(std::string_view text, std::uint64_t& time_unix_ns);

}  // namespace throughline::logs
