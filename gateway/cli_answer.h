// An answer of the API as the client commands read it: JSON that may lack anything.
//
// A Json is a view of its document; what is absent or of another type reads as empty, because a
// newer or older gateway may answer with other fields, and a command must not crash over that.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"

namespace throughline::gateway {

class Json {
 public:
  Json() = default;
  explicit Json(simdjson::dom::element element) : element_(element) {}

  bool present() const { return element_.has_value() && !element_->is_null(); }
  Json operator[](std::string_view key) const;
  std::string_view Text() const;  // Of a string; else empty.
  // Of a number, or of a string that is a decimal number: the API writes 64-bit times as strings.
  std::uint64_t Uint() const;
  double Number() const;
  bool Bool() const;
  std::vector<Json> Items() const;                                // Of an array; else empty.
  std::vector<std::pair<std::string_view, Json>> Fields() const;  // Of an object; else empty.
  // A string as it is; everything else as JSON.
  std::string ToText() const;

 private:
  std::optional<simdjson::dom::element> element_;
};

// A parsed answer. Owns what its root views; neither copied nor moved.
class JsonDocument {
 public:
  JsonDocument() = default;
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // False: not JSON.
  bool Parse(std::string_view text);
  Json root() const { return root_; }

 private:
  simdjson::dom::parser parser_;
  Json root_;
};

// "1.84 s", "461 ms", "12.3 us", "0".
std::string DurationText(std::uint64_t ns);
// UTC: "2026-01-31 23:59:59.123". "-" for 0.
std::string TimeText(std::uint64_t unix_ns);
// Only "23:59:59.123".
std::string ClockText(std::uint64_t unix_ns);
// "1 span", "8 spans".
std::string CountText(std::uint64_t count, std::string_view noun);
// The severity of a log line; "-" where it is not known.
std::string SeverityText(const Json& line);
// Texts of an array, by ", ".
std::string Joined(const Json& array);
// The shortest decimal of a JSON number, or the text of a string ("+Inf").
std::string NumberText(const Json& number);

}  // namespace throughline::gateway
