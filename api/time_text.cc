#include "api/time_text.h"

#include <charconv>
#include <chrono>
#include <limits>
#include <optional>

namespace throughline::api {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes text from its front; every step says whether it was there.
struct Cursor {
  std::string_view rest;

  bool Take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  bool TakeAny(std::string_view set) {
    if (rest.empty() || set.find(rest.front()) == std::string_view::npos) return false;
    rest.remove_prefix(1);
    return true;
  }
  std::optional<unsigned> TakeDigits(std::size_t count) {
    if (rest.size() < count) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!IsDigit(rest[i])) return std::nullopt;
      value = value * 10 + static_cast<unsigned>(rest[i] - '0');
    }
    rest.remove_prefix(count);
    return value;
  }
  // The digits after a decimal point, as billionths; further ones are cut. nullopt: none.
  std::optional<std::uint64_t> TakeFraction() {
    std::uint64_t billionths = 0;
    std::size_t count = 0;
    while (count < rest.size() && IsDigit(rest[count])) {
      if (count < 9) billionths = billionths * 10 + static_cast<std::uint64_t>(rest[count] - '0');
      ++count;
    }
    if (count == 0) return std::nullopt;
    for (std::size_t i = count; i < 9; ++i) billionths *= 10;
    rest.remove_prefix(count);
    return billionths;
  }
  // nullopt: no digits, or too many for 64 bits.
  std::optional<std::uint64_t> TakeNumber() {
    std::uint64_t value = 0;
    const auto end = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (end.ec != std::errc()) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end.ptr - rest.data()));
    return value;
  }
};

std::optional<std::uint64_t> CheckedNs(std::int64_t seconds, std::uint64_t billionths) {
  constexpr auto kMax =
      static_cast<std::int64_t>(std::numeric_limits<std::uint64_t>::max() / kSecond) - 1;
  if (seconds < 0 || seconds > kMax) return std::nullopt;
  return static_cast<std::uint64_t>(seconds) * kSecond + billionths;
}

