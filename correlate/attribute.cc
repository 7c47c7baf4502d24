#include "correlate/attribute.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "correlate/check.h"
#include "correlate/hash.h"

namespace throughline {
namespace {

constexpr char kKeyTag = 0x0a;
constexpr char kValueTag = 0x12;
constexpr unsigned char kStringTag = 0x0a;
constexpr unsigned char kBoolTag = 0x10;
constexpr unsigned char kIntTag = 0x18;
constexpr unsigned char kDoubleTag = 0x21;
constexpr unsigned char kArrayTag = 0x2a;
constexpr unsigned char kMapTag = 0x32;
constexpr unsigned char kBytesTag = 0x3a;

// Takes a varint off the front; false when there is none.
bool TakeVarint(std::string_view& rest, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Takes a length and that many bytes off the front; false when they are not there.
bool TakeBytes(std::string_view& rest, std::string_view& bytes) {
  std::uint64_t size = 0;
  if (!TakeVarint(rest, size) || size > rest.size()) return false;
  bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

bool TakeTagged(char tag, std::string_view& rest, std::string_view& bytes) {
  if (rest.empty() || rest.front() != tag) return false;
  rest.remove_prefix(1);
  return TakeBytes(rest, bytes);
}

std::size_t VarintSize(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1U)) + 6) / 7;
}

char* PutVarint(std::uint64_t value, char* to) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  *to++ = static_cast<char>(value);
  return to;
}

char* PutBytes(std::string_view bytes, char* to) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

constexpr std::size_t kMaxVarintBytes = 10;

void AppendTagged(unsigned char tag, std::string_view bytes, std::string& out) {
  char head[1 + kMaxVarintBytes];
  head[0] = static_cast<char>(tag);
  const char* const end = PutVarint(bytes.size(), head + 1);
  out.append(head, static_cast<std::size_t>(end - head));
  out += bytes;
}

// Makes room for a short length, which is put in at the end.
std::size_t BeginTagged(unsigned char tag, std::string& out) {
  const char head[] = {static_cast<char>(tag), '\0'};
  out.append(head, sizeof head);
  return out.size();
}

void EndTagged(std::size_t begin, std::string& out) {
  const std::size_t size = out.size() - begin;
  if (size < 0x80) {
    out[begin - 1] = static_cast<char>(size);
    return;
  }
  char length[kMaxVarintBytes];
  out.replace(begin - 1, 1, length, static_cast<std::size_t>(PutVarint(size, length) - length));
}

void AppendBase64(std::string_view bytes, std::string& out) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto byte = [bytes](std::size_t i) -> std::uint32_t {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group = (byte(i) << 16U) | (byte(i + 1) << 8U) | byte(i + 2);
    out += kDigits[group >> 18U];
    out += kDigits[(group >> 12U) & 63U];
    out += i + 1 < bytes.size() ? kDigits[(group >> 6U) & 63U] : '=';
    out += i + 2 < bytes.size() ? kDigits[group & 63U] : '=';
  }
}

void AppendNumber(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
  } else {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, end.ptr);
  }
}

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendText(std::string_view any_value, bool nested, int depth, std::string& out);

void AppendContainer(const Value& value, int depth, std::string& out) {
  const bool map = value.type == ValueType::kMap;
  out += map ? '{' : '[';
  bool first = true;
  for (ValueItems items(value); items.Next();) {
    if (!first) out += ',';
    first = false;
    if (map) {
      AppendQuoted(items.key, out);
      out += ':';
    }
    AppendText(items.value, true, depth + 1, out);
  }
  out += map ? '}' : ']';
}

void AppendText(std::string_view any_value, bool nested, int depth, std::string& out) {
  const Value value = ReadValue(any_value);
  switch (value.type) {
    case ValueType::kEmpty: out += nested ? "null" : ""; return;
    case ValueType::kString:
      if (nested) {
        AppendQuoted(value.bytes, out);
      } else {
        out += value.bytes;
      }
      return;
    case ValueType::kBool: out += value.boolean ? "true" : "false"; return;
    case ValueType::kInt: out += std::to_string(value.integer); return;
    case ValueType::kDouble: AppendNumber(value.number, out); return;
    case ValueType::kBytes:
      if (nested) out += '"';
      AppendBase64(value.bytes, out);
      if (nested) out += '"';
      return;
    case ValueType::kArray:
    case ValueType::kMap:
      if (depth > kMaxValueDepth) {
        out += "null";  // Checked on the way in; damage on disk must not recurse without end.
      } else {
        AppendContainer(value, depth, out);
      }
      return;
  }
}

}  // namespace

