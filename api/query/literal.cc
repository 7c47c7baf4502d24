#include "api/query/literal.h"

#include <cstdint>

#include "wire/json_cursor.h"

namespace throughline::api::query {
namespace {

class Reader {
 public:
  Reader(std::string_view text, std::size_t& at) : text_(text), at_(at) {}

  Result<std::string> Read() {
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == quote) return value;
      if (c == '\\' && quote != '`') {
        TL_TRY(Escape(value));
      } else {
        value += c;
      }
    }
    return InvalidArgument("want the closing quote");
  }

 private:
  Result<void> Escape(std::string& value) {
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    constexpr std::string_view kLetters = "abfnrtv\\\"'";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"'";
    if (const std::size_t i = kLetters.find(c); c != '\0' && i != kLetters.npos) {
      value += kMeanings[i];
      return {};
    }
    if (c == 'x') return Code(2, 16, true, value);
    if (c == 'u') return Code(4, 16, false, value);
    if (c == 'U') return Code(8, 16, false, value);
    if (c >= '0' && c <= '7') {
      --at_;
      return Code(3, 8, true, value);
    }
    return InvalidArgument("unknown escape");
  }

  // `count` digits: a byte, or a code point.
  Result<void> Code(std::size_t count, std::uint32_t base, bool is_byte, std::string& value) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = at_ < text_.size() ? text_[at_++] : '\0';
      std::uint32_t digit = 99;
      if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0');
      if (c >= 'a' && c <= 'f') digit = static_cast<std::uint32_t>(c - 'a') + 10;
      if (c >= 'A' && c <= 'F') digit = static_cast<std::uint32_t>(c - 'A') + 10;
      if (digit >= base) {
        return InvalidArgument("want " + std::to_string(count) + " digits in an escape");
      }
      number = number * base + digit;
    }
    const bool surrogate = number >= 0xd800 && number < 0xe000;
    if (number > (is_byte ? 0xffU : 0x10ffffU) || (!is_byte && surrogate)) {
      return InvalidArgument("escape out of range");
    }
    if (is_byte) {
      value += static_cast<char>(number);
    } else {
      wire::AppendUtf8(number, value);
    }
    return {};
  }

  const std::string_view text_;
  std::size_t& at_;
};

}  // namespace

Result<std::string> ReadLiteral(std::string_view text, std::size_t& at) {
  return Reader(text, at).Read();
}

}  // namespace throughline::api::query
