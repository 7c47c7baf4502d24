// The lines of a LogQL selection, one after the other.
//
// A read thread runs it. Bounded by `lines` and the deadline of the scope; at either it ends and
// says why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "api/links/handlers.h"
#include "api/loki/line_labels.h"
#include "api/loki/pipeline.h"
#include "api/query/logql.h"
#include "correlate/query.h"
#include "correlate/result.h"
#include "correlate/scope.h"

namespace throughline::api::loki {

struct ScanOptions {
  TimeRange range;           // Both ends inclusive.
  bool newest_first = true;  // Else the oldest.
  std::size_t first_page = 1000;
  std::size_t lines = 0;  // To look at, at most.
  bool metadata = true;   // Entries have it; the stages of a pipeline need it.
  bool services = true;   // Lines that state none have that of their trace; else kUnknownService.
  std::size_t most_asked = kNoBound;  // Traces, for the services of lines that state none.
};

struct ScanEnd {
  std::size_t lines = 0;  // Looked at.
  std::size_t bytes = 0;  // Their texts.
  // Why lines are missing, as a warning; empty: none are.
  std::string missing;
  // Where some are: all up to this time, in the order of the scan, were looked at.
  std::uint64_t reached_unix_ns = 0;
};

// False: enough.
using OnEntry = std::function<bool(Entry& entry)>;

Result<ScanEnd> Scan(const query::LogSelection& selection, const ScanOptions& options,
                     const Scope& scope, const links::Context& context, const OnEntry& on_entry);

// The lines of a batch that was stored at `arrival_unix_ns`, in its order. The selection's trace
// ids are spelt already (plan.h).
void ScanBatch(const query::LogSelection& selection, const Batch& batch,
               std::uint64_t arrival_unix_ns, const Scope& scope, const links::Context& context,
               const OnEntry& on_entry);

}  // namespace throughline::api::loki
