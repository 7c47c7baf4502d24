#include "otlp/plain_json.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "correlate/attribute.h"

namespace throughline::otlp {

using wire::JsonCursor;
using wire::JsonString;

void AppendPlainNumber(std::string_view digits, std::string& out) {
  const char* const end = digits.data() + digits.size();
  const bool is_integer = std::none_of(digits.begin(), digits.end(),
                                       [](char c) { return c == '.' || c == 'e' || c == 'E'; });
  if (is_integer && digits != "-0") {
    std::int64_t integer = 0;
    const auto read = std::from_chars(digits.data(), end, integer);
    if (read.ec == std::errc() && read.ptr == end) {
      AppendIntValue(integer, out);
    } else {
      AppendStringValue(digits, out);
    }
    return;
  }
  double number = 0;
  const auto read = std::from_chars(digits.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end) {
    AppendDoubleValue(number, out);
  } else {
    AppendStringValue(digits, out);
  }
}

bool AppendPlainValue(JsonCursor& json, int depth, std::string& out) {
  const auto type = json.Peek();
  switch (type) {
    case JsonCursor::Type::kString: {
      std::string scratch;
      AppendStringValue(json.String().Text(scratch), out);
      return json.ok();
    }
    case JsonCursor::Type::kNumber: AppendPlainNumber(json.Number(), out); return json.ok();
    case JsonCursor::Type::kTrue: AppendBoolValue(true, out); return json.Literal("true");
    case JsonCursor::Type::kFalse: AppendBoolValue(false, out); return json.Literal("false");
    case JsonCursor::Type::kNull: return json.Literal("null");
    case JsonCursor::Type::kNone: return false;
    case JsonCursor::Type::kArray:
    case JsonCursor::Type::kObject: break;
  }
  if (depth >= kMaxValueDepth) return false;
  const bool is_map = type == JsonCursor::Type::kObject;
  std::string items;
  std::string item;
  std::string scratch;
  JsonString key;
  is_map ? json.BeginObject() : json.BeginArray();
  while (is_map ? json.NextKey(key) : json.NextItem()) {
    item.clear();
    if (!AppendPlainValue(json, depth + 1, item)) return false;
    is_map ? AppendMapItem(key.Text(scratch), item, items) : AppendArrayItem(item, items);
  }
  is_map ? AppendMapValue(items, out) : AppendArrayValue(items, out);
  return json.ok();
}

}  // namespace throughline::otlp
