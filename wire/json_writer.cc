#include "wire/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace throughline::wire {
namespace {

// The length of the valid UTF-8 sequence at `text`, or 0.
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80U) return 1;
  if (first >= 0xc2U && first < 0xe0U) return continues(1) ? 2 : 0;
  if (first >= 0xe0U && first < 0xf0U) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0U && byte(1) < 0xa0U) return 0;
    if (first == 0xedU && byte(1) >= 0xa0U) return 0;  // Surrogates.
    return 3;
  }
  if (first >= 0xf0U && first < 0xf5U) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0U && byte(1) < 0x90U) return 0;
    if (first == 0xf4U && byte(1) >= 0x90U) return 0;
    return 4;
  }
  return 0;
}

// True for bytes that stand for themselves in a JSON string.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < 0x80; ++i) plain[i] = i != '"' && i != '\\';
  return plain;
}();

void AppendEscaped(unsigned char byte, std::string& out) {
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: {
      constexpr char kDigits[] = "0123456789abcdef";
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t run = at;
    while (at < text.size() && kPlain[static_cast<unsigned char>(text[at])]) ++at;
    out.append(text.data() + run, at - run);
    if (at == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      AppendEscaped(byte, out);
      ++at;
    } else if (const std::size_t length = Utf8Length(text.substr(at)); length > 0) {
      out.append(text.data() + at, length);
      at += length;
    } else {
      out += "\xef\xbf\xbd";
      ++at;
    }
  }
  out += '"';
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  AppendJsonString(name, out_);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  AppendJsonString(text, out_);
  return *this;
}

JsonWriter& JsonWriter::Int(std::int64_t value) {
  Separate();
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out_.append(digits, end.ptr);
  return *this;
}

JsonWriter& JsonWriter::Uint(std::uint64_t value) {
  Separate();
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out_.append(digits, end.ptr);
  return *this;
}

JsonWriter& JsonWriter::Double(double value) {
  if (std::isnan(value)) return String("NaN");
  if (std::isinf(value)) return String(value > 0 ? "Infinity" : "-Infinity");
  Separate();
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out_.append(digits, end.ptr);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  Separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::Null() {
  Separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::UintString(std::uint64_t value) {
  Separate();
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out_ += '"';
  out_.append(digits, end.ptr);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
  return *this;
}

}  // namespace throughline::wire
