#include "tests/proto/oracle.h"

#include <algorithm>
#include <string>

#include "correlate/check.h"

namespace throughline::oracle {
namespace {

namespace common = opentelemetry::proto::common::v1;

// Brings a message to what the stored format can say: unknown fields and the indices of profiles
// go, and every KeyValue has a value.
void Normalize(common::AnyValue& value);

void Normalize(common::KeyValue& item) {
  item.clear_key_strindex();
  Normalize(*item.mutable_value());
}

void Normalize(common::AnyValue& value) {
  switch (value.value_case()) {
    case common::AnyValue::kArrayValue:
      for (common::AnyValue& item : *value.mutable_array_value()->mutable_values()) Normalize(item);
      break;
    case common::AnyValue::kKvlistValue:
      for (common::KeyValue& item : *value.mutable_kvlist_value()->mutable_values()) {
        Normalize(item);
      }
      break;
    case common::AnyValue::kStringValueStrindex: value.clear_value(); break;
    default: break;
  }
}

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

DecodeOptions ComparedOptions() {
  DecodeOptions options;
  options.hash_seed = 7;
  options.keep_unlinked = true;
  options.attributes_per_record = 1U << 20U;
  options.gauges = {"k8s.pod.cpu.*", "depth"};
  return options;
}

bool IsStricter(const Error& error) {
  for (const std::string_view text :
       {"want wire type", "varint is over 64 bits", "field number is over", "field number 0"}) {
    if (error.message.find(text) != std::string::npos) return true;
  }
  return false;
}

void CheckSame(const common::AnyValue& wanted, std::string_view any_value) {
  common::AnyValue normal = wanted;
  normal.DiscardUnknownFields();
  Normalize(normal);
  common::AnyValue given;
  TL_CHECK(given.ParseFromArray(any_value.data(), static_cast<int>(any_value.size())));
  TL_CHECK(given.SerializeAsString() == normal.SerializeAsString());
}

void CheckSame(const KeyValues& wanted, Range range, const Batch& batch) {
  TL_CHECK(static_cast<std::size_t>(wanted.size()) == range.count);
  for (int i = 0; i < wanted.size(); ++i) {
    const Attribute& attribute = batch.Of(range)[static_cast<std::size_t>(i)];
    TL_CHECK(attribute.key() == wanted[i].key());
    CheckSame(wanted[i].value(), attribute.value());
    // The bytes themselves are canonical: built anew from key and value they are the same.
    Arena arena;
    const Attribute again =
        MakeAttribute(attribute.key(), attribute.value(), ComparedOptions().hash_seed, arena);
    TL_CHECK(again.bytes() == attribute.bytes());
    TL_CHECK(again.hash == attribute.hash);
  }
}

void CheckSame(const opentelemetry::proto::resource::v1::Resource* wanted, std::uint32_t index,
               const Batch& batch) {
  TL_CHECK((wanted == nullptr) == (index == kNoIndex));
  if (wanted == nullptr) return;
  const Resource& resource = batch.resources[index];
  CheckSame(wanted->attributes(), resource.attributes, batch);
  std::string service;
  for (const common::KeyValue& attribute : wanted->attributes()) {
    if (attribute.key() == "service.name" && attribute.value().has_string_value()) {
      service = attribute.value().string_value();
    }
  }
  TL_CHECK(resource.service == service);
}

void CheckSame(const common::InstrumentationScope* wanted, std::uint32_t index,
               const Batch& batch) {
  TL_CHECK((wanted == nullptr) == (index == kNoIndex));
  if (wanted == nullptr) return;
  const InstrumentationScope& scope = batch.scopes[index];
  TL_CHECK(scope.name == wanted->name());
  TL_CHECK(scope.version == wanted->version());
  CheckSame(wanted->attributes(), scope.attributes, batch);
}

IdKind KindOf(std::string_view bytes, std::size_t wanted_size) {
  if (bytes.empty()) return IdKind::kAbsent;
  if (bytes.size() == wanted_size) {
    const bool zero = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
    return zero ? IdKind::kAbsent : IdKind::kValid;
  }
  if (bytes.size() != 2 * wanted_size) return IdKind::kBroken;
  if (!std::all_of(bytes.begin(), bytes.end(), IsHex)) return IdKind::kBroken;
  const bool zero = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '0'; });
  return zero ? IdKind::kAbsent : IdKind::kRepaired;
}

std::string HexOf(std::string_view bytes, std::size_t wanted_size) {
  std::string hex;
  if (bytes.size() != wanted_size) {
    for (const char c : bytes) hex += c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    return hex;
  }
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += "0123456789abcdef"[byte >> 4U];
    hex += "0123456789abcdef"[byte & 15U];
  }
  return hex;
}

}  // namespace throughline::oracle
