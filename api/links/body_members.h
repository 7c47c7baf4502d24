// The members of a JSON body that asks for an analysis, read strictly.
//
// Errors are kInvalidArgument and name the member, as "window.start: want ...".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "api/http.h"
#include "api/links/handlers.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/result.h"

namespace throughline::api::links {

inline constexpr std::uint64_t kLongestWindowNs = 24ULL * 3600 * 1'000'000'000;

// Owns what the members view.
class BodyDocument {
 public:
  // `want`: which members an empty body should have had.
  Result<simdjson::dom::object> Open(const Request& request, std::string_view want);

 private:
  simdjson::dom::parser parser_;
};

// {"start", "end"}, each a time as text or as a whole number; at most kLongestWindowNs.
Result<TimeSpan> ReadWindow(simdjson::dom::element value, const std::string& name,
                            const Context& context);
Result<std::string> ReadText(simdjson::dom::element value, const std::string& name);

}  // namespace throughline::api::links
