#include "correlate/analysis/coverage.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "correlate/attribute.h"
#include "correlate/decision.h"
#include "correlate/find.h"
#include "correlate/record_time.h"

namespace throughline {
namespace {

template <typename T>
void SortUnique(std::vector<T>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

// How `attributes` spell `trace` at their top level; kNone: they do not.
Spelling SpellingIn(std::span<const Attribute> attributes, TraceId trace) {
  for (const Attribute& attribute : attributes) {
    const KeyKind key = TraceKeyKind(attribute.key(), {});
    if (key == KeyKind::kNone) continue;
    const Resolved id = Resolve(StringOf(attribute.value()), Strictness::kField, key);
    if (id.IsValid() && SameTrace(id.trace_id, trace)) return id.spelling;
  }
  return Spelling::kNone;
}

Spelling SpellingIn(std::string_view text, TraceId trace) {
  FoundIds found;
  FindIds(text, found);
  for (std::size_t i = 0; i < found.count; ++i) {
    if (SameTrace(found.ids[i].id.trace_id, trace)) return found.ids[i].id.spelling;
  }
  return Spelling::kNone;
}

std::span<const Attribute> ResourceAttributes(const Batch& batch, std::uint32_t resource) {
  const Resource* const from = batch.ResourceOf(resource);
  return from == nullptr ? std::span<const Attribute>() : batch.Of(from->attributes);
}

// As far as names tell: Loki's labels have no dots, and OpenTelemetry's conventions have them.
enum class Around { kNothing, kStream, kResource };

Around AroundLine(const Batch& batch, std::uint32_t resource) {
  const auto attributes = ResourceAttributes(batch, resource);
  if (attributes.empty()) return Around::kNothing;
  const bool dotted = std::any_of(attributes.begin(), attributes.end(), [](const Attribute& a) {
    return a.key().find('.') != std::string_view::npos;
  });
  return dotted ? Around::kResource : Around::kStream;
}

void NoteLanguage(const Batch& batch, std::uint32_t resource, std::string& language) {
  for (const Attribute& attribute : ResourceAttributes(batch, resource)) {
    if (attribute.key() != "telemetry.sdk.language") continue;
    const std::string_view stated = StringOf(attribute.value());
    if (!stated.empty() && (language.empty() || stated < language)) language = stated;
  }
}

}  // namespace

// What lines name, asked by SameTrace's rule.
class CoverageMeter::Names {
 public:
  explicit Names(std::vector<Place> places) : exact_(std::move(places)), any_high_(exact_) {
    for (Place& place : any_high_) place.high = 0;
    SortUnique(exact_);
    SortUnique(any_high_);
  }

  bool Has(Place place) const {
    if (Contains(exact_, place)) return true;
    if (place.low == 0) return false;
    if (place.high == 0) return Contains(any_high_, place);
    place.high = 0;
    return Contains(exact_, place);
  }

 private:
  static bool Contains(const std::vector<Place>& places, const Place& place) {
    return std::binary_search(places.begin(), places.end(), place);
  }

