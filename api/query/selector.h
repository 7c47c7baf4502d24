// A PromQL instant selector: metric{label="value",other=~"re"}, with nothing around it.
//
// The metric may be missing ({...}), or stand in braces as __name__="..." or, in quotes, alone.
// Strings are in double or single quotes with Go's escapes, or in backquotes without. Regular
// expressions are passed on as they are; the store compiles them.
// Source: prometheus.io/docs/prometheus/latest/querying/basics, "Instant vector selectors".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline::api::query {

// Selectors with more matchers are refused.
inline constexpr std::size_t kMaxMatchers = 100;

struct Selector {
  std::string metric;  // Exact; empty: any.
  // The conditions on __name__ that are not plain equality stay here under that key.
  std::vector<Matcher> matchers;
};

// kInvalidArgument with the byte offset.
Result<Selector> ParseSelector(std::string_view text);

}  // namespace throughline::api::query
