// A trace in one line, from its records. Pure: nothing depends on the order of the records.
//
// `records` holds what links to one trace, as Store::FindTrace gives it.
#pragma once

#include "correlate/batch.h"
#include "correlate/link.h"
#include "correlate/query.h"

namespace throughline {

// The earliest span without a parent; else the earliest whose parent is not here; else, in a loop
// of parents, the earliest. Ties go to the lower span id, then the lower identity. Null: no spans.
// The pointer is into `records`.
const Span* RootOf(const Batch& records);

LinkEvidence EvidenceOf(const Batch& records);

TraceSummary SummaryOf(TraceId trace_id, const Batch& records);

}  // namespace throughline
