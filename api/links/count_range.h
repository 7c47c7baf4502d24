// Counts what the records of a range link to, with the states of links that the store knows: what
// link health and coverage are read with.
#pragma once

#include <utility>

#include "api/links/handlers.h"
#include "api/links/state_lookup.h"
#include "correlate/analysis/link_health.h"
#include "correlate/scope.h"
#include "correlate/store.h"

namespace throughline::api::links {

// `Counter` is a LinkCounter or a CoverageMeter, empty. The cost is that of the range, and of so
// many lookups by id. At a limit or the deadline of `scope` the counts say that they are
// incomplete.
template <typename Counter>
auto CountRange(const Scope& scope, const TimeRange& range, std::size_t lookups,
                const Context& context, Counter counter)
    -> decltype(std::move(counter).Close(LinkCounter::States())) {
  TL_TRY_ASSIGN(const Visited visited,
                context.store.Visit(scope, {.time = range}, [&](const Batch& batch) {
                  counter.Add(batch);
                  return !counter.full();
                }));
  StateLookup lookup(scope, context, lookups);
  const auto state = [&lookup](TraceId id, std::uint64_t named_unix_ns) {
    return lookup.Find(id, named_unix_ns);
  };
  TL_TRY_ASSIGN(auto counts, std::move(counter).Close(state));
  if (lookup.expired()) counts.incomplete_reason = "deadline";
  if (counts.complete && !visited.complete) {
    counts.complete = false;
    counts.incomplete_reason = visited.incomplete_reason;
  }
  return counts;
}

}  // namespace throughline::api::links
