#include "correlate/analysis/log_pattern.h"

#include <algorithm>
#include <array>

#include "correlate/attribute.h"

namespace throughline {
namespace {

constexpr int kEnvelopes = 2;
constexpr std::size_t kEnvelopeMembers = 256;  // Looked at before an envelope is given up.

enum : std::uint8_t { kWord = 1, kDigit = 2, kSeparator = 4 };

constexpr std::array<std::uint8_t, 256> MakeClasses() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (digit) classes[c] |= kDigit;
    if (digit || letter) classes[c] |= kWord;
    if (c <= ' ' || c == 0x7f) classes[c] |= kSeparator;
  }
  for (const char c : {'[', ']', '(', ')', '{', '}', ',', ';', '|', '"', '\''}) {
    classes[static_cast<unsigned char>(c)] |= kSeparator;
  }
  return classes;
}
constexpr auto kClasses = MakeClasses();

bool Is(char c, std::uint8_t classes) {
  return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameWord(std::string_view word, std::string_view lower) {
  return word.size() == lower.size() && std::equal(word.begin(), word.end(), lower.begin(),
                                                   [](char a, char b) { return Lower(a) == b; });
}

LineGrade GradeOfWord(std::string_view word) {
  struct Level {
    std::string_view name;
    LineGrade grade;
  };
  static constexpr std::array kLevels = {
      Level{"trace", LineGrade::kBelowWarning}, Level{"debug", LineGrade::kBelowWarning},
      Level{"info", LineGrade::kBelowWarning},  Level{"notice", LineGrade::kBelowWarning},
      Level{"warn", LineGrade::kWarning},       Level{"warning", LineGrade::kWarning},
      Level{"error", LineGrade::kError},        Level{"err", LineGrade::kError},
      Level{"severe", LineGrade::kError},       Level{"fatal", LineGrade::kError},
      Level{"critical", LineGrade::kError},     Level{"panic", LineGrade::kError},
  };
  if (word.size() < 3 || word.size() > 8) return LineGrade::kUnknown;
  for (const Level& level : kLevels) {
    if (SameWord(word, level.name)) return level.grade;
  }
  return LineGrade::kUnknown;
}

// --- envelopes --------------------------------------------------------------------------------

// A JSON text that is looked through for a few members, never checked: what is no JSON gives no
// member.
class Envelope {
 public:
  explicit Envelope(std::string_view text) : text_(text) {}

  // False: it is none, or has no line.
  bool Open(std::string& line, std::string& level) {
    Skip();
    if (!Take('{')) return false;
    bool found = false;
    for (std::size_t i = 0; i < kEnvelopeMembers; ++i) {
      Skip();
      std::string_view key;
      if (!RawString(key)) break;
      Skip();
      if (!Take(':')) break;
      Skip();
      if (!Member(key, line, level, found)) break;
      Skip();
      if (!Take(',')) break;
    }
    return found;
  }

 private:
  bool Member(std::string_view key, std::string& line, std::string& level, bool& found) {
    if (at_ >= text_.size()) return false;
    std::string_view raw;
    if (text_[at_] != '"') return SkipValue();
    if (!RawString(raw)) {
      raw = text_.substr(at_ + 1);  // Cut off: what is there of it.
      at_ = text_.size();
    }
    if (!found && (key == "log" || key == "message" || key == "msg")) {
      line = Unescaped(raw);
      found = true;
    } else if (key == "level" || key == "severity" || key == "lvl") {
      level = Unescaped(raw.substr(0, kPatternWordBytes));
    }
    return true;
  }

  void Skip() {
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ') ++at_;
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // The inside of a string, as it is escaped. Stays where it is when there is none.
  bool RawString(std::string_view& raw) {
    if (at_ >= text_.size() || text_[at_] != '"') return false;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        raw = text_.substr(at_ + 1, i - at_ - 1);
        at_ = i + 1;
        return true;
      }
    }
    return false;
  }
  // To the ',' or '}' behind a value, over what is nested.
  bool SkipValue() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      std::string_view ignored;
      if (c == '"') {
        if (!RawString(ignored)) return false;
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (depth == 0 && (c == ',' || c == '}')) return true;
      if ((c == '}' || c == ']') && depth-- == 0) return false;
      ++at_;
    }
    return false;
  }
  static std::string Unescaped(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\' || i + 1 == raw.size()) {
        out += raw[i];
        continue;
      }
      const char c = raw[++i];
      if (c == 'n' || c == 'r') {
        out += '\n';
      } else if (c == 't') {
        out += '\t';
      } else if (c == 'u') {
        out += '*';  // One character, whichever.
        i = std::min(i + 4, raw.size() - 1);
      } else {
        out += c;
      }
    }
    return out;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

