#include "api/loki/line_labels.h"

#include <algorithm>
#include <array>

#include "api/links/render.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/attribute.h"
#include "correlate/metric_name.h"

namespace throughline::api::loki {
namespace {

// For lines that state no service so many spans of their trace are read, and the services of so
// many traces remembered: lines of one trace stand close together.
constexpr std::size_t kMaxInferredSpans = 10'000;
constexpr std::size_t kMaxRememberedTraces = 1000;

// What Loki makes labels of an OTLP resource's attributes; the others are structured metadata.
constexpr std::array<std::string_view, 18> kIndexed = {
    "cloud.availability_zone",
    "cloud.region",
    "container.name",
    "deployment.environment",
    "deployment.environment.name",
    "k8s.cluster.name",
    "k8s.container.name",
    "k8s.cronjob.name",
    "k8s.daemonset.name",
    "k8s.deployment.name",
    "k8s.job.name",
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.replicaset.name",
    "k8s.statefulset.name",
    "service.instance.id",
    "service.name",
    "service.namespace",
};

// Names without a dot are those that shippers of Loki's chose as labels.
bool IsIndexed(std::string_view key) {
  return key.find('.') == std::string_view::npos ||
         std::find(kIndexed.begin(), kIndexed.end(), key) != kIndexed.end();
}

std::string LabelName(std::string_view key) {
  std::string name = PrometheusName(key);
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

std::span<const Attribute> ResourceOf(const LogLine& line, const Batch& page) {
  const Resource* const resource = page.ResourceOf(line.resource);
  return resource == nullptr ? std::span<const Attribute>() : page.Of(resource->attributes);
}

}  // namespace

const Label* LineLabels::Find(std::string_view name) const {
  const auto found = std::find_if(labels_.begin(), labels_.end(),
                                  [&](const Label& label) { return label.name == name; });
  return found == labels_.end() ? nullptr : &*found;
}

std::string_view LineLabels::ValueOf(std::string_view name) const {
  const Label* const found = Find(name);
  return found == nullptr ? std::string_view() : std::string_view(found->value);
}

void LineLabels::Set(std::string_view name, std::string_view value, LabelKind kind) {
  Remove(name);
  labels_.push_back({.name = std::string(name), .value = std::string(value), .kind = kind});
}

void LineLabels::AddAbsent(std::string_view name, std::string_view value, LabelKind kind) {
  if (value.empty() || Find(name) != nullptr) return;
  labels_.push_back({.name = std::string(name), .value = std::string(value), .kind = kind});
}

void LineLabels::Remove(std::string_view name) {
  std::erase_if(labels_, [&](const Label& label) { return label.name == name; });
}

std::map<std::string, std::string> LineLabels::Of(bool stream, bool metadata, bool parsed) const {
  std::map<std::string, std::string> out;
  for (const Label& label : labels_) {
    const bool wanted = label.kind == LabelKind::kStream     ? stream
                        : label.kind == LabelKind::kMetadata ? metadata
                                                             : parsed;
    if (wanted) out.emplace(label.name, label.value);
  }
  return out;
}

void LineLabeler::Begin(const Batch& page) {
  page_ = &page;
  streams_.clear();
}

const LineLabels& LineLabeler::StreamOf(const LogLine& line) {
  const std::string_view service = ServiceOf(line);
  const auto [found, added] = streams_.try_emplace(std::pair(line.resource, std::string(service)));
  LineLabels& labels = found->second;
  if (!added) return labels;
  labels.Set("service_name", service, LabelKind::kStream);
  std::string job;
  for (const Attribute& attribute : ResourceOf(line, *page_)) {
    if (!IsIndexed(attribute.key())) continue;
    const std::string value = ValueText(attribute.value());
    if (attribute.key() == "service.namespace") job = value + "/";
    labels.AddAbsent(LabelName(attribute.key()), value, LabelKind::kStream);
  }
  labels.AddAbsent("job", job.append(service), LabelKind::kStream);
  return labels;
}

void LineLabeler::AddMetadata(const LogLine& line, LineLabels& labels) const {
  constexpr LabelKind kMetadata = LabelKind::kMetadata;
  if (line.trace_id.IsValid()) labels.AddAbsent("trace_id", ToHex(line.trace_id), kMetadata);
  if (line.span_id.IsValid()) labels.AddAbsent("span_id", ToHex(line.span_id), kMetadata);
  const std::string severity =
      line.severity_number == 0 ? std::string() : links::SeverityName(line.severity_number);
  for (const Attribute& attribute : page_->Of(line.attributes)) {
    labels.AddAbsent(LabelName(attribute.key()), ValueText(attribute.value()), kMetadata);
  }
  for (const Attribute& attribute : ResourceOf(line, *page_)) {
    if (IsIndexed(attribute.key())) continue;
    labels.AddAbsent(LabelName(attribute.key()), ValueText(attribute.value()), kMetadata);
  }
  labels.AddAbsent("severity_text", line.severity_text, kMetadata);
  labels.AddAbsent("event_name", line.event_name, kMetadata);
  if (const InstrumentationScope* const scope = page_->ScopeOf(line.scope)) {
    labels.AddAbsent("scope_name", scope->name, kMetadata);
  }
  if (!severity.empty() && labels.Find("level") == nullptr) {
    labels.all().push_back(
        {.name = "level", .value = severity, .kind = kMetadata, .gives_way = true});
  }
  labels.AddAbsent("detected_level", severity.empty() ? "unknown" : severity, kMetadata);
}

std::string_view LineLabeler::ServiceOf(const LogLine& line) {
  if (!line.service.empty()) return line.service;
  if (!assumed_service_.empty()) return assumed_service_;
  if (!line.trace_id.IsValid()) return kUnknownService;
  const Trace& trace = TraceOf(line.trace_id);
  for (const auto& [span_id, service] : trace.services) {
    if (line.span_id.IsValid() && span_id == line.span_id && !service.empty()) return service;
  }
  return trace.root_service.empty() ? kUnknownService : std::string_view(trace.root_service);
}

const LineLabeler::Trace& LineLabeler::TraceOf(TraceId id) {
  static const Trace kNone;
  if (const auto found = traces_.find(id); found != traces_.end()) return found->second;
  if (asked_++ == most_asked_ || scope_.Expired()) {
    gave_up_ = true;
    return kNone;
  }
  if (traces_.size() == kMaxRememberedTraces) traces_.clear();
  Trace& trace = traces_[id];
  FindOptions options;
  options.logs = false;
  options.exemplars = false;
  options.record_limit = kMaxInferredSpans;
  const auto found = context_.store.FindTrace(scope_, id, options);
  if (!found || found->records.spans.empty()) {
    gave_up_ = scope_.Expired();
    return trace;
  }
  const Batch& spans = found->records;
  for (const Span& span : spans.spans) {
    trace.services.emplace_back(span.span_id, spans.ServiceOf(span));
  }
  const TraceTree tree = BuildTraceTree(spans);
  trace.root_service = spans.ServiceOf(tree.At(spans, tree.root));
  return trace;
}

}  // namespace throughline::api::loki
