#include "api/links/line_time.h"

#include "api/time_text.h"

namespace throughline::api::links {
namespace {

// Longer texts are no times.
constexpr std::size_t kMaxTimeBytes = 40;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::uint64_t TimeOf(std::string_view text) {
  if (text.empty() || !IsDigit(text.front())) return 0;  // "now" is for parameters.
  const auto time = ParseTime(text, 0);
  return time ? *time : 0;
}

// The scalar behind `"key":` in JSON text; empty: the key is not there.
std::string_view JsonScalar(std::string_view line, std::string_view quoted_key) {
  const std::size_t key = line.find(quoted_key);
  if (key == std::string_view::npos) return {};
  std::string_view rest = line.substr(key + quoted_key.size());
  const auto skip = [&rest](std::string_view set) {
    const std::size_t begin = rest.find_first_not_of(set);
    rest.remove_prefix(begin == std::string_view::npos ? rest.size() : begin);
  };
  skip(" \t");
  if (rest.empty() || rest.front() != ':') return {};
  rest.remove_prefix(1);
  skip(" \t");
  const bool quoted = !rest.empty() && rest.front() == '"';
  if (quoted) rest.remove_prefix(1);
  return rest.substr(0, rest.substr(0, kMaxTimeBytes).find_first_of(quoted ? "\"" : " ,}\t"));
}

}  // namespace

std::uint64_t LineTime(std::string_view line) {
  if (!line.empty() && line.front() == '{') {
    for (const std::string_view key : {"\"time\"", "\"timestamp\"", "\"ts\"", "\"@timestamp\""}) {
      if (const std::uint64_t time = TimeOf(JsonScalar(line, key)); time != 0) return time;
    }
    return 0;
  }
  if (!line.empty() && line.front() == '[') line.remove_prefix(1);
  const std::string_view head = line.substr(0, kMaxTimeBytes);
  const std::string_view token = head.substr(0, head.find_first_of("] \t", 11));
  // An epoch at the beginning of a text could be any number.
  return token.find('-') == std::string_view::npos ? 0 : TimeOf(token);
}

}  // namespace throughline::api::links