std::string_view Attribute::LongValue() const {
  std::string_view rest = bytes();
  std::string_view skipped;
  std::string_view any_value;
  if (!TakeTagged(kKeyTag, rest, skipped) || !TakeTagged(kValueTag, rest, any_value)) return {};
  return any_value;
}

Value ReadValue(std::string_view any_value) {
  Value value;
  if (any_value.empty()) return value;
  const auto tag = static_cast<unsigned char>(any_value.front());
  if (tag == kStringTag && any_value.size() >= 2) {
    // Most values are short texts.
    const auto size = static_cast<unsigned char>(any_value[1]);
    if (size < 0x80 && size <= any_value.size() - 2) {
      value.type = ValueType::kString;
      value.bytes = {any_value.data() + 2, size};
      return value;
    }
  }
  std::string_view rest = any_value.substr(1);
  std::uint64_t number = 0;
  const auto length_delimited = [&](ValueType type) {
    if (TakeBytes(rest, value.bytes)) value.type = type;
  };
  switch (tag) {
    case kStringTag: length_delimited(ValueType::kString); break;
    case kArrayTag: length_delimited(ValueType::kArray); break;
    case kMapTag: length_delimited(ValueType::kMap); break;
    case kBytesTag: length_delimited(ValueType::kBytes); break;
    case kBoolTag:
      if (TakeVarint(rest, number)) {
        value.type = ValueType::kBool;
        value.boolean = number != 0;
      }
      break;
    case kIntTag:
      if (TakeVarint(rest, number)) {
        value.type = ValueType::kInt;
        value.integer = static_cast<std::int64_t>(number);
      }
      break;
    case kDoubleTag:
      if (rest.size() >= sizeof value.number) {
        value.type = ValueType::kDouble;
        std::memcpy(&value.number, rest.data(), sizeof value.number);
      }
      break;
    default: break;
  }
  return value;
}

bool ValueItems::Next() {
  std::string_view item;
  if (!TakeTagged(kKeyTag, rest_, item)) return false;
  key = {};
  value = item;
  if (!is_map_) return true;
  return TakeTagged(kKeyTag, item, key) && TakeTagged(kValueTag, item, value);
}

void AppendVarint(std::uint64_t value, std::string& out) {
  if (value < 0x80) {
    out += static_cast<char>(value);
    return;
  }
  char bytes[kMaxVarintBytes];
  out.append(bytes, static_cast<std::size_t>(PutVarint(value, bytes) - bytes));
}

void AppendStringValue(std::string_view text, std::string& out) {
  AppendTagged(kStringTag, text, out);
}

void AppendBoolValue(bool value, std::string& out) {
  out += static_cast<char>(kBoolTag);
  out += static_cast<char>(value ? 1 : 0);
}

void AppendIntValue(std::int64_t value, std::string& out) {
  out += static_cast<char>(kIntTag);
  AppendVarint(static_cast<std::uint64_t>(value), out);
}

