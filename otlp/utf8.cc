#include "otlp/utf8.h"

#include "wire/json_cursor.h"
#include "wire/json_writer.h"

namespace throughline::otlp {
namespace {

// The size of the sequence that begins at `at`; 0: it is none.
std::size_t SequenceSize(const unsigned char* at, std::size_t left) {
  const auto continues = [at](std::size_t i) { return (at[i] & 0xc0U) == 0x80U; };
  const unsigned first = at[0];
  if (first < 0x80U) return 1;
  if (first < 0xc2U) return 0;
  if (first < 0xe0U) return left >= 2 && continues(1) ? 2 : 0;
  if (first < 0xf0U) {
    if (left < 3 || !continues(1) || !continues(2)) return 0;
    const unsigned lead = (first << 8U) | at[1];
    return lead < 0xe0a0U || (lead >= 0xeda0U && lead < 0xee00U) ? 0 : 3;
  }
  if (left < 4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  const unsigned lead = (first << 8U) | at[1];
  return lead < 0xf090U || lead >= 0xf490U ? 0 : 4;
}

}  // namespace

bool IsLongUtf8(std::string_view text) {
  constexpr std::size_t kWindow = 32;
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  while (left > 0) {
    // Most of such text is ASCII nevertheless.
    while (left >= kWindow && IsAscii(reinterpret_cast<const char*>(at), kWindow)) {
      at += kWindow;
      left -= kWindow;
    }
    if (left == 0) return true;
    const std::size_t size = SequenceSize(at, left);
    if (size == 0) return false;
    at += size;
    left -= size;
  }
  return true;
}

// As a JSON string and back, since those are the rules.
std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string json;
  wire::AppendJsonString(text, json);
  std::string replaced;
  wire::AppendUnescaped(std::string_view(json).substr(1, json.size() - 2), replaced);
  return replaced;
}

}  // namespace throughline::otlp
