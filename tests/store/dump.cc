#include "tests/store/dump.h"

#include <algorithm>
#include <sstream>

namespace throughline::store {
namespace {

std::string Attributes(std::span<const Attribute> attributes) {
  std::string out = "{";
  for (const Attribute& attribute : attributes) {
    out.append(attribute.key()).append("=").append(ValueText(attribute.value())).append(":");
    out += std::to_string(static_cast<int>(ReadValue(attribute.value()).type)) + ",";
  }
  return out + "}";
}

std::string Origin(std::uint32_t resource, std::uint32_t scope, const Batch& batch) {
  std::ostringstream out;
  if (const Resource* from = batch.ResourceOf(resource)) {
    out << " resource " << from->service << Attributes(batch.Of(from->attributes));
  }
  if (const InstrumentationScope* from = batch.ScopeOf(scope)) {
    out << " scope " << from->name << " " << from->version
        << Attributes(batch.Of(from->attributes));
  }
  return out.str();
}

std::string Evidence(const LinkEvidence& evidence) {
  std::ostringstream out;
  out << " spans " << evidence.span_count << " logs " << evidence.log_count << " exemplars "
      << evidence.exemplar_count << " unsampled " << evidence.said_unsampled << " decided_out "
      << evidence.decided_out << " expired " << evidence.in_expired << " first "
      << evidence.first_arrival_unix_ns;
  return out.str();
}

template <typename List>
std::string Lines(const List& list) {
  std::string out;
  for (const auto& item : list) out.append(item).append("\n");
  return out;
}

std::string Completeness(bool complete, const std::string& reason) {
  return complete ? "complete" : "incomplete: " + reason;
}

}  // namespace

std::string Dump(const Span& span, const Batch& batch) {
  std::ostringstream out;
  out << "span " << ToHex(span.trace_id) << " " << ToHex(span.span_id) << " parent "
      << ToHex(span.parent_span_id) << " " << span.name << " start " << span.start_unix_ns
      << " end " << span.end_unix_ns << " kind " << span.kind << " status " << span.status_code
      << " " << span.status_message << " flags " << span.flags << " state " << span.trace_state
      << " arrival " << span.arrival_unix_ns << " identity " << span.identity
      << Attributes(batch.Of(span.attributes));
  for (const SpanEvent& event : batch.EventsOf(span)) {
    out << " event " << event.time_unix_ns << " " << event.name
        << Attributes(batch.Of(event.attributes));
  }
  for (const SpanLink& link : batch.LinksOf(span)) {
    out << " link " << ToHex(link.trace_id) << " " << ToHex(link.span_id) << " " << link.flags
        << " " << link.trace_state << Attributes(batch.Of(link.attributes));
  }
  out << Origin(span.resource, span.scope, batch);
  return out.str();
}

std::string Dump(const LogLine& line, const Batch& batch) {
  std::ostringstream out;
  out << "line " << ToHex(line.trace_id) << " " << ToHex(line.span_id) << " time "
      << line.time_unix_ns << " observed " << line.observed_unix_ns << " severity "
      << line.severity_number << " " << line.severity_text << " flags " << line.flags
      << " found_by " << static_cast<int>(line.found_by) << " sampled "
      << static_cast<int>(line.sampled) << " service " << line.service << " event "
      << line.event_name << " arrival " << line.arrival_unix_ns << " identity " << line.identity
      << " body " << ValueText(line.body) << Attributes(batch.Of(line.attributes));
  for (const RelatedId& id : batch.RelatedOf(line)) {
    out << " related " << ToHex(id.trace_id) << " " << ToHex(id.span_id);
  }
  out << Origin(line.resource, line.scope, batch);
  return out.str();
}

std::string Dump(const Exemplar& exemplar, const Batch& batch) {
  std::ostringstream out;
  out << "exemplar " << ToHex(exemplar.trace_id) << " " << ToHex(exemplar.span_id) << " time "
      << exemplar.time_unix_ns << " " << exemplar.metric << " unit " << exemplar.unit << " type "
      << static_cast<int>(exemplar.metric_type) << " value " << exemplar.value() << " integer "
      << exemplar.is_integer << " le " << exemplar.has_le << " " << exemplar.le << " service "
      << exemplar.service << " arrival " << exemplar.arrival_unix_ns << " identity "
      << exemplar.identity << " labels" << Attributes(batch.Of(exemplar.labels)) << " own"
      << Attributes(batch.Of(exemplar.attributes))
      << Origin(exemplar.resource, exemplar.scope, batch);
  return out.str();
}

std::string Dump(const GaugePoint& point, const Batch& batch) {
  std::ostringstream out;
  out << "gauge " << point.metric << " unit " << point.unit << " type "
      << static_cast<int>(point.metric_type) << " time " << point.time_unix_ns << " value "
      << point.value << " service " << point.service << " arrival " << point.arrival_unix_ns
      << " identity " << point.identity << " labels" << Attributes(batch.Of(point.labels))
      << Origin(point.resource, kNoIndex, batch);
  return out.str();
}

std::string Dump(const TraceSummary& summary) {
  std::ostringstream out;
  out << "trace " << ToHex(summary.trace_id) << " root " << summary.root_service << " "
      << summary.root_operation << " " << ToHex(summary.root_span_id) << " start "
      << summary.start_unix_ns << " end " << summary.end_unix_ns << " duration "
      << summary.duration_ns << " errors " << summary.error_count << " services";
  for (const std::string& service : summary.services) out << " " << service;
  out << " versions";
  for (const std::string& version : summary.versions) out << " " << version;
  out << Evidence(summary.evidence);
  return out.str();
}

std::vector<std::string> DumpSorted(const Batch& batch) {
  std::vector<std::string> texts = DumpOrdered(batch);
  for (const Span& span : batch.spans) texts.push_back(Dump(span, batch));
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::vector<std::string> DumpOrdered(const Batch& batch) {
  std::vector<std::string> texts;
  for (const LogLine& line : batch.logs) texts.push_back(Dump(line, batch));
  for (const Exemplar& exemplar : batch.exemplars) texts.push_back(Dump(exemplar, batch));
  for (const GaugePoint& point : batch.gauges) texts.push_back(Dump(point, batch));
  return texts;
}

std::string Dump(const TraceRecords& found) {
  std::string out = "matches";
  for (const TraceId id : found.matches) out += " " + ToHex(id);
  return out + " " + Completeness(found.complete, found.incomplete_reason) +
         Evidence(found.evidence) + "\n" + Lines(DumpSorted(found.records));
}

std::string Dump(const RecordPage& page) {
  return Completeness(page.complete, page.incomplete_reason) +
         (page.cursor.empty() ? " last" : " more") + "\n" + Lines(DumpOrdered(page.records));
}

std::string Dump(const Page<TraceSummary>& page) {
  return Completeness(page.complete, page.incomplete_reason) +
         (page.cursor.empty() ? " last" : " more") + "\n" + Dump(page.items);
}

std::string Dump(const std::vector<TraceSummary>& summaries) {
  std::string out;
  for (const TraceSummary& summary : summaries) out += Dump(summary) + "\n";
  return out;
}

std::string Dump(const std::vector<ServiceInfo>& services) {
  std::ostringstream out;
  for (const ServiceInfo& info : services) {
    out << info.service << " spans " << info.span_count << " errors " << info.error_count
        << " logs " << info.log_count << " exemplars " << info.exemplar_count << "\n";
  }
  return out.str();
}

std::string Dump(const std::vector<OperationInfo>& operations) {
  std::ostringstream out;
  for (const OperationInfo& info : operations) {
    out << info.operation << " kind " << info.kind << " spans " << info.span_count << " errors "
        << info.error_count << "\n";
  }
  return out.str();
}

}  // namespace throughline::store
