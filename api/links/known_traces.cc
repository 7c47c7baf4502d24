#include "api/links/known_traces.h"

#include <utility>

namespace throughline::api::links {

Result<const KnownTrace*> KnownTraces::Find(TraceId id) {
  if (const auto found = known_.find(id); found != known_.end()) return &found->second;
  KnownTrace known;
  TL_TRY_ASSIGN(known.traces, context_.store.Summarize(scope_, id));
  if (known.traces.size() == 1) {
    known.evidence = known.traces.front().evidence;
  } else if (known.traces.empty()) {
    // Why nothing is here (expired, sampled out) only a lookup of the records says.
    TL_TRY_ASSIGN(const TraceRecords records, context_.store.FindTrace(scope_, id, FindOptions()));
    known.evidence = records.evidence;
  }
  return &known_.emplace(id, std::move(known)).first->second;
}

Link LinkOf(const KnownTrace& known, std::uint64_t named_at_unix_ns, const Context& context) {
  if (known.traces.size() > 1) {
    std::vector<TraceId> ids;
    for (const TraceSummary& trace : known.traces) ids.push_back(trace.trace_id);
    return AmbiguousLink(ids);
  }
  return StateOf(known.evidence, named_at_unix_ns, context.now_unix_ns,
                 context.settings.pending_wait_ns);
}

Link AmbiguousLink(const std::vector<TraceId>& traces) {
  constexpr std::size_t kNamed = 3;
  std::string reason = std::to_string(traces.size()) + " traces have this id: ";
  for (std::size_t i = 0; i < traces.size() && i < kNamed; ++i) {
    if (i > 0) reason += ", ";
    AppendHex(traces[i], reason);
  }
  if (traces.size() > kNamed) reason += ", ...";
  return LinkOfCause(LinkCause::kSeveralTraces, std::move(reason));
}

}  // namespace throughline::api::links
