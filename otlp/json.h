// What all OTLP signals share in OTLP/JSON: the types of fields, attributes, resource, scope.
//
// A JsonDecoder reads one document into one batch. Everything that comes out is canonical
// (correlate/attribute.h) and in the batch's arena, so that the document may go when decoding ends.
//
// The first field that cannot be what it is declared to be fails the whole request, with its path
// in the document (resourceSpans[0].scopeSpans[0].spans[3].startTimeUnixNano); from then on fields
// come back empty and ok() is false. Decoders look at ok() once a record.
//
//  - Names are lowerCamelCase; unknown ones are ignored; of equal ones the last wins.
//  - null, as a field or as an item, is the default.
//  - Integers may be strings, and may have a point or an exponent as long as they are integral; no
//    double is involved. Enumerations may be sent by name, as some senders do against the rule.
//  - Attributes of one record are bounded together (options.attributes_per_record), and their keys
//    by kMaxKeyBytes: more is the problem() of the record, which is then rejected alone.
//  - Of several members of an AnyValue the last one that is not null wins.
// Sources: OTLP 1.x "JSON Protobuf Encoding"; protobuf.dev/programming-guides/json.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "otlp/json_integer.h"
#include "wire/json_reader.h"

namespace throughline::otlp {

// Where a message stands in the document: a chain on the stack, spelled out only for errors.
struct JsonPath {
  static constexpr std::size_t kNotInList = SIZE_MAX;

  const JsonPath* parent = nullptr;
  std::string_view name;
  std::size_t index = kNotInList;  // In the list of that name.

  std::string Text() const;
};

// The number of an enumeration's name, or -1.
using EnumNumber = std::int64_t (*)(std::string_view name);

class JsonDecoder {
 public:
  // The options and the batch must outlive it.
  JsonDecoder(const DecodeOptions& options, Batch& batch) : options_(options), batch_(batch) {}
  JsonDecoder(const JsonDecoder&) = delete;
  JsonDecoder& operator=(const JsonDecoder&) = delete;

  // Parses the request, which is an object, and makes room for its attributes. Call it once, first.
  Result<wire::JsonValue> Parse(std::string_view bytes);
  // The same for a request that is a list.
  Result<wire::JsonValue> ParseList(std::string_view bytes);

  const DecodeOptions& options() const { return options_; }
  Batch& batch() { return batch_; }
  bool ok() const { return !failed_; }
  // When not ok().
  const Error& error() const { return error_; }
  // Keep the first problem. FailType: the field is of another type than `wanted`.
  void Fail(const JsonPath& at, std::string_view problem);
  void Fail(Error error);
  void FailType(std::string_view wanted, wire::JsonValue value, const JsonPath& at,
                std::string_view name);

