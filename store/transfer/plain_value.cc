#include "store/transfer/plain_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "otlp/base64.h"
#include "store/transfer/json_value.h"

namespace throughline::store::transfer {
namespace {

using wire::JsonCursor;
using wire::JsonString;
using wire::JsonWriter;

constexpr std::string_view kBytesTag = "$bytes";
constexpr std::string_view kDoubleTag = "$double";
constexpr std::string_view kMapTag = "$map";

struct Item {
  std::string_view key;
  std::string_view value;
};

bool IsPlainMap(const std::vector<Item>& items) {
  std::vector<std::string_view> keys;
  keys.reserve(items.size());
  for (const Item& item : items) {
    if (item.key.starts_with('$')) return false;
    keys.push_back(item.key);
  }
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) == keys.end();
}

void PutMap(const std::vector<Item>& items, JsonWriter& json) {
  json.BeginObject();
  if (IsPlainMap(items)) {
    for (const Item& item : items) PutPlainValue(item.value, json.Key(item.key));
  } else {
    json.Key(kMapTag).BeginArray();
    for (const Item& item : items) {
      PutPlainValue(item.value, json.BeginArray().String(item.key));
      json.EndArray();
    }
    json.EndArray();
  }
  json.EndObject();
}

void PutContainer(const Value& value, JsonWriter& json) {
  if (value.type == ValueType::kArray) {
    json.BeginArray();
    for (ValueItems items(value); items.Next();) PutPlainValue(items.value, json);
    json.EndArray();
    return;
  }
  std::vector<Item> list;
  for (ValueItems items(value); items.Next();) list.push_back({items.key, items.value});
  PutMap(list, json);
}

bool AppendNumber(std::string_view digits, std::string& out) {
  const char* const end = digits.data() + digits.size();
  if (digits.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t integer = 0;
    const auto parsed = std::from_chars(digits.data(), end, integer);
    if (parsed.ec != std::errc() || parsed.ptr != end) return false;
    AppendIntValue(integer, out);
    return true;
  }
  double number = 0;
  const auto parsed = std::from_chars(digits.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return false;
  AppendDoubleValue(number, out);
  return true;
}

bool AppendNamedDouble(std::string_view name, std::string& out) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (name == "NaN") {
    AppendDoubleValue(std::numeric_limits<double>::quiet_NaN(), out);
  } else if (name == "Infinity" || name == "-Infinity") {
    AppendDoubleValue(name.front() == '-' ? -kInfinity : kInfinity, out);
  } else {
    return false;
  }
  return true;
}

// The items of a map in either form, once its brace is open and its first key read. Calls
// `on_item(key)` where the value of the key stands next.
template <typename OnItem>
bool ForEachItem(JsonCursor& json, const JsonString& first, OnItem on_item) {
  std::string scratch;
  JsonString key = first;
  if (key.Text(scratch) != kMapTag) {
    do {
      const std::string_view text = key.Text(scratch);
      if (text.size() > kMaxKeyBytes || !on_item(text)) return false;
    } while (json.NextKey(key));
    return json.ok();
  }
  for (json.BeginArray(); json.NextItem();) {
    if (!json.BeginArray() || !json.NextItem() || json.Peek() != JsonCursor::Type::kString) {
      return false;
    }
    key = json.String();
    const std::string_view text = key.Text(scratch);
    if (text.size() > kMaxKeyBytes || !json.NextItem() || !on_item(text) || json.NextItem()) {
      return false;
    }
  }
  return json.ok() && !json.NextKey(key) && json.ok();
}

bool AppendTagged(JsonCursor& json, std::string_view tag, std::string& out) {
  if (json.Peek() != JsonCursor::Type::kString) return false;
  std::string scratch;
  const std::string_view text = json.String().Text(scratch);
  if (tag == kDoubleTag) {
    if (!AppendNamedDouble(text, out)) return false;
  } else {
    std::string bytes;
    if (!otlp::DecodeBase64(text, bytes)) return false;
    AppendBytesValue(bytes, out);
  }
  JsonString key;
  return !json.NextKey(key) && json.ok();
}

bool AppendObject(JsonCursor& json, int depth, std::string& out) {
  json.BeginObject();
  JsonString key;
  const bool is_empty = !json.NextKey(key);
  if (!json.ok()) return false;
  std::string scratch;
  const std::string_view tag = is_empty ? std::string_view() : key.Text(scratch);
  if (tag == kDoubleTag || tag == kBytesTag) return AppendTagged(json, tag, out);
  if (depth >= kMaxValueDepth) return false;
  const std::size_t begin = BeginMapValue(out);
  if (!is_empty && !ForEachItem(json, key, [&](std::string_view name) {
        const std::size_t item = BeginMapItem(name, out);
        const std::size_t name_size = name.size();
        if (!AppendPlainForm(json, depth + 1, out)) return false;
        EndMapItem(item, name_size, out);
        return true;
      })) {
    return false;
  }
  EndValue(begin, out);
  return true;
}

bool AppendArray(JsonCursor& json, int depth, std::string& out) {
  if (depth >= kMaxValueDepth) return false;
  const std::size_t begin = BeginArrayValue(out);
  for (json.BeginArray(); json.NextItem();) {
    const std::size_t item = BeginArrayItem(out);
    if (!AppendPlainForm(json, depth + 1, out)) return false;
    EndArrayItem(item, out);
  }
  EndValue(begin, out);
  return json.ok();
}

}  // namespace

