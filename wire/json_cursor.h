// JSON read strictly and in place: value by value, without a tree, and knowing where each stands.
//
// For records that are many and small (a line each), and for answers that must keep every byte of
// the question. What is read is checked against the grammar, what is skipped too; numbers stay
// text. The bytes need no padding. UTF-8 is the caller's to check.
//
//   JsonCursor json(bytes);
//   for (json.BeginObject(); json.NextKey(key);) {
//     if (json.Peek() == JsonCursor::Type::kString) text = json.String(); else json.Skip();
//   }
//   if (!json.AtEnd()) ... json.error(), json.offset()
//
// A failure sticks: loops end, values come back empty, and ok() is false.
// Source: RFC 8259. One liberty: a lone surrogate escape is U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace throughline::wire {

// The bytes between the quotes, as they stand in the document.
struct JsonString {
  std::string_view raw;
  bool escaped = false;

  // The text: `raw` itself, or unescaped into `scratch`.
  std::string_view Text(std::string& scratch) const;
};

class JsonCursor {
 public:
  enum class Type { kNone, kObject, kArray, kString, kNumber, kTrue, kFalse, kNull };

  // Objects and arrays in one another.
  static constexpr std::size_t kMaxDepth = 512;

  explicit JsonCursor(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // The type of the value that stands next; kNone: none does.
  Type Peek();

  // False: not an object (an array). Then NextKey (NextItem) until false; after each true the
  // value must be read or skipped.
  bool BeginObject() { return Begin('{', "want an object"); }
  bool NextKey(JsonString& key);
  bool BeginArray() { return Begin('[', "want an array"); }
  bool NextItem();

  JsonString String();
  std::string_view Number();
  // true, false or null.
  bool Literal(std::string_view name);
  // Any value; gives its bytes.
  std::string_view Skip();

  // True when nothing but white space follows and nothing has failed.
  bool AtEnd();
  bool ok() const { return error_ == nullptr; }
  // Why it failed, and where. The offset of the next byte while nothing has.
  const char* error() const { return error_ == nullptr ? "" : error_; }
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  bool Fail(const char* error);
  void SkipSpace();
  bool Begin(char bracket, const char* error);
  bool End();
  bool Comma();
  bool Escape();

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* error_ = nullptr;
  std::size_t depth_ = 0;
  bool first_ = true;  // Nothing stands before, in the innermost object or array.
};

// Appends a character, which is no surrogate and at most U+10FFFF.
void AppendUtf8(std::uint32_t code, std::string& out);

// Appends the text of a string's raw bytes that a JsonCursor has read.
void AppendUnescaped(std::string_view raw, std::string& out);

}  // namespace throughline::wire
