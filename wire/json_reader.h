// A JSON text, parsed and checked as a whole, then walked without copies.
//
//   JsonDocument document;
//   const auto root = document.Parse(bytes);
//   if (!root) ... root.error().offset
//   for (JsonMembers members(*root); members.Next();) {
//     if (members.key() == "spans") ... members.value()
//   }
//
// simdjson does the parsing; its header stays in json_reader.cc, and the walk below reads the tape
// that it leaves. The whole text is checked before the first value is seen: grammar, UTF-8,
// surrogates, depth. Integers of 64 bits are exact. Integers over 64 bits are doubles, as are
// numbers with a point or an exponent; -0 is the integer 0. Members and items come in the order of
// the text; equal keys all come, so that callers who let the last one win do what most parsers do.
// Sources: RFC 8259; simdjson, doc/tape.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "wire/error.h"
#include "wire/json_fault.h"

namespace throughline::wire {

// Levels of arrays and objects in one text; deeper ones are kMalformed. Enough for the deepest
// value that the domain keeps, in OTLP's spelling: four levels for each of its 64, and the
// envelope.
inline constexpr std::size_t kMaxJsonDepth = 512;

// Parse reads this far past its input.
inline constexpr std::size_t kJsonPadding = 64;

enum class JsonType : std::uint8_t {
  kNull,
  kBool,
  kInt,     // Fits 64 bits with a sign.
  kUint,    // Only above the largest kInt.
  kDouble,  // Finite.
  kString,
  kArray,
  kObject,
};

// One value of a document: a view, valid as long as the document's last Parse. A default one is
// null. The accessors are for the type they name; others give nonsense inside the document.
class JsonValue {
 public:
  JsonValue() = default;

  JsonType type() const {
    if (tape_ == nullptr) return JsonType::kNull;
    switch (*tape_ >> kTagShift) {
      case 't':
      case 'f': return JsonType::kBool;
      case 'l': return JsonType::kInt;
      case 'u': return JsonType::kUint;
      case 'd': return JsonType::kDouble;
      case '"': return JsonType::kString;
      case '[': return JsonType::kArray;
      case '{': return JsonType::kObject;
      default: return JsonType::kNull;
    }
  }
  bool is_null() const { return type() == JsonType::kNull; }
  bool is_string() const { return Is('"'); }
  bool is_integer() const { return Is('l'); }
  bool is_array() const { return Is('['); }
  bool is_object() const { return Is('{'); }

  bool boolean() const { return Is('t'); }
  std::int64_t integer() const { return static_cast<std::int64_t>(tape_[1]); }
  std::uint64_t unsigned_integer() const { return tape_[1]; }
  double number() const {
    double value = 0;
    std::memcpy(&value, tape_ + 1, sizeof value);
    return value;
  }
  // Unescaped; may hold any character, U+0000 included.
  std::string_view string() const {
    const char* const at = strings_ + (*tape_ & kPayload);
    std::uint32_t size = 0;
    std::memcpy(&size, at, sizeof size);
    return {at + sizeof size, size};
  }
  // Items of an array, members of an object; counts no further than kMaxCount.
  static constexpr std::size_t kMaxCount = 0xffffff;
  std::size_t count() const { return (*tape_ >> 32U) & kMaxCount; }

 private:
  friend class JsonDocument;
  friend class JsonItems;
  friend class JsonMembers;

  static constexpr unsigned kTagShift = 56;
  static constexpr std::uint64_t kPayload = (std::uint64_t{1} << kTagShift) - 1;

  JsonValue(const std::uint64_t* base, const std::uint64_t* tape, const char* strings)
      : base_(base), tape_(tape), strings_(strings) {}

  bool Is(char tag) const {
    return tape_ != nullptr && (*tape_ >> kTagShift) == static_cast<std::uint64_t>(tag);
  }
  // The first word after this value.
  const std::uint64_t* End() const {
    switch (*tape_ >> kTagShift) {
      case '{':
      case '[': return base_ + (*tape_ & 0xffffffffU);
      case 'l':
      case 'u':
      case 'd': return tape_ + 2;
      default: return tape_ + 1;
    }
  }

  const std::uint64_t* base_ = nullptr;
  const std::uint64_t* tape_ = nullptr;
  const char* strings_ = nullptr;
};

// Walks an array.
class JsonItems {
 public:
  explicit JsonItems(JsonValue array)
      : value_(array.base_, array.tape_ + 1, array.strings_), end_(array.End() - 1) {}
  bool Next() {
    value_.tape_ = next_ == nullptr ? value_.tape_ : next_;
    if (value_.tape_ == end_) return false;
    next_ = value_.End();
    return true;
  }
  JsonValue value() const { return value_; }

 private:
  JsonValue value_;
  const std::uint64_t* next_ = nullptr;
  const std::uint64_t* end_;
};

// Walks an object.
class JsonMembers {
 public:
  explicit JsonMembers(JsonValue object)
      : key_(object), next_(object.tape_ + 1), end_(object.End() - 1) {}
  bool Next() {
    if (next_ == end_) return false;
    key_.tape_ = next_;
    next_ = value().End();
    return true;
  }
  std::string_view key() const { return key_.string(); }
  JsonValue value() const { return {key_.base_, key_.tape_ + 1, key_.strings_}; }

 private:
  JsonValue key_;
  const std::uint64_t* next_;
  const std::uint64_t* end_;
};

// Owns what a parse leaves behind. One thread at a time; cheap to make, since each thread keeps the
// memory of one small document for the next one made.
class JsonDocument {
 public:
  JsonDocument();
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // Parses one text, with or without a byte order mark, that is followed by kJsonPadding readable
  // bytes. Ends the validity of earlier values. kMalformed with the offset of the first byte that
  // cannot stand there; kTooLarge where memory for about 14 times `bytes` cannot be had.
  Result<JsonValue> Parse(std::string_view bytes);

  // A kDouble of the last Parse as it was written, for who must not round it. Views the bytes that
  // were parsed. The first call after a Parse reads them all once more, slowly.
  std::string_view TextOf(JsonValue number);

 private:
  struct Parser;

  std::unique_ptr<Parser> parser_;
  std::string_view text_;
  // For TextOf: where the doubles stand in the text, and on the tape.
  std::vector<JsonDouble> doubles_;
  std::vector<std::uint32_t> tape_doubles_;
};

}  // namespace throughline::wire