void AppendDoubleValue(double value, std::string& out) {
  out += static_cast<char>(kDoubleTag);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

void AppendBytesValue(std::string_view bytes, std::string& out) {
  AppendTagged(kBytesTag, bytes, out);
}

std::size_t BeginArrayValue(std::string& out) { return BeginTagged(kArrayTag, out); }
std::size_t BeginMapValue(std::string& out) { return BeginTagged(kMapTag, out); }
void EndValue(std::size_t begin, std::string& out) { EndTagged(begin, out); }
std::size_t BeginArrayItem(std::string& out) { return BeginTagged(kKeyTag, out); }
void EndArrayItem(std::size_t begin, std::string& out) { EndTagged(begin, out); }

std::size_t BeginMapItem(std::string_view key, std::string& out) {
  const std::size_t begin = BeginTagged(kKeyTag, out);
  AppendTagged(kKeyTag, key, out);
  BeginTagged(kValueTag, out);
  return begin;
}

void EndMapItem(std::size_t begin, std::size_t key_size, std::string& out) {
  EndTagged(begin + 1 + VarintSize(key_size) + key_size + 2, out);
  EndTagged(begin, out);
}

void AppendArrayItem(std::string_view any_value, std::string& items) {
  AppendTagged(kKeyTag, any_value, items);
}

void AppendArrayValue(std::string_view items, std::string& out) {
  AppendTagged(kArrayTag, items, out);
}

void AppendMapItem(std::string_view key, std::string_view any_value, std::string& items) {
  char head[2 * (1 + kMaxVarintBytes)];
  head[0] = kKeyTag;
  char* end = PutVarint(
      2 + VarintSize(key.size()) + key.size() + VarintSize(any_value.size()) + any_value.size(),
      head + 1);
  *end++ = kKeyTag;
  end = PutVarint(key.size(), end);
  items.append(head, static_cast<std::size_t>(end - head));
  items += key;
  AppendTagged(kValueTag, any_value, items);
}

void AppendMapValue(std::string_view items, std::string& out) { AppendTagged(kMapTag, items, out); }

Attribute MakeAttribute(std::string_view key, std::string_view any_value, std::uint64_t seed,
                        Arena& arena) {
  TL_CHECK(key.size() <= kMaxKeyBytes);
  const std::size_t size =
      2 + VarintSize(key.size()) + key.size() + VarintSize(any_value.size()) + any_value.size();
  TL_CHECK(size <= UINT32_MAX);
  char* const data = arena.Allocate(size);
  char* at = data;
  *at++ = kKeyTag;
  at = PutBytes(key, PutVarint(key.size(), at));
  *at++ = kValueTag;
  PutBytes(any_value, PutVarint(any_value.size(), at));
  return {.data = data,
          .size = static_cast<std::uint32_t>(size),
          .key_size = static_cast<std::uint32_t>(key.size()),
          .hash = HashBytes(data, size, seed)};
}

Attribute MakeStringAttribute(std::string_view key, std::string_view text, std::uint64_t seed,
                              Arena& arena) {
  // In place: most attributes of a line are made here.
  TL_CHECK(key.size() <= kMaxKeyBytes);
  const std::size_t value_size = 1 + VarintSize(text.size()) + text.size();
  const std::size_t size =
      2 + VarintSize(key.size()) + key.size() + VarintSize(value_size) + value_size;
  TL_CHECK(size <= UINT32_MAX);
  char* const data = arena.Allocate(size);
  char* at = data;
  *at++ = kKeyTag;
  at = PutBytes(key, PutVarint(key.size(), at));
  *at++ = kValueTag;
  at = PutVarint(value_size, at);
  *at++ = static_cast<char>(kStringTag);
  PutBytes(text, PutVarint(text.size(), at));
  return {.data = data,
          .size = static_cast<std::uint32_t>(size),
          .key_size = static_cast<std::uint32_t>(key.size()),
          .hash = HashBytes(data, size, seed)};
}

Attribute AttributeOver(std::string_view key_value, std::uint64_t hash) {
  std::string_view rest = key_value;
  std::string_view key;
  if (!TakeTagged(kKeyTag, rest, key)) return {};
  return {.data = key_value.data(),
          .size = static_cast<std::uint32_t>(key_value.size()),
          .key_size = static_cast<std::uint32_t>(key.size()),
          .hash = hash};
}

std::string_view MakeStringValue(std::string_view text, Arena& arena) {
  const std::size_t size = 1 + VarintSize(text.size()) + text.size();
  char* const data = arena.Allocate(size);
  *data = static_cast<char>(kStringTag);
  PutBytes(text, PutVarint(text.size(), data + 1));
  return {data, size};
}

std::string ValueText(std::string_view any_value) {
  std::string out;
  AppendText(any_value, false, 0, out);
  return out;
}

std::string_view StringOf(std::string_view any_value) {
  const Value value = ReadValue(any_value);
  return value.type == ValueType::kString ? value.bytes : std::string_view();
}

}  // namespace throughline