std::optional<std::uint64_t> CheckedProduct(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// "Z" or "+hh:mm", in seconds to take off.
std::optional<std::int64_t> TakeOffset(Cursor& at) {
  if (at.TakeAny("Zz")) return 0;
  const bool minus = !at.rest.empty() && at.rest.front() == '-';
  if (!at.TakeAny("+-")) return std::nullopt;
  const auto hours = at.TakeDigits(2);
  if (!hours || !at.Take(':')) return std::nullopt;
  const auto minutes = at.TakeDigits(2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t seconds = std::int64_t{*hours} * 3600 + std::int64_t{*minutes} * 60;
  return minus ? -seconds : seconds;
}

std::optional<std::uint64_t> ParseRfc3339(std::string_view text) {
  Cursor at{text};
  const auto year = at.TakeDigits(4);
  if (!year || !at.Take('-')) return std::nullopt;
  const auto month = at.TakeDigits(2);
  if (!month || !at.Take('-')) return std::nullopt;
  const auto day = at.TakeDigits(2);
  if (!day || !at.TakeAny("Tt ")) return std::nullopt;
  const auto hour = at.TakeDigits(2);
  if (!hour || !at.Take(':')) return std::nullopt;
  const auto minute = at.TakeDigits(2);
  if (!minute || !at.Take(':')) return std::nullopt;
  const auto second = at.TakeDigits(2);
  if (!second) return std::nullopt;
  std::uint64_t billionths = 0;
  if (at.TakeAny(".,")) {
    const auto fraction = at.TakeFraction();
    if (!fraction) return std::nullopt;
    billionths = *fraction;
  }
  const auto offset = TakeOffset(at);
  if (!offset || !at.rest.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  // A leap second (60) counts as the second after it.
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return CheckedNs(days * 86'400 + std::int64_t{*hour} * 3600 + std::int64_t{*minute} * 60 +
                       std::int64_t{*second} - *offset,
                   billionths);
}

std::optional<std::uint64_t> ParseEpoch(std::string_view text) {
  Cursor at{text};
  const auto whole = at.TakeNumber();
  if (!whole) return std::nullopt;
  if (at.rest.empty()) {
    // By magnitude: seconds until the year 5138, then ms, us, ns.
    if (*whole < 100'000'000'000) return CheckedNs(static_cast<std::int64_t>(*whole), 0);
    if (*whole < 100'000'000'000'000) return CheckedProduct(*whole, 1'000'000);
    if (*whole < 100'000'000'000'000'000) return CheckedProduct(*whole, 1'000);
    return *whole;
  }
  if (!at.Take('.')) return std::nullopt;
  const auto billionths = at.TakeFraction();
  if (!billionths || !at.rest.empty() || *whole >= 100'000'000'000) return std::nullopt;
  return CheckedNs(static_cast<std::int64_t>(*whole), *billionths);
}

std::optional<std::uint64_t> UnitNs(Cursor& at) {
  struct Unit {
    std::string_view name;
    std::uint64_t ns;
  };
  // Longer names first: "ms" is not minutes and an s.
  constexpr Unit kUnits[] = {{"ns", 1},
                             {"us", 1'000},
                             {"\xc2\xb5s", 1'000},
                             {"\xce\xbcs", 1'000},
                             {"ms", 1'000'000},
                             {"s", kSecond},
                             {"m", 60 * kSecond},
                             {"h", 3600 * kSecond},
                             {"d", 86'400 * kSecond}};
  for (const Unit& unit : kUnits) {
    if (at.rest.substr(0, unit.name.size()) != unit.name) continue;
    at.rest.remove_prefix(unit.name.size());
    return unit.ns;
  }
  return std::nullopt;
}

// One number with its unit, "1.5s".
std::optional<std::uint64_t> TakePart(Cursor& at) {
  const auto whole = at.TakeNumber();
  if (!whole) return std::nullopt;
  std::uint64_t billionths = 0;
  if (at.Take('.')) {
    const auto fraction = at.TakeFraction();
    if (!fraction) return std::nullopt;
    billionths = *fraction;
  }
  const auto unit = UnitNs(at);
  if (!unit) return std::nullopt;
  std::uint64_t ns = 0;
  if (__builtin_mul_overflow(*whole, *unit, &ns)) return std::nullopt;
  // At most a day's ns times 1e9: within 128 bits, and less than a day after the division.
  __extension__ using Wide = unsigned __int128;
  const auto rest = static_cast<std::uint64_t>(Wide{*unit} * billionths / kSecond);
  if (__builtin_add_overflow(ns, rest, &ns)) return std::nullopt;
  return ns;
}

std::optional<std::uint64_t> ParseParts(std::string_view text) {
  Cursor at{text};
  std::uint64_t sum = 0;
  do {
    const auto part = TakePart(at);
    if (!part || __builtin_add_overflow(sum, *part, &sum)) return std::nullopt;
  } while (!at.rest.empty());
  return sum;
}

void AppendDigits(std::uint64_t value, int width, std::string& out) {
  char digits[20];
  for (int i = width - 1; i >= 0; --i) {
    digits[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(digits, static_cast<std::size_t>(width));
}

}  // namespace

Result<std::uint64_t> ParseTime(std::string_view text, std::uint64_t now_unix_ns) {
  if (text == "now") return now_unix_ns;
  if (text.size() > 4 && text.substr(0, 3) == "now" && (text[3] == '-' || text[3] == '+')) {
    if (const auto delta = ParseParts(text.substr(4))) {
      std::uint64_t time = 0;
      if (text[3] == '-') return *delta < now_unix_ns ? now_unix_ns - *delta : 0;
      if (!__builtin_add_overflow(now_unix_ns, *delta, &time)) return time;
    }
  } else if (const auto epoch = ParseEpoch(text)) {
    return *epoch;
  } else if (const auto time = ParseRfc3339(text)) {
    return *time;
  }
  return InvalidArgument(
      "want RFC 3339 (2026-03-01T12:00:00Z), unix s, ms, us or ns, now, or now-15m");
}

Result<std::uint64_t> ParseDuration(std::string_view text) {
  Cursor plain{text};
  if (const auto ns = plain.TakeNumber(); ns && plain.rest.empty()) return *ns;
  if (const auto ns = ParseParts(text)) return *ns;
  return InvalidArgument("want a duration such as 250ms, 1.5s or 1h30m, or plain ns");
}

void AppendIsoTime(std::uint64_t unix_ns, std::string& out) {
  const std::uint64_t seconds = unix_ns / kSecond;
  const std::chrono::sys_days days{std::chrono::days(seconds / 86'400)};
  const std::chrono::year_month_day date{days};
  const std::uint64_t of_day = seconds % 86'400;
  AppendDigits(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4, out);
  out += '-';
  AppendDigits(static_cast<unsigned>(date.month()), 2, out);
  out += '-';
  AppendDigits(static_cast<unsigned>(date.day()), 2, out);
  out += 'T';
  AppendDigits(of_day / 3600, 2, out);
  out += ':';
  AppendDigits(of_day / 60 % 60, 2, out);
  out += ':';
  AppendDigits(of_day % 60, 2, out);
  out += '.';
  AppendDigits(unix_ns % kSecond, 9, out);
  out += 'Z';
}

}  // namespace throughline::api
