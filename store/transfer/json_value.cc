#include "store/transfer/json_value.h"

#include <charconv>
#include <cmath>
#include <string>

namespace throughline::store::transfer {
namespace {

void PutItems(const Value& container, wire::JsonWriter& json) {
  const bool is_map = container.type == ValueType::kMap;
  json.BeginObject().Key("values").BeginArray();
  for (ValueItems items(container); items.Next();) {
    if (is_map) json.BeginObject().Key("key").String(items.key).Key("value");
    PutAnyValue(items.value, json);
    if (is_map) json.EndObject();
  }
  json.EndArray().EndObject();
}

}  // namespace

void PutDouble(double value, wire::JsonWriter& json) {
  if (!std::isfinite(value)) {
    json.Double(value);
    return;
  }
  char digits[40];
  char* end = std::to_chars(digits, digits + sizeof digits - 2, value).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  if (text.find_first_of(".e") == std::string_view::npos) {
    *end++ = '.';
    *end++ = '0';
  }
  json.Raw({digits, static_cast<std::size_t>(end - digits)});
}

void PutAnyValue(std::string_view any_value, wire::JsonWriter& json) {
  const Value value = ReadValue(any_value);
  json.BeginObject();
  switch (value.type) {
    case ValueType::kEmpty: break;
    case ValueType::kString: json.Key("stringValue").String(value.bytes); break;
    case ValueType::kBool: json.Key("boolValue").Bool(value.boolean); break;
    case ValueType::kInt: json.Key("intValue").String(std::to_string(value.integer)); break;
    case ValueType::kDouble: PutDouble(value.number, json.Key("doubleValue")); break;
    case ValueType::kBytes: json.Key("bytesValue").String(ValueText(any_value)); break;
    case ValueType::kArray: PutItems(value, json.Key("arrayValue")); break;
    case ValueType::kMap: PutItems(value, json.Key("kvlistValue")); break;
  }
  json.EndObject();
}

void PutKeyValues(std::span<const Attribute> attributes, wire::JsonWriter& json) {
  json.BeginArray();
  for (const Attribute& attribute : attributes) {
    json.BeginObject().Key("key").String(attribute.key()).Key("value");
    PutAnyValue(attribute.value(), json);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace throughline::store::transfer
