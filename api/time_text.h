// Times and durations as people write them in a URL, and as answers print them.
//
// Pure functions; "now" is an argument.
// Sources: RFC 3339, section 5.6; ISO 8601.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::api {

// RFC 3339 ("2026-03-01T12:00:00.5Z", with any offset), an epoch in s, ms, us or ns by its
// magnitude (whole, or seconds with a fraction), "now", "now-15m", "now+1h". To ns; times before
// 1970 and after 2554 are errors.
Result<std::uint64_t> ParseTime(std::string_view text, std::uint64_t now_unix_ns);

// "250ms", "1.5s", "1h30m", units ns us ms s m h d; a plain number is ns.
Result<std::uint64_t> ParseDuration(std::string_view text);

// "2026-03-01T12:00:00.000000000Z": always UTC, always nine digits, so that text sorts as time.
void AppendIsoTime(std::uint64_t unix_ns, std::string& out);

}  // namespace throughline::api
