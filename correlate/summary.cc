#include "correlate/summary.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "correlate/decision.h"
#include "correlate/record_time.h"

namespace throughline {
namespace {

bool Earlier(const Span& a, const Span& b) {
  return std::tuple(TimeOf(a), a.span_id, a.identity) <
         std::tuple(TimeOf(b), b.span_id, b.identity);
}

template <typename Qualifies>
const Span* Earliest(const Batch& records, const Qualifies& qualifies) {
  const Span* earliest = nullptr;
  for (const Span& span : records.spans) {
    if (!qualifies(span)) continue;
    if (earliest == nullptr || Earlier(span, *earliest)) earliest = &span;
  }
  return earliest;
}

template <typename Record>
void AddFirstArrival(const std::vector<Record>& records, LinkEvidence& evidence) {
  std::uint64_t& first = evidence.first_arrival_unix_ns;
  for (const Record& record : records) {
    if (first == 0 || record.arrival_unix_ns < first) first = record.arrival_unix_ns;
  }
}

// Widens [start, end] of the summary; `any` says whether it holds a time already.
void Widen(std::uint64_t start, std::uint64_t end, bool& any, TraceSummary& summary) {
  summary.start_unix_ns = any ? std::min(summary.start_unix_ns, start) : start;
  summary.end_unix_ns = any ? std::max(summary.end_unix_ns, end) : end;
  any = true;
}

// Of the spans; of the other records only where there is no span.
void SetTimes(const Batch& records, TraceSummary& summary) {
  bool any = false;
  for (const Span& span : records.spans) Widen(TimeOf(span), EndOf(span), any, summary);
  if (!any) {
    for (const LogLine& line : records.logs) Widen(TimeOf(line), TimeOf(line), any, summary);
    for (const Exemplar& exemplar : records.exemplars) {
      Widen(TimeOf(exemplar), TimeOf(exemplar), any, summary);
    }
  }
  summary.duration_ns = summary.end_unix_ns - summary.start_unix_ns;
}

class Names {
 public:
  explicit Names(const Batch& records) : records_(records) {}

  void Add(std::string_view service, std::uint32_t resource) {
    if (!service.empty()) services_.emplace(service);
    if (resource != kNoIndex) resources_.insert(resource);
  }
  void Put(TraceSummary& summary) const {
    std::set<std::string> versions;
    for (const std::uint32_t index : resources_) {
      for (const Attribute& attribute : records_.Of(records_.resources[index].attributes)) {
        if (attribute.key() != "service.version") continue;
        std::string version = ValueText(attribute.value());
        if (!version.empty()) versions.insert(std::move(version));
      }
    }
    summary.services.assign(services_.begin(), services_.end());
    summary.versions.assign(versions.begin(), versions.end());
  }

 private:
  const Batch& records_;
  std::set<std::string, std::less<>> services_;
  std::set<std::uint32_t> resources_;
};

}  // namespace

const Span* RootOf(const Batch& records) {
  if (const Span* root =
          Earliest(records, [](const Span& s) { return !s.parent_span_id.IsValid(); })) {
    return root;
  }
  std::vector<SpanId> ids;
  ids.reserve(records.spans.size());
  for (const Span& span : records.spans) ids.push_back(span.span_id);
  std::sort(ids.begin(), ids.end());
  const auto is_orphan = [&ids](const Span& span) {
    return !std::binary_search(ids.begin(), ids.end(), span.parent_span_id);
  };
  if (const Span* root = Earliest(records, is_orphan)) return root;
  return Earliest(records, [](const Span&) { return true; });
}

LinkEvidence EvidenceOf(const Batch& records) {
  LinkEvidence evidence;
  evidence.span_count = records.spans.size();
  evidence.log_count = records.logs.size();
  evidence.exemplar_count = records.exemplars.size();
  for (const LogLine& line : records.logs) {
    evidence.said_unsampled |= line.sampled == Sampled::kNo;
    const auto decision = DecisionOf(line, records);
    evidence.decided_out |= decision && !decision->kept;
  }
  AddFirstArrival(records.spans, evidence);
  AddFirstArrival(records.logs, evidence);
  AddFirstArrival(records.exemplars, evidence);
  return evidence;
}

TraceSummary SummaryOf(TraceId trace_id, const Batch& records) {
  TraceSummary summary;
  summary.trace_id = trace_id;
  if (const Span* root = RootOf(records)) {
    summary.root_service = records.ServiceOf(*root);
    summary.root_operation = root->name;
    summary.root_span_id = root->span_id;
  }
  SetTimes(records, summary);
  Names names(records);
  for (const Span& span : records.spans) {
    names.Add(records.ServiceOf(span), span.resource);
    if (span.is_error()) ++summary.error_count;
  }
  for (const LogLine& line : records.logs) names.Add(line.service, line.resource);
  for (const Exemplar& exemplar : records.exemplars) names.Add(exemplar.service, exemplar.resource);
  names.Put(summary);
  summary.evidence = EvidenceOf(records);
  return summary;
}

}  // namespace throughline
