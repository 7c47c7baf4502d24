#include "gateway/time_argument.h"

#include <ctime>

#include "api/time_text.h"

namespace throughline::gateway {

Result<std::uint64_t> TimeArgument(std::string_view text, std::uint64_t now_unix_ns) {
  const auto time = api::ParseTime(text, now_unix_ns);
  if (time) return time;
  const auto ago = api::ParseTime("now-" + std::string(text), now_unix_ns);
  if (ago) return ago;
  return InvalidArgument("\"" + std::string(text) +
                         "\" is no time: want 2h, now-2h, or 2026-03-01T12:00:00Z");
}

std::uint64_t NowUnixNs() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace throughline::gateway
