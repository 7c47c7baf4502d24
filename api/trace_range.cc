#include "api/trace_range.h"

#include "api/links/lookup.h"
#include "api/links/whereabouts.h"

namespace throughline::api {

std::optional<TimeRange> RangeOfTrace(std::string_view id, const Scope& scope,
                                      const links::Context& context) {
  const auto found = links::LookUp(id, scope, {}, context);
  if (!found || found->matches.size() != 1 || !found->records.complete) return std::nullopt;
  const Batch& records = found->records.records;
  if (records.record_count() == 0) return std::nullopt;
  return links::Padded(links::WhereaboutsOf(records),
                       context.settings.locate_padding_ns + links::WidenedNs(records));
}

}  // namespace throughline::api
