#include "api/loki/answer.h"

#include <algorithm>
#include <charconv>

#include "api/status.h"
#include "api/time_text.h"

namespace throughline::api::loki {
namespace {

constexpr std::uint64_t kHourNs = 3'600'000'000'000;
constexpr std::uint64_t kSecondNs = 1'000'000'000;

template <typename Number>
bool ReadWhole(std::string_view text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

// False: there is no such time.
bool FromSeconds(double seconds, std::uint64_t& ns) {
  constexpr double kMost = 1.8e10;
  if (!(seconds >= 0 && seconds < kMost)) return false;
  ns = static_cast<std::uint64_t>(seconds * 1e9 + 0.5);
  return true;
}

}  // namespace

Response ErrorAnswer(const Error& error) {
  Response response;
  response.status = HttpStatusOf(error.code);
  response.content_type = "text/plain; charset=utf-8";
  response.body = error.message + "\n";
  if (error.code == Errc::kOverloaded || error.code == Errc::kUnavailable) {
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  return response;
}

Result<std::uint64_t> ReadTime(const Form& form, std::string_view name, std::uint64_t fallback) {
  constexpr std::size_t kMostSecondsDigits = 10;
  const auto text = form.Text(name);
  if (!text) return fallback;
  std::uint64_t whole = 0;
  double seconds = 0;
  if (ReadWhole(*text, whole)) {
    return text->size() <= kMostSecondsDigits ? whole * kSecondNs : whole;
  }
  if (text->find('.') != std::string_view::npos && ReadWhole(*text, seconds) &&
      FromSeconds(seconds, whole)) {
    return whole;
  }
  if (text->find('T') != std::string_view::npos) {
    if (const auto time = ParseTime(*text, 0)) return *time;
  }
  return InvalidArgument("could not parse '" + std::string(name) + "' parameter: \"" +
                         std::string(text->substr(0, 100)) +
                         "\" is neither a unix time nor RFC 3339");
}

Result<TimeRange> ReadRange(const Form& form, std::uint64_t now_unix_ns) {
  TimeRange range;
  TL_TRY_ASSIGN(range.end_unix_ns, ReadTime(form, "end", now_unix_ns));
  const std::uint64_t hour_before = range.end_unix_ns - std::min(range.end_unix_ns, kHourNs);
  TL_TRY_ASSIGN(range.start_unix_ns, ReadTime(form, "start", hour_before));
  if (range.end_unix_ns < range.start_unix_ns) {
    return InvalidArgument("end timestamp must not be before or equal to start time");
  }
  if (range.end_unix_ns > range.start_unix_ns) --range.end_unix_ns;
  return range;
}

Result<std::uint64_t> ReadStep(const Form& form, const TimeRange& range) {
  constexpr std::uint64_t kSteps = 250;
  std::uint64_t step = std::max(
      (range.end_unix_ns - range.start_unix_ns + 1) / kSteps / kSecondNs * kSecondNs, kSecondNs);
  if (const auto text = form.Text("step")) {
    double seconds = 0;
    step = 0;
    if (ReadWhole(*text, seconds)) {
      if (!FromSeconds(seconds, step)) step = 0;
    } else if (const auto duration = ParseDuration(*text)) {
      step = *duration;
    }
    if (step == 0) {
      return InvalidArgument("cannot parse \"" + std::string(text->substr(0, 100)) +
                             "\" to a valid duration that is not zero");
    }
  }
  if ((range.end_unix_ns - range.start_unix_ns) / step >= kMaxPoints) {
    return InvalidArgument("exceeded maximum resolution of " + std::to_string(kMaxPoints) +
                           " points per time series. Try increasing the value of the step "
                           "parameter");
  }
  return step;
}

Result<std::size_t> ReadLimit(const Form& form, std::string_view name, std::size_t fallback,
                              std::size_t most) {
  const auto text = form.Text(name);
  if (!text) return fallback;
  std::size_t limit = 0;
  if (!ReadWhole(*text, limit) || limit == 0) {
    return InvalidArgument(std::string(name) + " must be a positive value");
  }
  if (limit > most) {
    return InvalidArgument("max entries limit per query exceeded, limit > max_entries_limit (" +
                           std::to_string(limit) + " > " + std::to_string(most) + ")");
  }
  return limit;
}

void WriteStrings(wire::JsonWriter& json, const std::vector<std::string>& texts) {
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

void WriteWarnings(wire::JsonWriter& json, const std::vector<std::string>& warnings) {
  if (warnings.empty()) return;
  WriteStrings(json.Key("warnings"), warnings);
}

}  // namespace throughline::api::loki
