// What the reports (explain, compare, critical path) share: figures and texts, for people and as
// JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "api/parameters.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/trace_id.h"
#include "wire/json_writer.h"

namespace throughline::api::links {

// ?format=text, or an Accept that wants text and no JSON.
bool WantsText(const Request& request, Parameters& parameters);
// `text` as an answer.
Response TextAnswer(std::string text);

// Without what could steer a terminal: control characters, also those of two bytes in UTF-8, as
// '?'.
std::string Plain(std::string_view text);
std::string Fixed(double value, int digits);
std::string Duration(double ns);              // "1.84 s", "461 ms", "3.2 ms".
std::string ShortDuration(std::uint64_t ns);  // "1.8 s", and below a second as above.
std::string Percent(double share);
std::string Count(std::uint64_t count, std::string_view noun);  // "1 trace", "2 traces".
std::string Moment(std::uint64_t unix_ns);                      // "2026-03-01 12:00:00Z".

// Nanoseconds as a whole number; 0 for less.
std::uint64_t Ns(double value);
// What may be less than nothing: growth.
std::int64_t SignedNs(double value);
// Six digits are more than any figure of a report is worth.
double Rounded(double value);
// null for an empty text.
void WriteNullable(wire::JsonWriter& json, const std::string& text);
// The member trace_ids.
void WriteTraceIds(wire::JsonWriter& json, const std::vector<TraceId>& ids);
// The members of a window, without braces.
void WriteWindowTimes(wire::JsonWriter& json, const TimeSpan& window);

}  // namespace throughline::api::links
