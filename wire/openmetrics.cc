#include "wire/openmetrics.h"

#include <algorithm>
#include <charconv>

namespace throughline::wire {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsNameStart(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || c == '_' || c == ':';
}

// Takes digits off the front.
std::string_view TakeDigits(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), IsDigit);
  const std::string_view digits = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(digits.size());
  return digits;
}

// A decimal number without its sign: mantissa * 10^exponent.
class Decimal {
 public:
  // The whole of `text`; false: it is none.
  bool Parse(std::string_view text) {
    const std::string_view whole = TakeDigits(text);
    for (const char digit : whole) Add(digit, false);
    std::string_view fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = TakeDigits(text);
      for (const char digit : fraction) Add(digit, true);
    }
    if (whole.empty() && fraction.empty()) return false;
    return text.empty() || ParseExponent(text);
  }

  // mantissa * 10^(exponent + shift), cut off and saturated.
  std::uint64_t Shifted(int shift) const {
    std::uint64_t value = mantissa_;
    int power = exponent_ + shift;
    for (; power > 0 && value > 0; --power) {
      if (value > UINT64_MAX / 10) return UINT64_MAX;
      value *= 10;
    }
    for (; power < 0 && value > 0; ++power) value /= 10;
    return value;
  }

 private:
  // What the mantissa does not hold only moves the point.
  void Add(char digit, bool fraction) {
    constexpr int kMostDigits = 100'000;
    const bool holds = mantissa_ <= (UINT64_MAX - 9) / 10;
    if (holds) mantissa_ = mantissa_ * 10 + static_cast<std::uint64_t>(digit - '0');
    if (holds == fraction) exponent_ += fraction ? -1 : 1;
    exponent_ = std::clamp(exponent_, -kMostDigits, kMostDigits);
  }

  bool ParseExponent(std::string_view text) {
    constexpr int kMost = 100'000;
    if (text.front() != 'e' && text.front() != 'E') return false;
    text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const std::string_view digits = TakeDigits(text);
    if (digits.empty() || !text.empty()) return false;
    int power = 0;
    for (const char digit : digits) power = std::min(power * 10 + (digit - '0'), kMost);
    exponent_ += negative ? -power : power;
    return true;
  }

  std::uint64_t mantissa_ = 0;
  int exponent_ = 0;
};

// A time of which a nanosecond is 10^-nano_digits.
std::optional<std::uint64_t> ParseUnixTime(std::string_view text, int nano_digits) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Decimal time;
  if (!time.Parse(text)) return std::nullopt;
  const std::uint64_t nanos = time.Shifted(nano_digits);
  return negative && nanos > 0 ? 1 : nanos;
}

}  // namespace

void OpenMetricsText::AppendTo(std::string& out) const {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char next = raw[i] == '\\' && i + 1 < raw.size() ? raw[i + 1] : '\0';
    if (next == 'n') {
      out += '\n';
      ++i;
    } else if (next == '\\' || next == '"') {
      out += next;
      ++i;
    } else {
      out += raw[i];
    }
  }
}

