// The parameters of Tempo's searches. What is not known is passed by.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "api/tempo/handlers.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline::api::tempo {

// An end in whole seconds is the end of that second where clients cut now down to one.
enum class EndIs { kExact, kWholeSecond };

// `start` and `end`, in unix seconds or any other spelling. Without both: `fallback`.
Result<TimeRange> ReadRange(const Request& request, const Context& context,
                            const TimeRange& fallback, EndIs end_is);
TimeRange LastHour(const Context& context);

// A whole number; absent, empty and 0 are `fallback`, more than `most` is `most`.
Result<std::size_t> ReadCount(const Request& request, std::string_view name, std::size_t fallback,
                              std::size_t most);

// `minDuration` and `maxDuration` as conditions of TraceQL on `field`: "duration >= 5ns".
Result<std::vector<std::string>> ReadDurations(const Request& request, std::string_view field);

}  // namespace throughline::api::tempo
