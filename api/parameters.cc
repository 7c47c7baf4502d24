#include "api/parameters.h"

#include <algorithm>
#include <charconv>

#include "api/time_text.h"

namespace throughline::api {
namespace {

constexpr std::uint64_t kHourNs = 3'600'000'000'000;

std::string Joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

}  // namespace

Parameters::Parameters(const Request& request, std::uint64_t now_unix_ns)
    : request_(request), now_unix_ns_(now_unix_ns), read_(request.query.size(), false) {}

const std::string* Parameters::Find(std::string_view name) {
  const std::string* found = nullptr;
  for (std::size_t i = 0; i < read_.size(); ++i) {
    if (request_.query[i].first != name) continue;
    read_[i] = true;
    if (found != nullptr) Fail(name, "want it once");
    found = &request_.query[i].second;
  }
  return found;
}

std::optional<std::string_view> Parameters::Text(std::string_view name) {
  const std::string* text = Find(name);
  if (text == nullptr || text->empty()) return std::nullopt;
  return *text;
}

std::optional<std::string> Parameters::OwnedText(std::string_view name) {
  const auto text = Text(name);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

std::optional<double> Parameters::Number(std::string_view name) {
  const std::string* text = Find(name);
  if (text == nullptr) return std::nullopt;
  std::string_view digits = *text;
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  double value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = end.ptr == digits.data() + digits.size();
  if (end.ec != std::errc() || !whole || value != value) {
    Fail(name, "want a number");
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> Parameters::Duration(std::string_view name) {
  const std::string* text = Find(name);
  if (text == nullptr) return std::nullopt;
  const auto duration = ParseDuration(*text);
  if (duration) return *duration;
  Fail(name, duration.error().message);
  return std::nullopt;
}

std::optional<std::uint64_t> Parameters::Time(std::string_view name) {
  const std::string* text = Find(name);
  if (text == nullptr) return std::nullopt;
  const auto time = ParseTime(*text, now_unix_ns_);
  if (time) return *time;
  Fail(name, time.error().message);
  return std::nullopt;
}

bool Parameters::Flag(std::string_view name, bool fallback) {
  return Word(name, {"false", "true"}, fallback ? 1 : 0) == 1;
}

std::size_t Parameters::Limit(std::size_t fallback, std::size_t most) {
  const std::string* text = Find("limit");
  if (text == nullptr) return std::min(fallback, most);
  std::size_t limit = 0;
  const char* const last = text->data() + text->size();
  const auto end = std::from_chars(text->data(), last, limit);
  if (end.ec == std::errc() && end.ptr == last && limit >= 1 && limit <= most) return limit;
  Fail("limit", "want 1 to " + std::to_string(most));
  return fallback;
}

TimeRange Parameters::Range() {
  const auto start = Time("start");
  const auto end = Time("end");
  TimeRange range;
  range.end_unix_ns = end.value_or(std::max(now_unix_ns_, start.value_or(0)));
  const std::uint64_t hour_before = range.end_unix_ns > kHourNs ? range.end_unix_ns - kHourNs : 0;
  range.start_unix_ns = start.value_or(hour_before);
  if (range.start_unix_ns > range.end_unix_ns) Fail("start", "want a time before end");
  return range;
}

std::vector<std::pair<std::string_view, std::string_view>> Parameters::Prefixed(
    std::string_view prefix) {
  std::vector<std::pair<std::string_view, std::string_view>> found;
  for (std::size_t i = 0; i < read_.size(); ++i) {
    const auto& [name, value] = request_.query[i];
    if (name.size() <= prefix.size() || name.compare(0, prefix.size(), prefix) != 0) continue;
    read_[i] = true;
    found.emplace_back(std::string_view(name).substr(prefix.size()), value);
  }
  return found;
}

std::size_t Parameters::Word(std::string_view name, const std::vector<std::string_view>& words,
                             std::size_t fallback) {
  const std::string* text = Find(name);
  if (text == nullptr) return fallback;
  const auto word = std::find(words.begin(), words.end(), *text);
  if (word != words.end()) return static_cast<std::size_t>(word - words.begin());
  Fail(name, "want one of " + Joined(words));
  return fallback;
}

std::optional<std::uint32_t> Parameters::Words(std::string_view name,
                                               const std::vector<std::string_view>& words) {
  const std::string* text = Find(name);
  if (text == nullptr) return std::nullopt;
  std::uint32_t bits = 0;
  std::string_view rest = *text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const auto word = std::find(words.begin(), words.end(), rest.substr(0, comma));
    if (word == words.end()) {
      Fail(name, "want a comma-separated list of " + Joined(words));
      return std::nullopt;
    }
    bits |= 1U << static_cast<unsigned>(word - words.begin());
    if (comma == std::string_view::npos) return bits;
    rest.remove_prefix(comma + 1);
  }
}

void Parameters::Allow(std::string_view name) { Find(name); }

void Parameters::Fail(std::string_view name, std::string_view want) {
  if (error_) return;
  std::string message = "parameter ";
  message += name;
  message += ": ";
  message += want;
  error_ = InvalidArgument(std::move(message));
}

Result<void> Parameters::Check() {
  for (std::size_t i = 0; i < read_.size(); ++i) {
    if (!read_[i]) Fail(request_.query[i].first, "not a parameter of this call");
  }
  if (error_) return *error_;
  return {};
}

}  // namespace throughline::api
