#include "otlp/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <system_error>
#include <utility>

#include "correlate/attribute.h"
#include "correlate/check.h"
#include "correlate/hash.h"
#include "correlate/identity.h"
#include "otlp/base64.h"

namespace throughline::otlp {
namespace {

// The stored format, correlate/attribute.h.
constexpr char kItemTag = 0x0a;  // An item of an array or of a map; the key of a KeyValue.
constexpr char kValueTag = 0x12;
constexpr char kStringTag = 0x0a;
constexpr char kArrayTag = 0x2a;
constexpr char kMapTag = 0x32;

constexpr std::size_t kKey = 0;
constexpr std::size_t kValue = 1;
constexpr JsonMessage<2>::Names kKeyValueNames = {"key", "value"};

// Bytes of the usual attribute, for a first guess at how many there are.
constexpr std::size_t kAttributeBytes = 90;

using wire::JsonType;
using wire::JsonValue;

std::string_view TypeName(JsonType type) {
  switch (type) {
    case JsonType::kNull: return "null";
    case JsonType::kBool: return "a boolean";
    case JsonType::kInt:
    case JsonType::kUint:
    case JsonType::kDouble: return "a number";
    case JsonType::kString: return "a string";
    case JsonType::kArray: return "an array";
    case JsonType::kObject: return "an object";
  }
  return "";
}

std::string Want(std::string_view wanted, JsonValue value) {
  return std::string("is ").append(TypeName(value.type())).append(", want ").append(wanted);
}

// Inserts the length of what `out` has from `begin` on, before it.
void InsertLength(std::size_t begin, std::string& out) {
  const std::size_t length = out.size() - begin;
  if (length < 0x80) {
    out.insert(begin, 1, static_cast<char>(length));
    return;
  }
  std::string varint;
  AppendVarint(length, varint);
  out.insert(begin, varint);
}

std::size_t VarintSize(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7U) ++size;
  return size;
}

char* Put(char tag, std::string_view bytes, char* to) {
  *to++ = tag;
  std::uint64_t size = bytes.size();
  for (; size >= 0x80; size >>= 7U) *to++ = static_cast<char>(size | 0x80U);
  *to++ = static_cast<char>(size);
  std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

// MakeAttribute for text, which nearly all attributes are, written at once.
Attribute MakeTextAttribute(std::string_view key, std::string_view text, std::uint64_t seed,
                            Arena& arena) {
  const std::size_t value_size = 1 + VarintSize(text.size()) + text.size();
  const std::size_t size =
      1 + VarintSize(key.size()) + key.size() + 1 + VarintSize(value_size) + value_size;
  TL_CHECK(size <= UINT32_MAX);
  char* const data = arena.Allocate(size);
  char* at = Put(kItemTag, key, data);
  *at++ = kValueTag;
  for (std::uint64_t rest = value_size;;) {
    *at++ = static_cast<char>(rest >= 0x80 ? rest | 0x80U : rest);
    if ((rest >>= 7U) == 0) break;
  }
  Put(kStringTag, text, at);
  return {.data = data,
          .size = static_cast<std::uint32_t>(size),
          .key_size = static_cast<std::uint32_t>(key.size()),
          .hash = HashBytes(data, size, seed)};
}

// Comparison with a name whose size the compiler knows.
template <std::size_t kSize>
bool Is(std::string_view text, const char (&name)[kSize]) {
  return text.size() == kSize - 1 && std::memcmp(text.data(), name, kSize - 1) == 0;
}

// {"key":"k","value":{"stringValue":"v"}}, in this order and no more: what nearly all senders write
// for nearly all attributes.
bool IsPlainText(JsonValue key_value, std::string_view& key, std::string_view& text) {
  if (!key_value.is_object() || key_value.count() != 2) return false;
  wire::JsonMembers members(key_value);
  members.Next();
  if (!Is(members.key(), "key") || !members.value().is_string()) return false;
  key = members.value().string();
  members.Next();
  const JsonValue value = members.value();
  if (!Is(members.key(), "value") || !value.is_object() || value.count() != 1) return false;
  wire::JsonMembers chosen(value);
  chosen.Next();
  if (!Is(chosen.key(), "stringValue") || !chosen.value().is_string()) return false;
  text = chosen.value().string();
  return key.size() <= kMaxKeyBytes;
}

bool ParseDouble(std::string_view text, double& value) {
  if (text == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "Infinity" || text == "-Infinity") {
    value = std::numeric_limits<double>::infinity() * (text.front() == '-' ? -1 : 1);
  } else {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    return parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(value);
  }
  return true;
}

}  // namespace

std::string JsonPath::Text() const {
  std::string text = parent == nullptr ? std::string() : parent->Text();
  if (!text.empty()) text += '.';
  text += name;
  if (index != kNotInList) text.append("[").append(std::to_string(index)).append("]");
  return text;
}

Result<JsonValue> JsonDecoder::ParseText(std::string_view bytes) {
  auto parsed = document_.Parse(bytes);
  if (!parsed) {
    const wire::Error& error = parsed.error();
    return Error{
        error.kind == wire::Error::Kind::kTooLarge ? Errc::kTooLarge : Errc::kInvalidArgument,
        error.message};
  }
  Expect(bytes.size() / kAttributeBytes, batch_.attributes);
  return *parsed;
}

Result<JsonValue> JsonDecoder::Parse(std::string_view bytes) {
  TL_TRY_ASSIGN(const JsonValue parsed, ParseText(bytes));
  if (!parsed.is_object()) return InvalidArgument("the request " + Want("an object", parsed));
  return parsed;
}

Result<JsonValue> JsonDecoder::ParseList(std::string_view bytes) {
  TL_TRY_ASSIGN(const JsonValue parsed, ParseText(bytes));
  if (!parsed.is_array()) return InvalidArgument("the request " + Want("an array", parsed));
  return parsed;
}

void JsonDecoder::Fail(Error error) {
  if (failed_) return;
  failed_ = true;
  error_ = std::move(error);
}

void JsonDecoder::Fail(const JsonPath& at, std::string_view problem) {
  if (failed_) return;
  Fail(InvalidArgument(at.Text().append(": ").append(problem)));
}

void JsonDecoder::Fail(const JsonPath& at, std::string_view name, std::string_view problem) {
  if (name.empty()) return Fail(at, problem);
  Fail(JsonPath{.parent = &at, .name = name}, problem);
}

void JsonDecoder::FailType(std::string_view wanted, JsonValue value, const JsonPath& at,
                           std::string_view name) {
  Fail(at, name, Want(wanted, value));
}

DecimalInteger JsonDecoder::AnyInteger(JsonValue value, const JsonPath& at, std::string_view name) {
  using State = DecimalInteger::State;
  DecimalInteger integer;
  switch (value.type()) {
    case JsonType::kNull: return integer;
    case JsonType::kInt:
      integer.negative = value.integer() < 0;
      integer.magnitude = static_cast<std::uint64_t>(value.integer());
      if (integer.negative) integer.magnitude = 0 - integer.magnitude;
      return integer;
    case JsonType::kUint: integer.magnitude = value.unsigned_integer(); return integer;
    case JsonType::kDouble: integer = ParseInteger(document_.TextOf(value)); break;
    case JsonType::kString: integer = ParseInteger(value.string()); break;
    default: Fail(at, name, Want("an integer", value)); return {};
  }
  switch (integer.state) {
    case State::kOk: return integer;
    case State::kNotANumber: Fail(at, name, "is a string that is no integer"); break;
    case State::kNotIntegral: Fail(at, name, "is not integral"); break;
    case State::kTooLarge: Fail(at, name, "does not fit 64 bits"); break;
  }
  return {};
}

std::uint64_t JsonDecoder::SlowUint64(JsonValue value, const JsonPath& at, std::string_view name) {
  const DecimalInteger integer = AnyInteger(value, at, name);
  if (!integer.negative) return integer.magnitude;
  Fail(at, name, "is negative");
  return 0;
}

std::int64_t JsonDecoder::SlowInt64(JsonValue value, const JsonPath& at, std::string_view name) {
  const DecimalInteger integer = AnyInteger(value, at, name);
  const std::uint64_t limit = (std::uint64_t{1} << 63U) - (integer.negative ? 0 : 1);
  if (integer.magnitude > limit) {
    Fail(at, name, "does not fit 64 bits with a sign");
    return 0;
  }
  return static_cast<std::int64_t>(integer.negative ? 0 - integer.magnitude : integer.magnitude);
}

std::uint32_t JsonDecoder::Uint32(JsonValue value, const JsonPath& at, std::string_view name) {
  if (value.is_null()) return 0;
  const std::uint64_t number = Uint64(value, at, name);
  if (number <= UINT32_MAX) return static_cast<std::uint32_t>(number);
  Fail(at, name, "does not fit 32 bits");
  return 0;
}

std::int32_t JsonDecoder::Int32(JsonValue value, const JsonPath& at, std::string_view name) {
  if (value.is_null()) return 0;
  const std::int64_t number = Int64(value, at, name);
  if (number >= INT32_MIN && number <= INT32_MAX) return static_cast<std::int32_t>(number);
  Fail(at, name, "does not fit 32 bits with a sign");
  return 0;
}

std::uint32_t JsonDecoder::Enum(JsonValue value, const JsonPath& at, std::string_view name,
                                EnumNumber number_of) {
  if (value.is_string()) {
    const std::int64_t number = number_of(value.string());
    if (number >= 0) return static_cast<std::uint32_t>(number);
  }
  return static_cast<std::uint32_t>(Int32(value, at, name));
}

double JsonDecoder::Double(JsonValue value, const JsonPath& at, std::string_view name) {
  double number = 0;
  switch (value.type()) {
    case JsonType::kNull: return 0;
    case JsonType::kInt: return static_cast<double>(value.integer());
    case JsonType::kUint: return static_cast<double>(value.unsigned_integer());
    case JsonType::kDouble: return value.number();
    case JsonType::kString:
      if (!ParseDouble(value.string(), number)) Fail(at, name, "is a string that is no number");
      return number;
    default: Fail(at, name, Want("a number", value)); return 0;
  }
}

bool JsonDecoder::Bool(JsonValue value, const JsonPath& at, std::string_view name) {
  if (value.type() == JsonType::kBool) return value.boolean();
  if (!value.is_null()) FailType("a boolean", value, at, name);
  return false;
}

std::string_view JsonDecoder::KeptText(JsonValue value, const JsonPath& at, std::string_view name) {
  return batch_.arena.Copy(Text(value, at, name));
}

bool JsonDecoder::Attribute(JsonValue item, const JsonPath& at) {
  if (batch_.attributes.size() >= attributes_end_) {
    Reject("more than " + std::to_string(options_.attributes_per_record) + " attributes");
    return false;
  }
  std::string_view key;
  std::string_view text;
  if (IsPlainText(item, key, text)) {
    batch_.attributes.push_back(MakeTextAttribute(key, text, options_.hash_seed, batch_.arena));
    return true;
  }
  const JsonMessage<2> key_value(*this, item, kKeyValueNames, at);
  key = key_value.Text(kKey);
  if (key.size() > kMaxKeyBytes) {
    Reject("attribute key has " + std::to_string(key.size()) + " bytes, at most " +
           std::to_string(kMaxKeyBytes) + " are allowed");
    return false;
  }
  value_.clear();
  AppendValue(key_value[kValue], key_value.Child(kValue), 0, value_);
  batch_.attributes.push_back(MakeAttribute(key, value_, options_.hash_seed, batch_.arena));
  return !failed_;
}

Range JsonDecoder::Attributes(JsonValue list, const JsonPath& at, std::string_view name) {
  const std::size_t begin = batch_.attributes.size();
  if (IsList(list, at, name)) {
    JsonPath path{.parent = &at, .name = name, .index = 0};
    wire::JsonItems items(list);
    while (items.Next() && Attribute(items.value(), path)) ++path.index;
  }
  return {.begin = static_cast<std::uint32_t>(begin),
          .count = static_cast<std::uint32_t>(batch_.attributes.size() - begin)};
}

std::string_view JsonDecoder::AnyValue(JsonValue value, const JsonPath& at, std::string_view name) {
  value_.clear();
  AppendValue(value, JsonPath{.parent = &at, .name = name}, 0, value_);
  return batch_.arena.Copy(value_);
}

void JsonDecoder::AppendValue(JsonValue value, const JsonPath& at, int depth, std::string& out) {
  if (!IsMessage(value, at)) return;
  const std::size_t begin = out.size();
  for (wire::JsonMembers members(value); members.Next();) {
    if (members.value().is_null()) continue;
    const std::size_t before = out.size();
    AppendMember(members.value(), members.key(), at, depth, out);
    if (before > begin && out.size() > before) out.erase(begin, before - begin);  // The last wins.
  }
}

void JsonDecoder::AppendMember(JsonValue value, std::string_view member, const JsonPath& at,
                               int depth, std::string& out) {
  if (Is(member, "stringValue")) {
    AppendStringValue(Text(value, at, member), out);
  } else if (Is(member, "intValue")) {
    AppendIntValue(Int64(value, at, member), out);
  } else if (Is(member, "boolValue")) {
    AppendBoolValue(Bool(value, at, member), out);
  } else if (Is(member, "doubleValue")) {
    AppendDoubleValue(Double(value, at, member), out);
  } else if (Is(member, "bytesValue")) {
    if (!DecodeBase64(Text(value, at, member), bytes_)) Fail(at, member, "is not base64");
    AppendBytesValue(bytes_, out);
  } else if (Is(member, "arrayValue") || Is(member, "kvlistValue")) {
    const JsonPath path{.parent = &at, .name = member};
    if (depth >= kMaxValueDepth) return Fail(path, "nested too deeply");
    AppendItems(value, path, Is(member, "kvlistValue"), depth + 1, out);
  }
}

void JsonDecoder::AppendItems(JsonValue container, const JsonPath& at, bool map, int depth,
                              std::string& out) {
  out += map ? kMapTag : kArrayTag;
  const std::size_t begin = out.size();
  const JsonMessage<1>::Names names = {"values"};
  const JsonMessage<1> list(*this, container, names, at);
  list.ForEach(0, [&](JsonValue item, const JsonPath& path) {
    out += kItemTag;
    const std::size_t item_begin = out.size();
    if (map) {
      AppendMapItem(item, path, depth, out);
    } else {
      AppendValue(item, path, depth, out);
    }
    InsertLength(item_begin, out);
    return true;
  });
  InsertLength(begin, out);
}

void JsonDecoder::AppendMapItem(JsonValue item, const JsonPath& at, int depth, std::string& out) {
  const JsonMessage<2> key_value(*this, item, kKeyValueNames, at);
  const std::string_view key = key_value.Text(kKey);
  out += kItemTag;
  AppendVarint(key.size(), out);
  out += key;
  out += kValueTag;
  const std::size_t begin = out.size();
  AppendValue(key_value[kValue], key_value.Child(kValue), depth, out);
  InsertLength(begin, out);
}

void JsonDecoder::RefuseProblem(const JsonPath& at) {
  if (!problem_.empty()) Fail(Error{Errc::kTooLarge, at.Text() + ": " + problem_});
}

std::uint32_t JsonDecoder::Resource(JsonValue value, const JsonPath& at, std::string_view name) {
  if (value.is_null()) return kNoIndex;
  const JsonPath path{.parent = &at, .name = name};
  const JsonMessage<1>::Names names = {"attributes"};
  const JsonMessage<1> message(*this, value, names, path);
  BeginRecord();
  throughline::Resource resource;
  resource.attributes = message.Attributes(0);
  for (const throughline::Attribute& attribute : batch_.Of(resource.attributes)) {
    if (attribute.key() != "service.name") continue;
    const Value service = ReadValue(attribute.value());
    if (service.type == ValueType::kString) resource.service = service.bytes;
  }
  RefuseProblem(path);
  resource.hash = HashOf(resource, batch_, options_.hash_seed);
  batch_.resources.push_back(resource);
  return static_cast<std::uint32_t>(batch_.resources.size() - 1);
}

std::uint32_t JsonDecoder::Scope(JsonValue value, const JsonPath& at, std::string_view name) {
  if (value.is_null()) return kNoIndex;
  const JsonPath path{.parent = &at, .name = name};
  const JsonMessage<3>::Names names = {"name", "version", "attributes"};
  const JsonMessage<3> message(*this, value, names, path);
  BeginRecord();
  InstrumentationScope scope;
  scope.name = message.KeptText(0);
  scope.version = message.KeptText(1);
  scope.attributes = message.Attributes(2);
  RefuseProblem(path);
  scope.hash = HashOf(scope, batch_, options_.hash_seed);
  batch_.scopes.push_back(scope);
  return static_cast<std::uint32_t>(batch_.scopes.size() - 1);
}

}  // namespace throughline::otlp
