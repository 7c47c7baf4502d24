#include "logs/time.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "logs/lines.h"

namespace throughline::logs {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads a date and time from its front; every step fails for good.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  // Exactly `count` digits.
  std::int64_t Digits(std::size_t count) {
    std::int64_t value = 0;
    if (rest_.size() < count) return Fail();
    for (std::size_t i = 0; i < count; ++i) {
      if (!IsDigit(rest_[i])) return Fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool One(std::string_view of) {
    if (rest_.empty()) return false;
    for (const char one : of) {  // One or two: not worth a search.
      if (rest_.front() != one) continue;
      rest_.remove_prefix(1);
      return true;
    }
    return false;
  }
  void Want(std::string_view of) {
    if (!One(of)) Fail();
  }
  // The digits of a fraction as nanoseconds; more than nine are cut.
  std::int64_t Fraction() {
    std::int64_t value = 0;
    std::size_t count = 0;
    for (; !rest_.empty() && IsDigit(rest_.front()); ++count, rest_.remove_prefix(1)) {
      if (count < 9) value = value * 10 + (rest_.front() - '0');
    }
    if (count == 0) return Fail();
    for (; count < 9; ++count) value *= 10;
    return value;
  }
  bool at_end() const { return rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::int64_t Fail() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

// Days from 1970-01-01, proleptic Gregorian (Howard Hinnant, days_from_civil).
std::int64_t DaysFromCivil(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = year / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

bool IsDate(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (month < 1 || month > 12 || day < 1) return false;
  if (month == 2) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= (leap ? 29 : 28);
  }
  return day <= (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31);
}

// Without an offset it is UTC.
std::uint64_t ParseDateTime(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() < kForm.size()) return 0;
  bool good = true;
  const auto two = [&](std::size_t at) {
    good = good && IsDigit(text[at]) && IsDigit(text[at + 1]);
    return (text[at] - '0') * 10 + (text[at + 1] - '0');
  };
  CivilTime time;
  time.year = two(0) * 100 + two(2);
  time.month = two(5);
  time.day = two(8);
  time.hour = two(11);
  time.minute = two(14);
  time.second = two(17);
  good = good && text[4] == '-' && text[7] == '-' && text[13] == ':' && text[16] == ':' &&
         (text[10] == 'T' || text[10] == 't' || text[10] == ' ');
  if (!good) return 0;
  TimeReader reader(text.substr(kForm.size()));
  if (reader.One(".,")) time.nanosecond = reader.Fraction();
  reader.One(" ");
  if (!reader.at_end() && !reader.One("Zz")) {
    const std::int64_t sign = reader.One("-") ? -1 : 1;
    if (sign == 1) reader.Want("+");
    const std::int64_t hours = reader.Digits(2);
    reader.One(":");
    time.offset_minutes = sign * (hours * 60 + (reader.at_end() ? 0 : reader.Digits(2)));
  }
  return reader.ok() && reader.at_end() ? UnixNsOf(time) : 0;
}

// Nanoseconds in one unit of an epoch of this magnitude; 0: too small to be one (1973, in seconds).
std::uint64_t UnitOf(std::uint64_t epoch) {
  if (epoch < 100'000'000) return 0;
  if (epoch < 100'000'000'000) return kSecond;
  if (epoch < 100'000'000'000'000) return 1'000'000;
  if (epoch < 100'000'000'000'000'000) return 1000;
  return 1;
}

// "1.7692e9", as some encoders print doubles. Doubles know a present time to a quarter microsecond.
std::uint64_t ParseExponent(std::string_view text) {
  const char* const end = text.data() + text.size();
  double number = 0;
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || !(number >= 0 && number < 1.8e19)) return 0;
  const std::uint64_t whole = static_cast<std::uint64_t>(number);
  const std::uint64_t unit = UnitOf(whole);
  if (unit == 0 || whole > UINT64_MAX / unit - 1) return 0;
  const double fraction = (number - static_cast<double>(whole)) * static_cast<double>(unit);
  return whole * unit + static_cast<std::uint64_t>(fraction);
}

std::uint64_t ParseEpoch(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (std::any_of(text.data(), end, [](char c) { return c == 'e' || c == 'E'; })) {
    return ParseExponent(text);
  }
  std::uint64_t whole = 0;
  const auto read = std::from_chars(text.data(), end, whole);
  const std::uint64_t unit = UnitOf(whole);
  if (read.ec != std::errc() || unit == 0 || whole > UINT64_MAX / unit - 1) return 0;
  if (read.ptr == end) return whole * unit;
  TimeReader fraction(std::string_view(read.ptr, static_cast<std::size_t>(end - read.ptr)));
  fraction.Want(".");
  const std::int64_t nanos = fraction.Fraction();
  if (!fraction.ok() || !fraction.at_end()) return 0;
  return whole * unit + static_cast<std::uint64_t>(nanos) / (kSecond / unit);
}

}  // namespace

std::uint64_t UnixNsOf(const CivilTime& time) {
  constexpr std::int64_t kDayMinutes = 24 * 60;
  const bool in_range = IsDate(time.year, time.month, time.day) && time.hour < 24 &&
                        time.minute < 60 && time.second <= 60 &&
                        time.offset_minutes > -kDayMinutes && time.offset_minutes < kDayMinutes;
  if (!in_range) return 0;
  const std::int64_t seconds = DaysFromCivil(time.year, time.month, time.day) * 86'400 +
                               time.hour * 3600 + (time.minute - time.offset_minutes) * 60 +
                               time.second;
  // What 64 bits of nanoseconds hold: up to the year 2554.
  if (seconds < 0 || static_cast<std::uint64_t>(seconds) >= UINT64_MAX / kSecond) return 0;
  return static_cast<std::uint64_t>(seconds) * kSecond +
         static_cast<std::uint64_t>(time.nanosecond);
}

std::uint64_t ParseTime(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() > 4 && text[4] == '-') return ParseDateTime(text);
  return ParseEpoch(text);
}

}  // namespace throughline::logs
