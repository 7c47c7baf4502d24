#include "api/links/health_read.h"

#include <utility>

#include "api/links/known_traces.h"

namespace throughline::api::links {

Result<LinkHealth> ReadLinkHealth(const Scope& scope, const HealthQuestion& question,
                                  const Context& context) {
  LinkCounter counter(question.time, question.service, context.store.hash_seed());
  TL_TRY_ASSIGN(const Visited visited,
                context.store.Visit(scope, {.time = question.time}, [&](const Batch& batch) {
                  counter.Add(batch);
                  return !counter.full();
                }));
  KnownTraces known(scope, context);
  bool expired = false;
  const auto state = [&](TraceId id, std::uint64_t named_unix_ns) -> Result<std::optional<Link>> {
    expired = scope.Expired();
    if (expired || known.size() >= question.lookups) return std::optional<Link>();
    TL_TRY_ASSIGN(const KnownTrace* trace, known.Find(id));
    // Records that link to the id say when it was named; a span link alone is none of them.
    const bool has_records = trace->evidence.first_arrival_unix_ns != 0;
    return std::optional<Link>(LinkOf(*trace, has_records ? 0 : named_unix_ns, context));
  };
  TL_TRY_ASSIGN(LinkHealth health, std::move(counter).Close(state));
  if (expired) health.incomplete_reason = "deadline";
  if (health.complete && !visited.complete) {
    health.complete = false;
    health.incomplete_reason = visited.incomplete_reason;
  }
  return health;
}

}  // namespace throughline::api::links
