// Plain JSON, as people and libraries write it, to stored values (correlate/attribute.h): objects
// are maps, an integer that fits is one, other numbers are doubles, null is no value. OTLP/JSON's
// own spelling of values ({"stringValue":"a"}) is otlp/json.h.
#pragma once

#include <string>
#include <string_view>

#include "wire/json_cursor.h"

namespace throughline::otlp {

// Appends the AnyValue of a JSON number. Integers over 64 bits, and what no double holds, stay
// text.
void AppendPlainNumber(std::string_view digits, std::string& out);

// Appends the AnyValue of the value that stands next, of which `depth` arrays and objects are
// around. False: the text is broken (`json` is not ok), or nested deeper than kMaxValueDepth.
bool AppendPlainValue(wire::JsonCursor& json, int depth, std::string& out);

}  // namespace throughline::otlp
