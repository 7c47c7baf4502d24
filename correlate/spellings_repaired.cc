// The spellings that only broken senders write: decoded once more, and marked as repaired.
#include "correlate/digits.h"
#include "correlate/spellings.h"

namespace throughline::spellings {
namespace {

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

Resolved Repaired(TraceId id, Spelling spelling) {
  if (!id.IsValid()) return Refused("all zero");
  Resolved resolved;
  resolved.trace_id = id;
  resolved.spelling = spelling;
  resolved.repaired = true;
  return resolved;
}

// One byte of program text.
struct Unit {
  std::size_t length = 0;  // Of its spelling; 0: this is none.
  char value = 0;
  bool numeric = false;  // \x.. or \ooo, not a printable byte or \n.
};

// \xHH after the backslash, or \ooo.
Unit NumericUnit(std::string_view text, std::size_t backslash) {
  const std::string_view rest = text.substr(backslash);
  if (rest.size() >= 3 && rest[0] == 'x' && digits::IsHex(rest[1]) && digits::IsHex(rest[2])) {
    const int value = digits::HexValue(rest[1]) * 16 + digits::HexValue(rest[2]);
    return {.length = backslash + 3, .value = static_cast<char>(value), .numeric = true};
  }
  if (rest.size() >= 3 && rest[0] >= '0' && rest[0] <= '3' && rest[1] >= '0' && rest[1] <= '7' &&
      rest[2] >= '0' && rest[2] <= '7') {
    const int value = (rest[0] - '0') * 64 + (rest[1] - '0') * 8 + (rest[2] - '0');
    return {.length = backslash + 3, .value = static_cast<char>(value), .numeric = true};
  }
  return {};
}

Unit ReadUnit(std::string_view text) {
  constexpr std::string_view kLetters = "abfnrtv\\\"'";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\\"'";
  if (text.empty()) return {};
  if (text[0] != '\\') {
    const bool printable = text[0] >= ' ' && text[0] <= '~';
    if (!printable || text[0] == '"' || text[0] == '\'') return {};
    return {.length = 1, .value = text[0], .numeric = false};
  }
  // The backslash may itself be escaped: by JSON as \\, by access logs as \x5c.
  std::size_t backslash = 1;
  if (text.starts_with("\\\\x")) backslash = 2;
  if ((text.starts_with("\\x5c") || text.starts_with("\\x5C")) && text.size() > 4 &&
      text[4] == 'x') {
    backslash = 4;
  }
  if (const Unit unit = NumericUnit(text, backslash); unit.length > 0) return unit;
  if (text.size() < 2) return {};
  const std::size_t letter = kLetters.find(text[1]);
  if (letter == std::string_view::npos) return {};
  return {.length = 2, .value = kValues[letter], .numeric = false};
}

// Reads `count` bytes into `out`. 0 unless most of it is unmistakably escaped: a few escapes can
// stand in any text.
std::size_t ReadUnits(std::string_view text, char* out, std::size_t count) {
  constexpr std::size_t kMinNumeric = 4;
  std::size_t at = 0;
  std::size_t numeric = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Unit unit = ReadUnit(text.substr(at));
    if (unit.length == 0) return 0;
    at += unit.length;
    out[i] = unit.value;
    if (unit.numeric) ++numeric;
  }
  return numeric >= kMinNumeric ? at : 0;
}

}  // namespace

bool DecodeBase64(std::string_view text, char* out, std::size_t size) {
  while (!text.empty() && text.back() == '=' && text.size() % 4 != 1) text.remove_suffix(1);
  if (text.size() != (size * 4 + 2) / 3) return false;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return false;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[written++] = static_cast<char>((bits >> held) & 0xffU);
  }
  return written == size && (bits & ((1U << held) - 1U)) == 0;
}

Resolved ParseBase64(std::string_view text) {
  char bytes[16];
  // 22 hex digits are a stripped hex id sooner than base64 without its padding.
  if (digits::AllHex(text) || !DecodeBase64(text, bytes, sizeof bytes)) {
    return Refused("not base64 of 16 bytes");
  }
  return Repaired(TraceIdFromBytes(bytes), Spelling::kBase64);
}

Resolved ParseDoubleHex(std::string_view text) {
  char plain[32];
  if (text.size() != 64) return Refused("not 64 hex digits");
  for (std::size_t i = 0; i < sizeof plain; ++i) {
    const int high = digits::HexValue(text[2 * i]);
    const int low = digits::HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return Refused("not 64 hex digits");
    plain[i] = static_cast<char>(high * 16 + low);
  }
  TraceId id;
  if (!digits::ParseHex16(plain, id.high) || !digits::ParseHex16(plain + 16, id.low)) {
    return Refused("64 hex digits, want 16 or 32");
  }
  return Repaired(id, Spelling::kDoubleHex);
}

Resolved ParseEscapedBytes(std::string_view text) {
  char bytes[16];
  const std::size_t length = ReadUnits(text, bytes, sizeof bytes);
  if (length == 0 || length != text.size()) return Refused("not 16 escaped bytes");
  return Repaired(TraceIdFromBytes(bytes), Spelling::kEscapedBytes);
}

std::size_t EscapedBytesLength(std::string_view text, std::size_t count) {
  constexpr std::size_t kMaxCount = 16;
  char bytes[kMaxCount];
  return count <= kMaxCount ? ReadUnits(text, bytes, count) : 0;
}

}  // namespace throughline::spellings