std::optional<double> ParseOpenMetricsNumber(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  // from_chars also reads "nan(...)", which nobody writes.
  if (text.ends_with(')')) return std::nullopt;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> ParseUnixSeconds(std::string_view text) {
  return ParseUnixTime(text, 9);
}

std::optional<std::uint64_t> ParseUnixMillis(std::string_view text) {
  return ParseUnixTime(text, 6);
}

bool OpenMetricsReader::Fail(const char* error) {
  if (error_ == nullptr) error_ = error;
  return false;
}

std::string OpenMetricsReader::ErrorText() const {
  return "line " + std::to_string(line_number_) + ": " + (error_ == nullptr ? "" : error_);
}

bool OpenMetricsReader::Next() {
  const bool strict = dialect_ == Dialect::kOpenMetrics;
  while (ok() && !rest_.empty()) {
    ++line_number_;
    if (ended_) return Fail("text after # EOF");
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (strict && end == std::string_view::npos && line_ != "# EOF") {
      return Fail("the line is not ended");
    }
    if (!strict) SkipBlanks();
    if (line_.empty()) {
      if (strict) return Fail("the line is empty");
      continue;
    }
    if (line_.front() != '#') {
      kind_ = Kind::kSample;
      return ReadSample();
    }
    bool says_something = false;
    if (!ReadComment(says_something)) return false;
    if (says_something) return true;
  }
  if (ok() && strict && !ended_) return Fail("the text ends without # EOF");
  return false;
}

bool OpenMetricsReader::ReadComment(bool& says_something) {
  const bool strict = dialect_ == Dialect::kOpenMetrics;
  if (strict && line_ == "# EOF") {
    ended_ = true;
    return true;
  }
  line_.remove_prefix(1);
  if (!line_.empty() && IsBlank(line_.front())) {
    SkipBlanks();
    const std::string_view keyword = TakeWord();
    if (keyword == "HELP") {
      SkipBlanks();
      return ReadName(family_);
    }
    if (keyword == "TYPE" || keyword == "UNIT") {
      kind_ = keyword == "TYPE" ? Kind::kType : Kind::kUnit;
      return ReadDescriptor(says_something);
    }
  }
  return !strict || Fail("a comment that is none of HELP, TYPE, UNIT and EOF");
}

bool OpenMetricsReader::ReadDescriptor(bool& says_something) {
  SkipBlanks();
  if (!ReadName(family_)) return false;
  SkipBlanks();
  word_ = TakeWord();
  says_something = true;
  return End() || Fail("text behind the type or unit");
}

bool OpenMetricsReader::ReadSample() {
  sample_.name = {};
  sample_.labels.clear();
  sample_.unix_ns = 0;
  sample_.has_exemplar = false;
  sample_.exemplar_labels.clear();
  if (line_.front() != '{' && !ReadName(sample_.name)) return false;
  SkipBlanks();
  if (Take('{') && !ReadLabels(sample_.labels, &sample_.name)) return false;
  if (sample_.name.raw.empty()) return Fail("no metric name");
  if (!ReadValue(sample_.value)) return false;
  if (line_.empty() || line_.front() == '#') return line_.empty() || ReadExemplar();
  const std::string_view word = TakeWord();
  const std::optional<std::uint64_t> time =
      dialect_ == Dialect::kOpenMetrics ? ParseUnixSeconds(word) : ParseUnixMillis(word);
  if (!time) return Fail("the timestamp is no number");
  sample_.unix_ns = *time;
  SkipBlanks();
  if (!line_.empty() && line_.front() == '#') return ReadExemplar();
  return End() || Fail("text behind the timestamp");
}

// The number, and the blanks behind it.
bool OpenMetricsReader::ReadValue(double& value) {
  SkipBlanks();
  const std::optional<double> number = ParseOpenMetricsNumber(TakeWord());
  if (!number) return Fail("the value is no number");
  value = *number;
  SkipBlanks();
  return true;
}

bool OpenMetricsReader::ReadExemplar() {
  line_.remove_prefix(1);
  SkipBlanks();
  if (!Take('{')) return Fail("want { for the labels of an exemplar");
  sample_.has_exemplar = true;
  sample_.exemplar_unix_ns = 0;
  if (!ReadLabels(sample_.exemplar_labels, nullptr)) return false;
  if (!ReadValue(sample_.exemplar_value)) return false;
  if (line_.empty()) return true;
  const std::optional<std::uint64_t> time = ParseUnixSeconds(TakeWord());
  if (!time) return Fail("the timestamp of the exemplar is no number");
  sample_.exemplar_unix_ns = *time;
  return End() || Fail("text behind the exemplar");
}

// The brace has been read. `name` takes a quoted name without a value, the metric's.
bool OpenMetricsReader::ReadLabels(std::vector<OpenMetricsLabel>& labels, OpenMetricsText* name) {
  while (true) {
    SkipBlanks();
    if (Take('}')) return true;
    const bool quoted = line_.starts_with('"');
    OpenMetricsLabel label;
    if (!ReadName(label.name)) return false;
    SkipBlanks();
    if (Take('=')) {
      SkipBlanks();
      if (!line_.starts_with('"')) return Fail("want a quoted label value");
      if (!ReadQuoted(label.value)) return false;
      if (labels.size() <= max_labels_) labels.push_back(label);
    } else if (quoted && name != nullptr && name->raw.empty()) {
      *name = label.name;
    } else {
      return Fail("want = behind the name of a label");
    }
    SkipBlanks();
    if (!Take(',') && !line_.starts_with('}')) return Fail("want , or } behind a label");
  }
}

// Bare or quoted; of the bare ones more are taken than 0.0.4 lets be labels.
bool OpenMetricsReader::ReadName(OpenMetricsText& name) {
  if (line_.starts_with('"')) return ReadQuoted(name);
  if (line_.empty() || !IsNameStart(line_.front())) return Fail("want a name");
  const auto end = std::find_if_not(line_.begin(), line_.end(),
                                    [](char c) { return IsNameStart(c) || IsDigit(c); });
  name = {.raw = line_.substr(0, static_cast<std::size_t>(end - line_.begin())), .escaped = false};
  line_.remove_prefix(name.raw.size());
  return true;
}

bool OpenMetricsReader::ReadQuoted(OpenMetricsText& text) {
  line_.remove_prefix(1);
  text.escaped = false;
  std::size_t end = 0;
  while (end < line_.size() && line_[end] != '"') {
    if (line_[end] == '\\') {
      text.escaped = true;
      ++end;
    }
    ++end;
  }
  if (end >= line_.size()) return Fail("a quoted text is not closed");
  text.raw = line_.substr(0, end);
  line_.remove_prefix(end + 1);
  return true;
}

std::string_view OpenMetricsReader::TakeWord() {
  const auto end = std::find_if(line_.begin(), line_.end(), IsBlank);
  const std::string_view word = line_.substr(0, static_cast<std::size_t>(end - line_.begin()));
  line_.remove_prefix(word.size());
  return word;
}

void OpenMetricsReader::SkipBlanks() {
  while (!line_.empty() && IsBlank(line_.front())) line_.remove_prefix(1);
}

bool OpenMetricsReader::Take(char c) {
  if (!line_.starts_with(c)) return false;
  line_.remove_prefix(1);
  return true;
}

bool OpenMetricsReader::End() {
  SkipBlanks();
  return line_.empty();
}

}  // namespace throughline::wire
