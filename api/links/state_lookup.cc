#include "api/links/state_lookup.h"

namespace throughline::api::links {

Result<std::optional<Link>> StateLookup::Find(TraceId id, std::uint64_t named_unix_ns) {
  expired_ = scope_.Expired();
  if (expired_ || known_.size() >= lookups_) return std::optional<Link>();
  TL_TRY_ASSIGN(const KnownTrace* trace, known_.Find(id));
  // Records that link to the id say when it was named; a span link alone is none of them.
  const bool has_records = trace->evidence.first_arrival_unix_ns != 0;
  return std::optional<Link>(LinkOf(*trace, has_records ? 0 : named_unix_ns, context_));
}

}  // namespace throughline::api::links
