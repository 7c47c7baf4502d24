// Answers of a store as text, every field of them, so that tests compare and failures explain.
#pragma once

#include <string>
#include <vector>

#include "correlate/batch.h"
#include "correlate/query.h"

namespace throughline::store {

std::string Dump(const Span& span, const Batch& batch);
std::string Dump(const LogLine& line, const Batch& batch);
std::string Dump(const Exemplar& exemplar, const Batch& batch);
std::string Dump(const GaugePoint& point, const Batch& batch);
std::string Dump(const TraceSummary& summary);

// Records in no order: their texts, sorted.
std::vector<std::string> DumpSorted(const Batch& batch);
// Lines, exemplars and gauge points in the order of the answer.
std::vector<std::string> DumpOrdered(const Batch& batch);

std::string Dump(const TraceRecords& found);
std::string Dump(const RecordPage& page);
std::string Dump(const Page<TraceSummary>& page);
std::string Dump(const std::vector<TraceSummary>& summaries);
std::string Dump(const std::vector<ServiceInfo>& services);
std::string Dump(const std::vector<OperationInfo>& operations);

}  // namespace throughline::store
