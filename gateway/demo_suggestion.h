// The lookups that the demo prints, as commands and as calls of curl: a spike, its cause, a canary.
#pragma once

#include <string>
#include <string_view>

#include "gateway/demo.h"

namespace throughline::gateway {

// `slow_trace`: a slow payment's, that an exemplar names.
std::string SuggestionText(const DemoOptions& options, std::string_view slow_trace);

}  // namespace throughline::gateway
