// The store's lookups over one view: the hot parts and the sealed segments as they were at one
// moment.
//
// By id they ask every part that may hold the trace. The others walk the hot parts, newest first,
// and of the segments only the blocks that may hold what is wanted, in the order of the answer, so
// that a page ends as soon as nothing better can come. Records that a retry stored twice, in two
// parts, are one in every answer. What is damaged is left out, and the answer says that it is
// incomplete.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "correlate/query.h"
#include "correlate/result.h"
#include "correlate/scope.h"
#include "correlate/store.h"
#include "store/segment/segment.h"
#include "store/sqlite/hot_tags.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::sqlite {

// What a lookup looks at.
struct View {
  std::vector<Memtable::Snapshot> hot;  // The newest first.
  std::vector<HotTags*> tags;           // Of each of them.
  std::vector<std::shared_ptr<const segment::Segment>> sealed;
  std::shared_ptr<const void> keep_alive;  // Of all that the snapshots point to.
  std::uint32_t tenant = 0;                // 0: nothing of it is stored.
  const Scope& scope;
};

Result<TraceRecords> FindTrace(const View& view, TraceId id, const FindOptions& options);
Result<std::vector<TraceSummary>> Summarize(const View& view, TraceId id);
Result<Page<TraceSummary>> FindTraces(const View& view, const TraceQuery& query);
Result<RecordPage> FindLogs(const View& view, const LogQuery& query);
Result<RecordPage> FindExemplars(const View& view, const ExemplarQuery& query);
Result<Visited> Visit(const View& view, const VisitQuery& query,
                      const std::function<bool(const Batch&)>& visit);
Result<RecordPage> FindGauges(const View& view, const GaugeQuery& query);  // find_gauges.cc.

}  // namespace throughline::store::sqlite