  std::vector<Place> exact_;
  std::vector<Place> any_high_;
};

bool IsUnnamedService(std::string_view service) {
  constexpr std::string_view kUnknown = "unknown_service";
  return service.empty() || service == kUnknown ||
         (service.starts_with(kUnknown) && service[kUnknown.size()] == ':');
}

CoverageMeter::CoverageMeter(const TimeRange& range, const std::optional<std::string>& service,
                             std::uint64_t hash_seed, const Limits& limits)
    : range_(range),
      service_(service),
      limits_(limits),
      links_(range, service, hash_seed),
      services_(hash_seed, limits.services) {}

void CoverageMeter::Add(const Batch& batch) {
  for (const Span& span : batch.spans) AddSpan(span, batch);
  for (const LogLine& line : batch.logs) AddLine(line, batch);
  for (const Exemplar& exemplar : batch.exemplars) AddExemplar(exemplar, batch);
  links_.Add(batch);
  skew_.Add(batch);
}

bool CoverageMeter::Wants(std::string_view service, std::uint64_t time_unix_ns) const {
  return range_.Contains(time_unix_ns) && (!service_ || service == *service_);
}

ServiceCoverage& CoverageMeter::Of(std::uint32_t service) {
  if (counts_.size() <= service) counts_.resize(service + 1);
  return counts_[service];
}

void CoverageMeter::AddSpan(const Span& span, const Batch& batch) {
  const std::string_view service = batch.ServiceOf(span);
  if (!Wants(service, TimeOf(span))) return;
  // Retries are taken out at twice the limit, so that each span is sorted a few times at most.
  if (spans_.size() >= 2 * limits_.spans) SortUnique(spans_);
  if (spans_.size() >= 2 * limits_.spans) full_ = true;
  if (full_) return;
  const std::uint32_t number = services_.Of(service);
  spans_.push_back({number, span.trace_id.low, span.trace_id.high, span.span_id.value});
  NoteLanguage(batch, span.resource, Of(number).language);
}

ServiceCoverage* CoverageMeter::Take(std::string_view service, std::uint64_t time_unix_ns,
                                     std::uint64_t identity) {
  if (!Wants(service, time_unix_ns) || seen_.contains(identity)) return nullptr;
  if (seen_.size() >= limits_.records) {
    full_ = true;
    return nullptr;
  }
  seen_.insert(identity);
  return &Of(services_.Of(service));
}

void CoverageMeter::Name(std::uint32_t service, const LogLine& line) {
  if (!line.trace_id.IsValid()) return;
  if (named_.size() >= limits_.records) {
    full_ = true;
    return;
  }
  named_.push_back({service, line.trace_id.low, line.trace_id.high, line.span_id.value});
}

void CoverageMeter::AddLine(const LogLine& line, const Batch& batch) {
  if (line.event_name == kDecisionEvent) return;
  const EffectiveTime time =
      EffectiveTimeOf(line.time_unix_ns, line.observed_unix_ns, line.arrival_unix_ns);
  if (service_ && !service_->empty() && line.service.empty()) {
    // It may be of the service all the same, and then shows in the span that it names.
    if (range_.Contains(time.unix_ns)) Name(NameTable::kEmpty, line);
    return;
  }
  ServiceCoverage* const of = Take(line.service, time.unix_ns, line.identity);
  if (of == nullptr) return;
  ++of->lines;
  const Around around = AroundLine(batch, line.resource);
  if (around == Around::kStream) ++of->stream_lines;
  if (around == Around::kResource) ++of->resource_lines;
  NoteLanguage(batch, line.resource, of->language);
  if (!line.trace_id.IsValid()) return;
  ++of->lines_with_ids;
  if (!line.trace_id.high_known()) ++of->short_ids;
  Name(static_cast<std::uint32_t>(of - counts_.data()), line);
  Spelling spelling = SpellingIn(batch.Of(line.attributes), line.trace_id);
  if (spelling == Spelling::kNone) {
    spelling = SpellingIn(ResourceAttributes(batch, line.resource), line.trace_id);
    if (spelling != Spelling::kNone && around == Around::kStream) ++of->label_ids;
  }
  const bool in_text = line.found_by == FoundBy::kKey || line.found_by == FoundBy::kShape;
  if (spelling == Spelling::kNone && in_text)
    spelling = SpellingIn(StringOf(line.body), line.trace_id);
  if (spelling != Spelling::kNone) ++of->spellings[static_cast<std::size_t>(spelling)];
}

void CoverageMeter::AddExemplar(const Exemplar& exemplar, const Batch& batch) {
  const Resource* const resource = batch.ResourceOf(exemplar.resource);
  const bool stated = !exemplar.service.empty() || resource == nullptr;
  const EffectiveTime time = EffectiveTimeOf(exemplar.time_unix_ns, 0, exemplar.arrival_unix_ns);
  ServiceCoverage* const of =
      Take(stated ? exemplar.service : resource->service, time.unix_ns, exemplar.identity);
  if (of == nullptr) return;
  ++of->exemplars;
  if (exemplar.trace_id.IsValid()) ++of->exemplars_with_ids;
}

void CoverageMeter::CountSpans() {
  SortUnique(spans_);
  std::vector<Place> traces = named_;
  for (Place& place : traces) place.span = 0;
  const Names of_spans(std::move(named_));
  const Names of_traces(std::move(traces));
  for (const Place& span : spans_) {
    ServiceCoverage& of = Of(span.service);
    ++of.spans;
    Place nobodys = span;
    nobodys.service = NameTable::kEmpty;
    Place trace = span;
    trace.span = 0;
    const bool named = of_spans.Has(span) || of_spans.Has(nobodys);
    if (named) ++of.spans_with_lines;
    if (named || of_traces.Has(trace)) ++of.spans_of_logged_traces;
  }
}

Result<Coverage> CoverageMeter::Close(const LinkCounter::States& states) && {
  CountSpans();
  std::map<std::string, ServiceCoverage> by_name;
  for (std::uint32_t i = 0; i < counts_.size(); ++i) {
    ServiceCoverage& of = counts_[i];
    if (of.spans + of.lines + of.exemplars == 0) continue;
    const std::string name(services_.At(i));
    of.service = name;
    by_name[name] = std::move(of);
  }
  TL_TRY_ASSIGN(LinkHealth health, std::move(links_).Close(states));
  for (LinkHealth::OfService& links : health.by_service) {
    ServiceCoverage& of = by_name[links.service];
    of.service = std::move(links.service);
    of.links = links.by_kind;
  }
  Coverage coverage;
  for (auto& [name, of] : by_name) coverage.services.push_back(std::move(of));
  coverage.skew = std::move(skew_).Close();
  coverage.unreadable = std::move(health.samples[static_cast<std::size_t>(LinkCause::kNoId)]);
  coverage.unchecked = health.unchecked;
  if (full_ || services_.overflowed() || !health.complete) {
    coverage.complete = false;
    coverage.incomplete_reason = "limit";
  }
  return coverage;
}

}  // namespace throughline
