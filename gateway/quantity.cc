#include "gateway/quantity.h"

#include <array>
#include <charconv>
#include <system_error>

namespace throughline::gateway {
namespace {

constexpr std::array kByteUnits = {
    Unit{"KiB", 1ULL << 10U},  Unit{"MiB", 1ULL << 20U},
    Unit{"GiB", 1ULL << 30U},  Unit{"TiB", 1ULL << 40U},
    Unit{"KB", 1'000},         Unit{"MB", 1'000'000},
    Unit{"GB", 1'000'000'000}, Unit{"B", 1},
};
constexpr std::array kTimeUnits = {
    Unit{"ms", 1'000'000},         Unit{"us", 1'000},         Unit{"ns", 1},
    Unit{"s", 1'000'000'000},      Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000},
    Unit{"d", 86'400'000'000'000},
};
constexpr std::string_view kWantDuration = "a duration such as 5s";

}  // namespace

std::span<const Unit> ByteUnits() { return kByteUnits; }
std::span<const Unit> TimeUnits() { return kTimeUnits; }

Result<std::uint64_t> ParseQuantity(std::string_view text, std::span<const Unit> units,
                                    std::uint64_t bare, std::string_view want) {
  const auto bad = [&] {
    return InvalidArgument("has \"" + std::string(text) + "\", want " + std::string(want));
  };
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return bad();
  const std::string_view unit(parsed.ptr,
                              static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
  std::uint64_t factor = unit.empty() ? bare : 0;
  for (const Unit& known : units) {
    if (known.name == unit) factor = known.factor;
  }
  if (unit.empty() && number == 0) factor = 1;
  if (factor == 0 || number > UINT64_MAX / factor) return bad();
  return number * factor;
}

std::string PrintQuantity(std::uint64_t value, std::span<const Unit> units) {
  const Unit* best = nullptr;
  for (const Unit& unit : units) {
    if (value % unit.factor == 0 && (best == nullptr || unit.factor > best->factor)) best = &unit;
  }
  return value == 0 || best == nullptr
             ? std::to_string(value)
             : std::to_string(value / best->factor) + std::string(best->name);
}

Result<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  const auto bad = [text] {
    return InvalidArgument("has \"" + std::string(text) + "\", want " + std::string(kWantDuration));
  };
  constexpr std::string_view kDigits = "0123456789";
  std::uint64_t sum = 0;
  std::string_view rest = text;
  do {
    const std::size_t unit = rest.find_first_not_of(kDigits);
    const std::size_t end =
        unit == std::string_view::npos ? rest.size() : rest.find_first_of(kDigits, unit);
    const auto part = ParseQuantity(rest.substr(0, end), kTimeUnits, 0, kWantDuration);
    if (!part || *part > INT64_MAX - sum) return bad();
    sum += *part;
    rest.remove_prefix(std::min(end, rest.size()));
  } while (!rest.empty());
  return std::chrono::nanoseconds(static_cast<std::int64_t>(sum));
}

std::string PrintDuration(std::chrono::nanoseconds duration) {
  return PrintQuantity(static_cast<std::uint64_t>(duration.count()), kTimeUnits);
}

}  // namespace throughline::gateway
