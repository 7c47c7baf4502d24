// What all answers of Loki's API share: parameters and errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/form.h"
#include "api/http.h"
#include "correlate/query.h"
#include "correlate/result.h"
#include "wire/json_writer.h"

namespace throughline::api::loki {

inline constexpr std::size_t kMaxPoints = 11'000;  // Of one series; Loki's own bound.

// A line of text, which Grafana shows as it is.
Response ErrorAnswer(const Error& error);

// An integer in ns, or of at most ten digits in seconds; seconds with a fraction; RFC 3339.
Result<std::uint64_t> ReadTime(const Form& form, std::string_view name, std::uint64_t fallback);
// start and end, both inclusive here, the end being exclusive as sent; without them the hour before
// the end, or before now.
Result<TimeRange> ReadRange(const Form& form, std::uint64_t now_unix_ns);
// Seconds, or a duration; without it a 250th of the range, at least a second.
Result<std::uint64_t> ReadStep(const Form& form, const TimeRange& range);
// At least 1.
Result<std::size_t> ReadLimit(const Form& form, std::string_view name, std::size_t fallback,
                              std::size_t most);

void WriteStrings(wire::JsonWriter& json, const std::vector<std::string>& texts);
// Where there are any, as the next member.
void WriteWarnings(wire::JsonWriter& json, const std::vector<std::string>& warnings);

}  // namespace throughline::api::loki
