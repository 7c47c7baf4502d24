#include "api/links/health_read.h"

#include <utility>

#include "api/links/state_lookup.h"

namespace throughline::api::links {

Result<LinkHealth> ReadLinkHealth(const Scope& scope, const HealthQuestion& question,
                                  const Context& context) {
  LinkCounter counter(question.time, question.service, context.store.hash_seed(), question.limits);
  TL_TRY_ASSIGN(const Visited visited,
                context.store.Visit(scope, {.time = question.time}, [&](const Batch& batch) {
                  counter.Add(batch);
                  return !counter.full();
                }));
  StateLookup lookup(scope, context, question.lookups);
  const auto state = [&lookup](TraceId id, std::uint64_t named_unix_ns) {
    return lookup.Find(id, named_unix_ns);
  };
  TL_TRY_ASSIGN(LinkHealth health, std::move(counter).Close(state));
  if (lookup.expired()) health.incomplete_reason = "deadline";
  if (health.complete && !visited.complete) {
    health.complete = false;
    health.incomplete_reason = visited.incomplete_reason;
  }
  return health;
}

}  // namespace throughline::api::links