void PutPlainValue(std::string_view any_value, JsonWriter& json) {
  const Value value = ReadValue(any_value);
  switch (value.type) {
    case ValueType::kEmpty: json.Null(); break;
    case ValueType::kString: json.String(value.bytes); break;
    case ValueType::kBool: json.Bool(value.boolean); break;
    case ValueType::kInt: json.Int(value.integer); break;
    case ValueType::kDouble:
      if (std::isfinite(value.number)) {
        PutDouble(value.number, json);
      } else {
        json.BeginObject().Key(kDoubleTag).Double(value.number).EndObject();
      }
      break;
    case ValueType::kBytes:
      json.BeginObject().Key(kBytesTag).String(ValueText(any_value)).EndObject();
      break;
    case ValueType::kArray:
    case ValueType::kMap: PutContainer(value, json); break;
  }
}

void PutPlainAttributes(std::span<const Attribute> attributes, JsonWriter& json) {
  std::vector<Item> items;
  items.reserve(attributes.size());
  for (const Attribute& attribute : attributes) {
    items.push_back({attribute.key(), attribute.value()});
  }
  PutMap(items, json);
}

bool AppendPlainForm(JsonCursor& json, int depth, std::string& out) {
  switch (json.Peek()) {
    case JsonCursor::Type::kNull: return json.Literal("null");
    case JsonCursor::Type::kTrue: AppendBoolValue(true, out); return json.Literal("true");
    case JsonCursor::Type::kFalse: AppendBoolValue(false, out); return json.Literal("false");
    case JsonCursor::Type::kNumber: return AppendNumber(json.Number(), out);
    case JsonCursor::Type::kString: {
      std::string scratch;
      AppendStringValue(json.String().Text(scratch), out);
      return json.ok();
    }
    case JsonCursor::Type::kArray: return AppendArray(json, depth, out);
    case JsonCursor::Type::kObject: return AppendObject(json, depth, out);
    default: return false;
  }
}

bool ReadPlainAttributes(JsonCursor& json, const DecodeOptions& options, Batch& batch,
                         Range& range) {
  range = {.begin = static_cast<std::uint32_t>(batch.attributes.size()), .count = 0};
  JsonString key;
  if (!json.BeginObject()) return false;
  if (!json.NextKey(key)) return json.ok();
  std::string value;
  const bool read = ForEachItem(json, key, [&](std::string_view name) {
    value.clear();
    if (!AppendPlainForm(json, 0, value)) return false;
    batch.attributes.push_back(MakeAttribute(name, value, options.hash_seed, batch.arena));
    return true;
  });
  range.count = static_cast<std::uint32_t>(batch.attributes.size()) - range.begin;
  return read && range.count <= options.attributes_per_record;
}

}  // namespace throughline::store::transfer
