// The store's lookups over one snapshot of the memtable.
//
// By id they follow the chains of the trace. The others walk the blocks of the tenant, newest
// first: each record's effective time is looked at in place, and only what lies in the range is
// read and matched (store/match.h).
#pragma once

#include <vector>

#include "correlate/query.h"
#include "correlate/result.h"
#include "correlate/scope.h"
#include "correlate/store.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::sqlite {

// What a lookup looks at.
struct View {
  Memtable::Snapshot snapshot;
  std::uint32_t tenant = 0;  // 0: nothing of it is stored.
  const Scope& scope;
};

Result<TraceRecords> FindTrace(const View& view, TraceId id, const FindOptions& options);
Result<std::vector<TraceSummary>> Summarize(const View& view, TraceId id);
Result<Page<TraceSummary>> FindTraces(const View& view, const TraceQuery& query);
Result<RecordPage> FindLogs(const View& view, const LogQuery& query);
Result<RecordPage> FindExemplars(const View& view, const ExemplarQuery& query);
Result<RecordPage> FindGauges(const View& view, const GaugeQuery& query);  // find_gauges.cc.

}  // namespace throughline::store::sqlite