  // Before the fields of a record.
  void BeginRecord() {
    attributes_end_ = batch_.attributes.size() + options_.attributes_per_record;
    problem_.clear();
  }
  // Why the record at hand is to be rejected; empty: it is not. Keeps the first.
  const std::string& problem() const { return problem_; }
  void Reject(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  // One field each, `name` of the message at `at`; empty: the value at `at` itself.
  std::uint64_t Uint64(wire::JsonValue value, const JsonPath& at, std::string_view name) {
    std::uint64_t number = 0;
    if (value.is_string() && IsPlainInteger(value.string(), number)) return number;
    if (value.is_integer() && value.integer() >= 0)
      return static_cast<std::uint64_t>(value.integer());
    return value.is_null() ? 0 : SlowUint64(value, at, name);
  }
  std::int64_t Int64(wire::JsonValue value, const JsonPath& at, std::string_view name) {
    std::uint64_t number = 0;
    if (value.is_string() && IsPlainInteger(value.string(), number) && number <= INT64_MAX) {
      return static_cast<std::int64_t>(number);
    }
    if (value.is_integer()) return value.integer();
    return value.is_null() ? 0 : SlowInt64(value, at, name);
  }
  std::uint32_t Uint32(wire::JsonValue value, const JsonPath& at, std::string_view name);
  std::int32_t Int32(wire::JsonValue value, const JsonPath& at, std::string_view name);
  // The number's 32 bits, as protobuf has them; any number is taken.
  std::uint32_t Enum(wire::JsonValue value, const JsonPath& at, std::string_view name,
                     EnumNumber number_of);
  double Double(wire::JsonValue value, const JsonPath& at, std::string_view name);
  bool Bool(wire::JsonValue value, const JsonPath& at, std::string_view name);
  // A view of the document: for ids, which are resolved at once.
  std::string_view Text(wire::JsonValue value, const JsonPath& at, std::string_view name) {
    if (value.is_string()) return value.string();
    if (!value.is_null()) FailType("a string", value, at, name);
    return {};
  }
  // The same in the batch's arena.
  std::string_view KeptText(wire::JsonValue value, const JsonPath& at, std::string_view name);
  // False: there is no list to walk.
  bool IsList(wire::JsonValue value, const JsonPath& at, std::string_view name) {
    if (value.is_array()) return true;
    if (!value.is_null()) FailType("an array", value, at, name);
    return false;
  }
  // False: there is no message to read; all its fields have their defaults.
  bool IsMessage(wire::JsonValue value, const JsonPath& at) {
    if (value.is_object()) return true;
    if (!value.is_null()) FailType("an object", value, at, {});
    return false;
  }

  // Appends a list of KeyValue to batch.attributes.
  Range Attributes(wire::JsonValue list, const JsonPath& at, std::string_view name);
  // The canonical AnyValue in the batch's arena; empty for no value.
  std::string_view AnyValue(wire::JsonValue value, const JsonPath& at, std::string_view name);
  // Append to batch.resources (batch.scopes) and return the index; kNoIndex where none was sent.
  std::uint32_t Resource(wire::JsonValue value, const JsonPath& at, std::string_view name);
  std::uint32_t Scope(wire::JsonValue value, const JsonPath& at, std::string_view name);

 private:
  Result<wire::JsonValue> ParseText(std::string_view bytes);
  bool Attribute(wire::JsonValue key_value, const JsonPath& at);
  // What stands for many records cannot be rejected with one of them.
  void RefuseProblem(const JsonPath& at);
  // Appends the canonical AnyValue to `out`. `depth` counts the arrays and maps around it.
  void AppendValue(wire::JsonValue value, const JsonPath& at, int depth, std::string& out);
  void AppendMember(wire::JsonValue value, std::string_view member, const JsonPath& at, int depth,
                    std::string& out);
  void AppendItems(wire::JsonValue container, const JsonPath& at, bool map, int depth,
                   std::string& out);
  void AppendMapItem(wire::JsonValue key_value, const JsonPath& at, int depth, std::string& out);
  // Decimal digits without a zero in front: what nearly all senders write. Others go the slow way.
  static bool IsPlainInteger(std::string_view text, std::uint64_t& number) {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end && text.front() != '0';
  }
  // An integer in any of its spellings; fails, and gives 0, where it is none or out of range.
  std::uint64_t SlowUint64(wire::JsonValue value, const JsonPath& at, std::string_view name);
  std::int64_t SlowInt64(wire::JsonValue value, const JsonPath& at, std::string_view name);
  DecimalInteger AnyInteger(wire::JsonValue value, const JsonPath& at, std::string_view name);
  void Fail(const JsonPath& at, std::string_view name, std::string_view problem);

  const DecodeOptions& options_;
  Batch& batch_;
  wire::JsonDocument document_;
  std::string value_;  // The AnyValue under way.
  std::string bytes_;  // The decoded base64 under way.
  std::size_t attributes_end_ = 0;
  std::string problem_;
  bool failed_ = false;
  Error error_;
};

// The fields of one message, by their place in `names`. Holds views of the document, of `names` and
// of `at`.
template <std::size_t kCount>
class JsonMessage {
 public:
  using Names = std::array<std::string_view, kCount>;

  JsonMessage(JsonDecoder& decoder, wire::JsonValue value, const Names& names, const JsonPath& at)
      : decoder_(decoder), names_(names), at_(at) {
    if (!decoder.IsMessage(value, at)) return;
    std::size_t expected = 0;  // Senders write fields in their order, nearly.
    for (wire::JsonMembers members(value); members.Next();) {
      const std::string_view key = members.key();
      for (std::size_t tried = 0; tried < kCount; ++tried) {
        const std::size_t i = expected;
        expected = expected + 1 == kCount ? 0 : expected + 1;
        if (names[i] == key) {
          values_[i] = members.value();
          break;
        }
      }
    }
  }

  const JsonPath& at() const { return at_; }
  wire::JsonValue operator[](std::size_t field) const { return values_[field]; }
  std::string_view name(std::size_t field) const { return names_[field]; }
  bool Has(std::size_t field) const { return !values_[field].is_null(); }

