// Values as plain JSON, the form of SQLite's JSON columns, so that a query reads
// attributes->>'$."http.route"'. Nothing is lost: what JSON has no form for has one of ours.
//
//   no value            null                  text, true/false      as they are
//   integer             1                     double                1.0, 1e+22: always one of . and
//   e NaN, infinities     {"$double":"NaN"}     bytes                 {"$bytes":"base64"} array
//   [...]                 map, attributes       {"key":value, ...} map with a key twice, or with
//   one that begins with $:           {"$map":[["key",value], ...]}
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "correlate/attribute.h"
#include "correlate/batch.h"
#include "wire/json_cursor.h"
#include "wire/json_writer.h"

namespace throughline::store::transfer {

void PutPlainValue(std::string_view any_value, wire::JsonWriter& json);
void PutPlainAttributes(std::span<const Attribute> attributes, wire::JsonWriter& json);

// Appends the canonical AnyValue of the value that stands next, of which `depth` arrays and maps
// are around. False: it is none; `json` need not say why. The text is UTF-8.
bool AppendPlainForm(wire::JsonCursor& json, int depth, std::string& out);

// Appends the attributes of the map that stands next to batch.attributes.
bool ReadPlainAttributes(wire::JsonCursor& json, const DecodeOptions& options, Batch& batch,
                         Range& range);

}  // namespace throughline::store::transfer
