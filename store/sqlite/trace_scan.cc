#include "store/sqlite/trace_scan.h"

#include <algorithm>

#include "correlate/record_time.h"
#include "correlate/summary.h"
#include "store/sqlite/found_trace.h"

namespace throughline::store::sqlite {

TraceScan::TraceScan(View view, std::shared_ptr<const Scope> scope, const ScanFilter& filter)
    : scope_(scope),
      filter_({.kind = RecordKind::kSpan, .time = filter.time, .service = filter.service}),
      spans_(std::move(view), std::move(scope), filter_) {}

bool TraceScan::IsWanted(const Span& span, const Batch& batch) const {
  return filter_.time.Contains(TimeOf(span)) &&
         (!filter_.service || batch.ServiceOf(span) == *filter_.service);
}

bool TraceScan::CameBefore(TraceId match) {
  for (std::size_t i = 0; i < source_; ++i) {
    const auto found = spans_.view().sealed[i]->Find(spans_.view().tenant, match);
    if (!found) {
      damaged_ = true;
      continue;
    }
    if (*found == nullptr) continue;
    Batch batch;
    if (!(*found)->Read(RecordKind::kSpan, match, SIZE_MAX, batch)) damaged_ = true;
    if (std::any_of(batch.spans.begin(), batch.spans.end(),
                    [&](const Span& span) { return IsWanted(span, batch); })) {
      return true;
    }
  }
  return false;
}

Result<void> TraceScan::Add(TraceId stored, std::vector<TraceSummary>& to) {
  if (!seen_.insert(stored).second) return {};
  const FoundTrace found(spans_.view(), stored);
  damaged_ = damaged_ || found.was_damaged();
  for (const TraceId match : found.matches()) {
    if (match != stored && !seen_.insert(match).second) continue;
    if (CameBefore(match)) continue;
    Batch records;
    std::string cut;
    if (match == stored) {
      cut = found.Read(match, {}, SIZE_MAX, records);
    } else {
      cut = FoundTrace(spans_.view(), match).Read(match, {}, SIZE_MAX, records);
    }
    if (cut == kDeadlineReason) return Error{Errc::kUnavailable, kStopped};
    damaged_ = damaged_ || !cut.empty();
    to.push_back(SummaryOf(match, records));
  }
  return {};
}

Result<bool> TraceScan::Next(std::vector<TraceSummary>& to) {
  const std::size_t before = to.size();
  for (;;) {
    Batch batch;
    TL_TRY_ASSIGN(const bool more, spans_.Next(batch));
    if (!more) return false;
    if (spans_.source() != source_) {
      source_ = spans_.source();
      seen_.clear();
    }
    for (const Span& span : batch.spans) {
      if (!IsWanted(span, batch)) continue;
      TL_TRY(Add(span.trace_id, to));
    }
    if (to.size() > before) return true;
  }
}

}  // namespace throughline::store::sqlite
