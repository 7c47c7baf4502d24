// Reads the summaries of all traces that have spans, at the reader's pace.
//
// A trace comes once, however many parts hold it: with the first of them that has a span which is
// wanted. What is remembered meanwhile are the ids of one segment, or of what is hot. One thread.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "correlate/query.h"
#include "store/sqlite/record_scan.h"

namespace throughline::store::sqlite {

class TraceScan {
 public:
  // Of `filter` time and service count: a trace comes if one span of it has both.
  TraceScan(View view, std::shared_ptr<const Scope> scope, const ScanFilter& filter);

  // Appends the summaries of the next step that has any; false: there are no more. Errors as
  // RecordScan::Next.
  Result<bool> Next(std::vector<TraceSummary>& to);
  bool was_damaged() const { return damaged_ || spans_.was_damaged(); }

 private:
  bool IsWanted(const Span& span, const Batch& batch) const;
  // True: a segment before this one gave it.
  bool CameBefore(TraceId match);
  Result<void> Add(TraceId stored, std::vector<TraceSummary>& to);

  const std::shared_ptr<const Scope> scope_;
  const ScanFilter filter_;
  RecordScan spans_;
  std::size_t source_ = 0;
  std::set<TraceId> seen_;  // Of this source.
  bool damaged_ = false;
};

}  // namespace throughline::store::sqlite