// --- words ------------------------------------------------------------------------------------

std::string_view FirstLine(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of("\r\n\t "), text.size());
  text.remove_prefix(begin);
  return text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
}

std::string_view NextWord(std::string_view& rest) {
  std::size_t begin = 0;
  while (begin < rest.size() && Is(rest[begin], kSeparator)) ++begin;
  std::size_t end = begin;
  while (end < rest.size() && !Is(rest[end], kSeparator)) ++end;
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

bool HasDigit(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return Is(c, kDigit); });
}

// "19:38:52.053", "2023-01-30T11:38:52Z", "2023/01/30", "+0000", "1675078732.05".
bool IsTime(std::string_view word) {
  bool digit = false;
  for (const char c : word) {
    const bool mark =
        c == ':' || c == '-' || c == '/' || c == '.' || c == '+' || c == 'T' || c == 'Z';
    if (!Is(c, kDigit) && !mark) return false;
    digit = digit || Is(c, kDigit);
  }
  return digit;
}

bool IsIdKey(std::string_view word) {
  static constexpr std::array<std::string_view, 6> kKeys = {"traceid", "spanid", "trace_id",
                                                            "span_id", "trace",  "span"};
  if (!word.ends_with(':')) return false;
  word.remove_suffix(1);
  return std::any_of(kKeys.begin(), kKeys.end(),
                     [word](std::string_view key) { return SameWord(word, key); });
}

// "BasicServiceImpl#405", "main.go:17", "views.py:120": where a statement stands.
bool IsPlace(std::string_view word) {
  const std::size_t mark = word.find_last_of("#:");
  if (mark == word.npos || mark == 0 || mark + 1 == word.size() || mark + 7 < word.size()) {
    return false;
  }
  const auto digits = word.substr(mark + 1);
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return Is(c, kDigit); }))
    return false;
  const std::string_view name = word.substr(0, mark);
  if (word[mark] == ':') {
    // host:80 and 10:30 are no places; a file has a suffix of letters.
    const std::size_t dot = name.rfind('.');
    return dot != name.npos && dot > 0 && dot + 1 < name.size() && !HasDigit(name.substr(dot));
  }
  return !Is(name.front(), kDigit);
}

// At most kPatternWordBytes, not within a character.
std::string_view Cut(std::string_view word) {
  if (word.size() <= kPatternWordBytes) return word;
  std::size_t end = kPatternWordBytes;
  while (end > 0 && (static_cast<unsigned char>(word[end]) & 0xc0U) == 0x80) --end;
  return word.substr(0, end);
}

// The simple name of the last exception; empty: none.
std::string_view LastException(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kEndings = {"Exception", "Error", "Throwable",
                                                               "Panic"};
  for (std::size_t end = text.size(); end > 0;) {
    // Names end where a word does.
    if (!Is(text[end - 1], kWord)) {
      --end;
      continue;
    }
    std::size_t begin = end;
    while (begin > 0 && Is(text[begin - 1], kWord)) --begin;
    const std::string_view name = text.substr(begin, end - begin);
    for (const std::string_view ending : kEndings) {
      if (name.size() > ending.size() && name.ends_with(ending)) return Cut(name);
    }
    end = begin;
  }
  return {};
}

