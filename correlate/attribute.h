// Attributes and values in the stored format: the bytes of OTLP's KeyValue and AnyValue messages.
//
// Whatever the door, an attribute becomes these bytes, so that equal attributes are equal bytes
// and the store can keep one copy. The domain reads and writes them itself, bounded, because it
// must not know the wire folder.
//
// Canonical KeyValue: 0x0a len key 0x12 len AnyValue, lengths as minimal varints, both fields
// always there, nothing else. Canonical AnyValue: empty (no value), or exactly one field:
//   0x0a len bytes   string_value        0x10 0|1        bool_value
//   0x18 varint      int_value           0x21 8 bytes    double_value
//   0x2a len { (0x0a len AnyValue)* }    array_value
//   0x32 len { (0x0a len KeyValue)* }    kvlist_value
//   0x3a len bytes   bytes_value
// Source: opentelemetry-proto v1.x, opentelemetry/proto/common/v1/common.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/arena.h"
#include "correlate/result.h"

namespace throughline {

// Levels of arrays and key-value lists inside a value that anything here follows.
inline constexpr int kMaxValueDepth = 64;
// Longer keys are refused by every decoder.
inline constexpr std::size_t kMaxKeyBytes = 1U << 20U;

// One canonical KeyValue. The bytes belong to the Batch, or to what keeps it alive.
struct Attribute {
  const char* data = nullptr;
  std::uint32_t size = 0;
  std::uint32_t key_size = 0;
  std::uint64_t hash = 0;  // Of all the bytes, with the seed of the decoder.

  std::string_view bytes() const { return {data, size}; }
  std::string_view key() const {
    // The key's length is a varint of 1, 2 or 3 bytes (kMaxKeyBytes).
    const std::uint32_t prefix = key_size < 128 ? 2 : key_size < 16384 ? 3 : 4;
    return {data + prefix, key_size};
  }
  // The AnyValue's bytes.
  std::string_view value() const {
    const char* const at = key().data() + key_size;
    if (data != nullptr && at + 1 < data + size && at[1] >= 0) {
      return {at + 2, static_cast<std::size_t>(at[1])};
    }
    return LongValue();
  }

 private:
  std::string_view LongValue() const;
};

enum class ValueType : std::uint8_t { kEmpty, kString, kBool, kInt, kDouble, kArray, kMap, kBytes };

// A canonical AnyValue, opened one level. `bytes` views the input.
struct Value {
  ValueType type = ValueType::kEmpty;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view bytes;  // Text, bytes, or the content of an array or a map (for ValueItems).
};

// Opens a canonical AnyValue. Bytes that are not one give kEmpty: what is stored was checked when
// it came in, and damage must not crash a reader.
Value ReadValue(std::string_view any_value);

// Walks the content of an array (`key` stays empty) or of a map.
class ValueItems {
 public:
  explicit ValueItems(const Value& container)
      : rest_(container.bytes), is_map_(container.type == ValueType::kMap) {}
  bool Next();
  std::string_view key;
  std::string_view value;  // AnyValue bytes.

 private:
  std::string_view rest_;
  bool is_map_;
};

// Appends canonical bytes to a string.
void AppendVarint(std::uint64_t value, std::string& out);
void AppendStringValue(std::string_view text, std::string& out);  // AnyValue of text.
void AppendBoolValue(bool value, std::string& out);
void AppendIntValue(std::int64_t value, std::string& out);
void AppendDoubleValue(double value, std::string& out);
void AppendBytesValue(std::string_view bytes, std::string& out);
// Containers in place: what is appended between Begin and End stands in the value or the item.
// Each Begin gives the place that its End asks for.
std::size_t BeginArrayValue(std::string& out);
std::size_t BeginMapValue(std::string& out);
void EndValue(std::size_t begin, std::string& out);
std::size_t BeginArrayItem(std::string& out);
void EndArrayItem(std::size_t begin, std::string& out);
std::size_t BeginMapItem(std::string_view key, std::string& out);
void EndMapItem(std::size_t begin, std::size_t key_size, std::string& out);
// The same of items that are there already.
void AppendArrayItem(std::string_view any_value, std::string& items);
void AppendArrayValue(std::string_view items, std::string& out);
void AppendMapItem(std::string_view key, std::string_view any_value, std::string& items);
void AppendMapValue(std::string_view items, std::string& out);

// One attribute in the arena, hashed. `any_value` is canonical.
Attribute MakeAttribute(std::string_view key, std::string_view any_value, std::uint64_t seed,
                        Arena& arena);
Attribute MakeStringAttribute(std::string_view key, std::string_view text, std::uint64_t seed,
                              Arena& arena);

// An attribute over bytes that are a canonical KeyValue already (what the store kept).
Attribute AttributeOver(std::string_view key_value, std::uint64_t hash);

// The AnyValue of plain text, in the arena.
std::string_view MakeStringValue(std::string_view text, Arena& arena);

// A value as text, for matching in queries and for grouping: strings as they are, true/false,
// decimal integers, the shortest decimal that reads back as the same double, bytes as base64,
// arrays and maps as compact JSON.
std::string ValueText(std::string_view any_value);
// The text of a string value without a copy; empty for other types.
std::string_view StringOf(std::string_view any_value);

}  // namespace throughline
