#include "api/url.h"

namespace throughline::api {

void AppendPercentEncoded(std::string_view text, std::string& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (letter || digit || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
}

}  // namespace throughline::api
