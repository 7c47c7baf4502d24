// When a trace was, for a question about it that is passed on to another backend: the narrower its
// range, the fewer blocks and chunks that backend opens.
#pragma once

#include <optional>
#include <string_view>

#include "api/links/handlers.h"
#include "correlate/query.h"
#include "correlate/scope.h"

namespace throughline::api {

// From the first to the last of the records that link to the one trace that `id` names, in any
// spelling, with links::Settings::locate_padding_ns around it. nullopt: it is no id, or the store
// holds nothing of it or several traces, or not all could be read.
std::optional<TimeRange> RangeOfTrace(std::string_view id, const Scope& scope,
                                      const links::Context& context);

}  // namespace throughline::api
