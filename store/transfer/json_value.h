// Values as OTLP/JSON spells them ({"stringValue":"a"}), and numbers so that they read back as they
// were: what NDJSON is made of, and in part SQLite's JSON columns.
//
// Source: OTLP 1.x "JSON Protobuf Encoding"; protobuf.dev/programming-guides/json.
#pragma once

#include <span>
#include <string_view>

#include "correlate/attribute.h"
#include "wire/json_writer.h"

namespace throughline::store::transfer {

// Always with a point or an exponent, so that -0 keeps its sign; "NaN", "Infinity", "-Infinity" as
// text.
void PutDouble(double value, wire::JsonWriter& json);
// {"stringValue":"a"}; {} for no value.
void PutAnyValue(std::string_view any_value, wire::JsonWriter& json);
// [{"key":"a","value":{...}}, ...]
void PutKeyValues(std::span<const Attribute> attributes, wire::JsonWriter& json);

}  // namespace throughline::store::transfer
