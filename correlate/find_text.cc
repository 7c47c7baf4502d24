#include "correlate/find_text.h"

#include <algorithm>

#include "correlate/digits.h"
#include "correlate/find_key.h"

namespace throughline {
namespace {

bool IsQuote(char c) { return c == '"' || c == '\'' || c == '`'; }

// What was read between a name and its value.
struct Between {
  bool spaced = false;     // White space, a colour, a bracket: something sets the value apart.
  bool separated = false;  // = or : or a comma between quoted texts.
  bool bracketed = false;
  bool comma = false;     // The separator was the comma of ('trace_id', '4bf9...').
  int quotes_before = 0;  // Of the separator.
  int quotes_after = 0;

  bool AddQuote() {
    if (separated) return ++quotes_after <= 1;
    ++quotes_before;
    return quotes_before == 1 || (quotes_before == 2 && spaced);
  }
  bool AddSeparator() {
    if (separated || quotes_before > 1) return false;
    separated = true;
    return true;
  }
  bool AddBracket(char c) {
    if (is_open()) return false;
    const bool closes = c == ']' || c == ')';
    if (closes && (separated || bracketed)) return false;  // trace_id=[] and get_trace_id().
    bracketed = bracketed || !closes;
    spaced = true;
    return true;
  }
  bool is_open() const { return quotes_after == 1 || quotes_before == 2; }
  // The end of a quoted sentence is no name: without = or : the name needs quotes of its own.
  bool NeedsQuotedName() const { return comma || (!separated && quotes_before > 0); }
  bool IsComplete() const {
    if (NeedsQuotedName() && !is_open()) return false;
    return separated || spaced || is_open();
  }
};

}  // namespace

bool LineText::IsDelimitedBefore(std::size_t at) const {
  if (at == 0) return true;
  const char c = line_[at - 1];
  if (c == '=' || c == ':') return true;
  return !value_bytes::IsIn(value_bytes::kValue, c) && c != '\\';
}

std::size_t LineText::LongNameBegin(std::size_t at) const {
  std::size_t begin = at;
  const std::size_t limit = at > keys::kMaxPrefixBytes ? at - keys::kMaxPrefixBytes : 0;
  while (begin > limit && keys::IsKeyByte(line_[begin - 1])) --begin;
  if (begin == 0) return begin;
  const char before = line_[begin - 1];
  if (before == '\\' && (line_[begin] == 'n' || line_[begin] == 't' || line_[begin] == 'r')) {
    return begin + 1;
  }
  if (before != '[' && before != ';') return begin;
  // The end of a colour: "33m" after "[", or "1;33m".
  std::size_t end = begin;
  while (end < at && digits::IsDecimal(line_[end])) ++end;
  return end > begin && end < at && line_[end] == 'm' ? end + 1 : begin;
}

bool LineText::IsNameEnd(std::size_t end) const {
  const char c = At(end);
  if (digits::IsAlnum(c) || c == '_') return false;
  return !((c == '-' || c == '.' || c == '/') && digits::IsAlnum(At(end + 1)));
}

std::size_t LineText::ColourLength(std::size_t at) const {
  const char c = At(at);
  if (c != '\x1b' && c != '\\' && c != '#') return 0;
  constexpr std::string_view kEscapes[] = {"\x1b", "\\u001b", "\\x1b", "\\033", "\\e", "#033"};
  for (const std::string_view escape : kEscapes) {
    if (!IsWord(at, escape) || At(at + escape.size()) != '[') continue;
    std::size_t end = at + escape.size() + 1;
    const std::size_t limit = end + 16;
    while (end < limit && (digits::IsDecimal(At(end)) || At(end) == ';')) ++end;
    if (digits::IsLetter(At(end))) return end + 1 - at;
  }
  return 0;
}

std::size_t LineText::QuoteLength(std::size_t at) const {
  constexpr std::size_t kMaxBackslashes = 15;  // JSON in JSON in JSON in JSON.
  if (IsQuote(At(at))) return 1;
  std::size_t end = at;
  while (end - at < kMaxBackslashes && At(end) == '\\') ++end;
  if (IsQuote(At(end))) return end + 1 - at;
  if (end > at && IsWord(end, "u0022")) return end + 5 - at;
  return 0;
}

bool LineText::FindAnyValue(std::size_t name_begin, std::size_t name_end, Value& value) const {
  constexpr std::string_view kWideColon = "\xef\xbc\x9a";  // Of Chinese text.
  const std::size_t limit = std::min(line_.size(), name_end + kMaxSeparatorBytes);
  std::size_t at = name_end;
  Between between;
  while (at < limit) {
    const char c = line_[at];
    if (c == ' ' || c == '\t') {
      between.spaced = true;
      ++at;
    } else if (c == '=' || c == ':') {
      if (!between.AddSeparator()) return false;
      at += At(at + 1) == '>' || At(at + 1) == '=' ? 2U : 1U;
    } else if (c == '-' && At(at + 1) == '>') {
      if (!between.AddSeparator()) return false;
      at += 2;
    } else if (digits::IsAlnum(c) && !(c == 'b' && IsQuote(At(at + 1)))) {
      break;
    } else if (c == kWideColon[0] && line_.substr(at, kWideColon.size()) == kWideColon) {
      if (!between.AddSeparator()) return false;
      at += kWideColon.size();
    } else if (c == ',' && between.quotes_before == 1 && !between.separated) {
      between.separated = true;
      between.comma = true;
      ++at;
    } else if (c == '[' || c == '(' || c == '{' || c == '<' || c == ']' || c == ')') {
      if (!between.AddBracket(c)) return false;
      ++at;
    } else if (const std::size_t colour = ColourLength(at); colour > 0) {
      between.spaced = true;
      at += colour;
    } else if (const std::size_t quote = QuoteLength(at); quote > 0) {
      if (!between.AddQuote()) return false;
      at += quote;
    } else if (c == 'b' && between.quotes_after == 0 && IsQuote(At(at + 1))) {
      ++at;  // Python's b'4bf9...'.
    } else {
      break;
    }
  }
  if (at >= limit || !between.IsComplete()) return false;
  if (between.NeedsQuotedName() && !(name_begin > 0 && IsQuote(line_[name_begin - 1]))) {
    return false;
  }
  value.begin = at;
  value.quoted = between.is_open();
  return true;
}

std::size_t LineText::ValueEnd(std::size_t begin, Run run) {
  const auto kind = static_cast<std::size_t>(run);
  const std::uint8_t wanted = run == Run::kHeader ? value_bytes::kHeader : value_bytes::kValue;
  if (begin < run_begin_[kind] || begin > run_end_[kind]) {
    std::size_t end = begin;
    std::uint64_t unused = 0;
    char last = '-';
    while (end < line_.size()) {
      // Where digits may begin, 16 at once.
      if ((last == '-' || last == ':') && line_.size() - end >= 16 &&
          digits::ParseHex16(line_.data() + end, unused)) {
        end += 16;
        continue;
      }
      const char c = line_[end];
      const bool is_pause = run == Run::kHeader && c == ' ' && last == ';';
      if (!value_bytes::IsIn(wanted, c) && !is_pause) break;
      last = c;
      ++end;
    }
    run_begin_[kind] = begin;
    run_end_[kind] = end;
  }
  std::size_t end = run_end_[kind];
  while (end > begin && line_[end - 1] == ' ') --end;
  if (end > begin && line_[end - 1] == ';') --end;
  if (end > begin && (line_[end - 1] == '.' || line_[end - 1] == ':')) --end;
  return end;
}

std::size_t LineText::SkipSpaces(std::size_t at) const {
  constexpr std::size_t kMaxSpaces = 32;
  const std::size_t limit = at + kMaxSpaces;
  while (at < limit && (At(at) == ' ' || At(at) == '\n' || At(at) == '\t' || At(at) == '\r')) ++at;
  return at;
}

std::size_t LineText::NestedIdEnd(std::size_t at) const {
  constexpr std::size_t kMaxObjectBytes = 256;
  const std::size_t quote = QuoteLength(at);
  if (quote == 0) return kNowhere;
  at = SkipSpaces(at + quote);
  if (At(at) != ':') return kNowhere;
  at = SkipSpaces(at + 1);
  if (At(at) != '{') return kNowhere;
  const std::size_t limit = std::min(line_.size(), at + kMaxObjectBytes);
  for (++at; at < limit && line_[at] != '}' && line_[at] != '{'; ++at) {
    if ((line_[at] == 'i' || line_[at] == 'I') && IsWord(at, "id") && IsQuote(line_[at - 1]) &&
        QuoteLength(at + 2) > 0) {
      return at + 2;
    }
  }
  return kNowhere;
}

bool LineText::IsInDatadogObject(std::size_t at) const {
  constexpr std::size_t kMaxBackBytes = 256;
  const std::size_t limit = at > kMaxBackBytes ? at - kMaxBackBytes : 0;
  int depth = 0;
  while (at > limit) {
    const char c = line_[--at];
    if (c == '}') ++depth;
    if (c == '{' && depth-- == 0) break;
  }
  if (At(at) != '{') return false;
  const auto skip_back = [this, limit](std::size_t from, std::string_view bytes) {
    while (from > limit && bytes.find(line_[from - 1]) != std::string_view::npos) --from;
    return from;
  };
  at = skip_back(at, " :\t\n\"'\\");
  return at >= 3 && IsWord(at - 2, "dd") && IsQuote(line_[at - 3]);
}

}  // namespace throughline
