// What the store knows of trace ids, asked once per id and request.
//
// One per request; not thread-safe. Grows by one entry for each distinct id that is asked for, so
// the caller's bound on ids bounds it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/links/handlers.h"
#include "correlate/hash.h"
#include "correlate/link.h"
#include "correlate/query.h"

namespace throughline::api::links {

struct KnownTrace {
  std::vector<TraceSummary> traces;  // Several: the id is ambiguous.
  LinkEvidence evidence;             // Of the one trace, or of an id that nothing carries.

  const TraceSummary* summary() const { return traces.size() == 1 ? &traces.front() : nullptr; }
};

class KnownTraces {
 public:
  // Both must outlive it.
  KnownTraces(const Scope& scope, const Context& context) : scope_(scope), context_(context) {}

  // The answer stays where it is until the end.
  Result<const KnownTrace*> Find(TraceId id);
  bool Has(TraceId id) const { return known_.contains(id); }
  std::size_t size() const { return known_.size(); }

 private:
  struct Hash {
    std::size_t operator()(TraceId id) const { return HashCombine(id.high, id.low); }
  };

  const Scope& scope_;
  const Context& context_;
  std::unordered_map<TraceId, KnownTrace, Hash> known_;
};

// `named_at_unix_ns` as in StateOf.
Link LinkOf(const KnownTrace& known, std::uint64_t named_at_unix_ns, const Context& context);
// For an id that names several traces.
Link AmbiguousLink(const std::vector<TraceId>& traces);

}  // namespace throughline::api::links
