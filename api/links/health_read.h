// The health of the links of a range, from the store.
#pragma once

#include <optional>
#include <string>

#include "api/links/handlers.h"
#include "correlate/analysis/link_health.h"
#include "correlate/scope.h"

namespace throughline::api::links {

struct HealthQuestion {
  TimeRange time;
  std::optional<std::string> service;
  std::size_t lookups = 0;  // Of ids whose spans are not in the range: each is a lookup by id.
  LinkCounter::Limits limits = {};
};

// The cost is that of the range, and of so many lookups. At a limit or the deadline of `scope` the
// answer says that it is incomplete.
Result<LinkHealth> ReadLinkHealth(const Scope& scope, const HealthQuestion& question,
                                  const Context& context);

}  // namespace throughline::api::links