class Builder {
 public:
  void Add(std::string_view word) {
    if (word == "*" && last_ == "*") return;
    if (!pattern.text.empty()) pattern.text += ' ';
    pattern.text += word;
    last_ = word;
    ++words_;
  }
  bool full() const { return words_ == kPatternWords; }
  bool empty() const { return words_ == 0; }
  LogPattern pattern;

 private:
  std::string_view last_;  // Of the line, or a literal.
  std::size_t words_ = 0;
};

void AddKeyValue(std::string_view word, std::size_t equals, Builder& builder,
                 std::string& scratch) {
  const std::string_view key = word.substr(0, equals);
  const LineGrade grade = GradeOfWord(word.substr(equals + 1));
  const bool level = SameWord(key, "level") || SameWord(key, "lvl") || SameWord(key, "severity");
  if (level && grade != LineGrade::kUnknown) {
    if (builder.pattern.grade == LineGrade::kUnknown) builder.pattern.grade = grade;
    builder.Add(word);
    return;
  }
  scratch = HasDigit(key) ? "*" : std::string(Cut(key));
  scratch += "=*";
  builder.Add(scratch);
}

void AddWords(std::string_view text, Builder& builder) {
  std::string_view rest = text;
  std::string scratch;
  bool value_follows = false;
  while (!builder.full()) {
    const std::string_view word = NextWord(rest);
    if (word.empty()) return;
    if (builder.empty() && IsTime(word)) continue;
    if (IsIdKey(word)) {
      const std::string_view id = NextWord(rest);  // The id goes too.
      value_follows = id.ends_with(':');
      continue;
    }
    const LineGrade grade =
        GradeOfWord(word.ends_with(':') ? word.substr(0, word.size() - 1) : word);
    const std::size_t equals = word.find('=');
    if (grade != LineGrade::kUnknown && builder.pattern.grade == LineGrade::kUnknown) {
      builder.pattern.grade = grade;
      builder.Add(word);
    } else if (value_follows) {
      builder.Add("*");
    } else if (equals != word.npos && equals > 0) {
      AddKeyValue(word, equals, builder, scratch);
    } else if (HasDigit(word) && !IsPlace(word)) {
      builder.Add("*");
    } else {
      builder.Add(Cut(word));
    }
    value_follows = word.ends_with(':') && grade == LineGrade::kUnknown;
  }
}

}  // namespace

LogPattern PatternOf(std::string_view text) {
  text = text.substr(0, kPatternScanBytes);
  std::string opened;
  std::string level;
  for (int i = 0; i < kEnvelopes; ++i) {
    std::string inner;
    if (!Envelope(text).Open(inner, level)) break;
    opened = std::move(inner);
    text = opened;
  }
  const std::string_view line = FirstLine(text);
  Builder builder;
  if (const LineGrade grade = GradeOfWord(level); grade != LineGrade::kUnknown) {
    builder.pattern.grade = grade;
    builder.Add(level);
  }
  AddWords(line, builder);
  if (const std::string_view name = LastException(line); !name.empty()) {
    if (!builder.pattern.text.empty()) builder.pattern.text += ' ';
    builder.pattern.text.append("exc=").append(name);
  }
  return std::move(builder.pattern);
}

LogPattern PatternOf(const LogLine& line) {
  const Value body = ReadValue(line.body);
  std::string_view text = body.type == ValueType::kString ? body.bytes : std::string_view();
  if (body.type == ValueType::kMap) {
    ValueItems items(body);
    while (text.empty() && items.Next()) {
      const bool is_line = items.key == "message" || items.key == "msg" || items.key == "log" ||
                           items.key == "event" || items.key == "body";
      if (is_line) text = StringOf(items.value);
    }
  }
  LogPattern pattern = PatternOf(text.empty() ? line.event_name : text);
  if (line.severity_number >= 17) {
    pattern.grade = LineGrade::kError;
  } else if (line.severity_number >= 13) {
    pattern.grade = LineGrade::kWarning;
  } else if (line.severity_number >= 1) {
    pattern.grade = LineGrade::kBelowWarning;
  }
  return pattern;
}

}  // namespace throughline
