#include "api/tempo/parameters.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "api/time_text.h"
#include "correlate/digits.h"

namespace throughline::api::tempo {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::size_t kMostSecondDigits = 10;

bool IsWholeSeconds(std::string_view text) {
  return text.size() <= kMostSecondDigits && digits::AllDecimal(text);
}

}  // namespace

TimeRange LastHour(const Context& context) {
  constexpr std::uint64_t kHourNs = 3600 * kSecondNs;
  return {.start_unix_ns = context.now_unix_ns - std::min(context.now_unix_ns, kHourNs),
          .end_unix_ns = context.now_unix_ns};
}

Result<TimeRange> ReadRange(const Request& request, const Context& context,
                            const TimeRange& fallback, EndIs end_is) {
  const std::string_view start = request.Query("start").value_or("");
  const std::string_view end = request.Query("end").value_or("");
  const auto given = [](std::string_view text) { return !text.empty() && text != "0"; };
  if (!given(start) && !given(end)) return fallback;
  TimeRange range = fallback;
  if (given(end)) {
    const auto time = ParseTime(end, context.now_unix_ns);
    if (!time) return InvalidArgument("end: " + time.error().message);
    range.end_unix_ns = *time;
    if (end_is == EndIs::kWholeSecond && IsWholeSeconds(end)) range.end_unix_ns += kSecondNs - 1;
    const std::uint64_t hour = std::min(range.end_unix_ns, 3600 * kSecondNs);
    range.start_unix_ns = range.end_unix_ns - hour;
  }
  if (given(start)) {
    const auto time = ParseTime(start, context.now_unix_ns);
    if (!time) return InvalidArgument("start: " + time.error().message);
    range.start_unix_ns = *time;
    if (!given(end)) range.end_unix_ns = std::max(context.now_unix_ns, *time);
  }
  if (range.start_unix_ns <= range.end_unix_ns) return range;
  return InvalidArgument("start is after end");
}

Result<std::size_t> ReadCount(const Request& request, std::string_view name, std::size_t fallback,
                              std::size_t most) {
  const std::string_view text = request.Query(name).value_or("");
  if (text.empty()) return std::min(fallback, most);
  std::size_t count = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), count);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) {
    return InvalidArgument(std::string(name) + ": want a whole number");
  }
  return std::min(count == 0 ? fallback : count, most);
}

Result<std::vector<std::string>> ReadDurations(const Request& request, std::string_view field) {
  std::vector<std::string> conditions;
  for (const auto& [name, op] :
       {std::pair("minDuration", " >= "), std::pair("maxDuration", " <= ")}) {
    const std::string_view text = request.Query(name).value_or("");
    if (text.empty()) continue;
    const auto duration = ParseDuration(text);
    if (!duration) return InvalidArgument(std::string(name) + ": " + duration.error().message);
    conditions.push_back(std::string(field) + op + std::to_string(*duration) + "ns");
  }
  return conditions;
}

}  // namespace throughline::api::tempo
