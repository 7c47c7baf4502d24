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

namespace {

bool AppendArray(JsonCursor& json, int depth, std::string& out) {
  const std::size_t begin = BeginArrayValue(out);
  for (json.BeginArray(); json.NextItem();) {
    const std::size_t item = BeginArrayItem(out);
    if (!AppendPlainValue(json, depth + 1, out)) return false;
    EndArrayItem(item, out);
  }
  EndValue(begin, out);
  return json.ok();
}

bool AppendMap(JsonCursor& json, int depth, std::string& out) {
  const std::size_t begin = BeginMapValue(out);
  std::string scratch;
  JsonString raw_key;
  for (json.BeginObject(); json.NextKey(raw_key);) {
    const std::string_view key = raw_key.Text(scratch);
    const std::size_t key_size = key.size();
    const std::size_t item = BeginMapItem(key, out);
    if (!AppendPlainValue(json, depth + 1, out)) return false;
    EndMapItem(item, key_size, out);
  }
  EndValue(begin, out);
  return json.ok();
}

}  // namespace

bool AppendPlainValue(JsonCursor& json, int depth, std::string& out) {
  switch (json.Peek()) {
    case JsonCursor::Type::kString: {
      std::string scratch;
      AppendStringValue(json.String().Text(scratch), out);
      return json.ok();
    }
    case JsonCursor::Type::kNumber: AppendPlainNumber(json.Number(), out); return json.ok();
    case JsonCursor::Type::kTrue: AppendBoolValue(true, out); return json.Literal("true");
    case JsonCursor::Type::kFalse: AppendBoolValue(false, out); return json.Literal("false");
    case JsonCursor::Type::kNull: return json.Literal("null");
    case JsonCursor::Type::kArray: return depth < kMaxValueDepth && AppendArray(json, depth, out);
    case JsonCursor::Type::kObject: return depth < kMaxValueDepth && AppendMap(json, depth, out);
    case JsonCursor::Type::kNone: break;
  }
  return false;
}

}  // namespace throughline::otlp