  std::uint64_t Uint64(std::size_t field) const {
    return decoder_.Uint64(values_[field], at_, names_[field]);
  }
  std::int64_t Int64(std::size_t field) const {
    return decoder_.Int64(values_[field], at_, names_[field]);
  }
  std::uint32_t Uint32(std::size_t field) const {
    return decoder_.Uint32(values_[field], at_, names_[field]);
  }
  std::int32_t Int32(std::size_t field) const {
    return decoder_.Int32(values_[field], at_, names_[field]);
  }
  std::uint32_t Enum(std::size_t field, EnumNumber number_of) const {
    return decoder_.Enum(values_[field], at_, names_[field], number_of);
  }
  double Double(std::size_t field) const {
    return decoder_.Double(values_[field], at_, names_[field]);
  }
  bool Bool(std::size_t field) const { return decoder_.Bool(values_[field], at_, names_[field]); }
  std::string_view Text(std::size_t field) const {
    return decoder_.Text(values_[field], at_, names_[field]);
  }
  std::string_view KeptText(std::size_t field) const {
    return decoder_.KeptText(values_[field], at_, names_[field]);
  }
  Range Attributes(std::size_t field) const {
    return decoder_.Attributes(values_[field], at_, names_[field]);
  }
  // Items of a list; 0 where there is none.
  std::size_t Count(std::size_t field) const {
    return values_[field].is_array() ? values_[field].count() : 0;
  }
  JsonPath Child(std::size_t field) const { return {.parent = &at_, .name = names_[field]}; }

  // Calls `each(value, path)` for the items of a list until one call leaves the decoder not ok(),
  // or gives false. False: it was so.
  template <typename Each>
  bool ForEach(std::size_t field, Each each) const {
    if (!decoder_.IsList(values_[field], at_, names_[field])) return decoder_.ok();
    JsonPath path{.parent = &at_, .name = names_[field], .index = 0};
    for (wire::JsonItems items(values_[field]); items.Next(); ++path.index) {
      if (!each(items.value(), path) || !decoder_.ok()) return false;
    }
    return true;
  }

 private:
  JsonDecoder& decoder_;
  const Names& names_;
  const JsonPath& at_;
  std::array<wire::JsonValue, kCount> values_;
};

// Makes room for `count` more, or the first of them, without giving up doubling.
inline constexpr std::size_t kMostExpected = 1U << 17U;
template <typename T>
void Expect(std::size_t count, std::vector<T>& records) {
  const std::size_t wanted = records.size() + std::min(count, kMostExpected);
  if (wanted > records.capacity()) records.reserve(std::max(wanted, 2 * records.capacity()));
}

// The names of the two levels around the records of a signal, and of their list.
struct JsonEnvelope {
  std::string_view resources;  // resourceSpans
  std::string_view scopes;     // scopeSpans
  std::string_view records;    // spans
};

// Walks a request. Calls `each(value, path, resource, scope)` for each record, where resource and
// scope are indices in the batch or kNoIndex, until one leaves the decoder not ok(), and before
// that `expect(count)` with how many come from one scope. Resources and scopes without records are
// passed by.
template <typename Expect, typename Each>
void ForEachRecord(JsonDecoder& decoder, wire::JsonValue request, const JsonEnvelope& envelope,
                   Expect expect, Each each) {
  const JsonMessage<1>::Names request_names = {envelope.resources};
  const JsonMessage<2>::Names resource_names = {"resource", envelope.scopes};
  const JsonMessage<2>::Names scope_names = {"scope", envelope.records};
  const JsonPath root;
  const JsonMessage<1> message(decoder, request, request_names, root);
  message.ForEach(0, [&](wire::JsonValue resource_value, const JsonPath& resource_path) {
    const JsonMessage<2> group(decoder, resource_value, resource_names, resource_path);
    std::uint32_t resource = kNoIndex;
    if (group.Count(1) > 0) resource = decoder.Resource(group[0], resource_path, group.name(0));
    return group.ForEach(1, [&](wire::JsonValue scope_value, const JsonPath& scope_path) {
      const JsonMessage<2> records(decoder, scope_value, scope_names, scope_path);
      std::uint32_t scope = kNoIndex;
      if (records.Count(1) > 0) scope = decoder.Scope(records[0], scope_path, records.name(0));
      expect(records.Count(1));
      return records.ForEach(1, [&](wire::JsonValue record, const JsonPath& path) {
        each(record, path, resource, scope);
        return decoder.ok();
      });
    });
  });
}

}  // namespace throughline::otlp
