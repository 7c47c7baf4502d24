// Writes JSON by appending to a string. Commas are its business, well-formedness the caller's.
//
//   JsonWriter json(out);
//   json.BeginObject();
//   json.Key("spans").BeginArray(); ... json.EndArray();
//   json.EndObject();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace throughline::wire {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);

  // Text of any bytes: control characters are escaped, and what is no UTF-8 becomes U+FFFD.
  JsonWriter& String(std::string_view text);
  JsonWriter& Int(std::int64_t value);
  JsonWriter& Uint(std::uint64_t value);
  // Shortest text that reads back as the same double; NaN and infinities as strings.
  JsonWriter& Double(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // Decimal in a string: the form of 64-bit times.
  JsonWriter& UintString(std::uint64_t value);
  // Already JSON.
  JsonWriter& Raw(std::string_view json);

 private:
  void Separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }
  JsonWriter& Open(char bracket) {
    Separate();
    out_ += bracket;
    comma_ = false;
    return *this;
  }
  JsonWriter& Close(char bracket) {
    out_ += bracket;
    comma_ = true;
    return *this;
  }

  std::string& out_;
  bool comma_ = false;  // A value stands before, at this level.
};

// Appends `text` as a JSON string with its quotes.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace throughline::wire
