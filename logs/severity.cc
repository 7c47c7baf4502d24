#include <array>
#include <charconv>
#include <string_view>

#include "logs/lines.h"

namespace throughline::logs {
namespace {

struct Name {
  std::string_view name;
  std::uint32_t number;
};

// The names that logging libraries print, abbreviations included, the usual ones first. The highest
// ones follow the mapping of Google Cloud's levels in the data model of OpenTelemetry logs,
// appendix B.
constexpr std::array kNames{Name{"info", 9},        Name{"warn", 13},
                            Name{"error", 17},      Name{"debug", 5},
                            Name{"warning", 13},    Name{"trace", 1},
                            Name{"trc", 1},         Name{"trce", 1},
                            Name{"finest", 1},      Name{"silly", 1},
                            Name{"vrb", 1},         Name{"t", 1},
                            Name{"finer", 3},       Name{"dbg", 5},
                            Name{"dbug", 5},        Name{"fine", 5},
                            Name{"verbose", 5},     Name{"d", 5},
                            Name{"config", 8},      Name{"inf", 9},
                            Name{"information", 9}, Name{"informational", 9},
                            Name{"http", 9},        Name{"log", 9},
                            Name{"i", 9},           Name{"notice", 10},
                            Name{"n", 10},          Name{"wrn", 13},
                            Name{"w", 13},          Name{"err", 17},
                            Name{"severe", 17},     Name{"fail", 17},
                            Name{"e", 17},          Name{"dpanic", 18},
                            Name{"fatal", 21},      Name{"ftl", 21},
                            Name{"critical", 21},   Name{"crit", 21},
                            Name{"panic", 21},      Name{"f", 21},
                            Name{"c", 21},          Name{"alert", 22},
                            Name{"emergency", 24},  Name{"emerg", 24}};
constexpr std::size_t kLongest = 13;

// pino's and bunyan's tens. A level between two is the lower one.
std::uint32_t OfNumber(unsigned level) {
  if (level < 10 || level > 60) return 0;
  return (level / 10 - 1) * 4 + 1;
}

}  // namespace

std::uint32_t SeverityNumberOf(std::string_view text) {
  if (text.empty() || text.size() > kLongest) return 0;
  unsigned level = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), level);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return OfNumber(level);
  char lower[kLongest];
  for (std::size_t i = 0; i < text.size(); ++i) {
    lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
  }
  std::string_view name(lower, text.size());
  // OTLP's finer steps: "WARN2", "ERROR4".
  std::uint32_t step = 0;
  if (name.size() > 4 && name.back() >= '2' && name.back() <= '4') {
    step = static_cast<std::uint32_t>(name.back() - '1');
    name.remove_suffix(1);
  }
  for (const Name& known : kNames) {
    if (known.name != name) continue;
    if (step == 0) return known.number;
    return known.number % 4 == 1 ? known.number + step : 0;
  }
  return 0;
}

}  // namespace throughline::logs
