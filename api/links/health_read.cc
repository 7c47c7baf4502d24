#include "api/links/health_read.h"

#include "api/links/count_range.h"

namespace throughline::api::links {

Result<LinkHealth> ReadLinkHealth(const Scope& scope, const HealthQuestion& question,
                                  const Context& context) {
  return CountRange(
      scope, question.time, question.lookups, context,
      LinkCounter(question.time, question.service, context.store.hash_seed(), question.limits));
}

}  // namespace throughline::api::links
