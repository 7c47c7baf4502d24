// When a line of text says that it was written: for the age of a link that only it names.
#pragma once

#include <cstdint>
#include <string_view>

namespace throughline::api::links {

// The value of a JSON line's time, timestamp, ts or @timestamp, or the RFC 3339 time with a zone
// that a text line begins with (a bracket before it is fine). To ns; 0: the line does not say.
std::uint64_t LineTime(std::string_view line);

}  // namespace throughline::api::links
