#include "correlate/analysis/explain_records.h"

#include <algorithm>

#include "correlate/attribute.h"
#include "correlate/check.h"

namespace throughline {
namespace {

constexpr std::uint32_t kClient = 3;
constexpr std::uint32_t kProducer = 4;
constexpr std::size_t kValueBytes = 128;  // Longer values name one request, not a kind of them.
constexpr std::size_t kAttributeHashes = 4'000'000;

const Attribute* AttributeIn(const Batch& batch, Range range, std::string_view key) {
  for (const Attribute& attribute : batch.Of(range)) {
    if (attribute.key() == key) return &attribute;
  }
  return nullptr;
}

std::string_view TextOf(const Batch& batch, Range range, std::string_view key) {
  const Attribute* const attribute = AttributeIn(batch, range, key);
  return attribute == nullptr ? std::string_view() : StringOf(attribute->value());
}

std::string_view FirstTextOf(const Batch& batch, Range range,
                             std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const std::string_view text = TextOf(batch, range, key); !text.empty()) return text;
  }
  return {};
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// "17", "d693a2c5-ef87-4a3c-bef8-600b43f62c68", "9fc9c2613263": what names one thing.
bool IsOneOfMany(std::string_view segment) {
  constexpr std::size_t kIdDigits = 12;
  if (segment.empty()) return false;
  if (std::all_of(segment.begin(), segment.end(), IsDigit)) return true;
  return segment.size() >= kIdDigits && std::any_of(segment.begin(), segment.end(), IsDigit) &&
         std::all_of(segment.begin(), segment.end(), [](char c) { return IsHex(c) || c == '-'; });
}

std::vector<TraceFilter> Ready(std::vector<TraceFilter> filters) {
  for (TraceFilter& filter : filters) {
    if (filter.operation) filter.operation = OperationOf(*filter.operation);
  }
  return filters;
}

}  // namespace

std::string OperationOf(std::string_view span_name) {
  std::string out;
  span_name = span_name.substr(0, kOperationBytes);
  while (!span_name.empty()) {
    const std::size_t end = std::min(span_name.find_first_of("/ ?"), span_name.size());
    const std::string_view segment = span_name.substr(0, end);
    out += IsOneOfMany(segment) ? std::string_view("*") : segment;
    if (end == span_name.size() || span_name[end] == '?') break;
    out += span_name[end];
    span_name.remove_prefix(end + 1);
  }
  return out;
}

TraceRecorder::TraceRecorder(std::uint64_t hash_seed, const RecordLimits& limits,
                             std::vector<TraceFilter> filters)
    : seed_(hash_seed),
      limits_(limits),
      filters_(Ready(std::move(filters))),
      names_(hash_seed, limits.names) {
  TL_CHECK(filters_.size() <= kMostFilters);
}

std::uint8_t TraceRecorder::FiltersOf(const Batch& batch, const Span& span,
                                      std::string_view operation) const {
  const Resource* const resource = batch.ResourceOf(span.resource);
  const auto has = [&](const std::pair<std::string, std::string>& wanted) {
    const Attribute* found = AttributeIn(batch, span.attributes, wanted.first);
    if (found == nullptr && resource != nullptr) {
      found = AttributeIn(batch, resource->attributes, wanted.first);
    }
    return found != nullptr && ValueText(found->value()) == wanted.second;
  };
  unsigned mask = 0;
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    const TraceFilter& filter = filters_[i];
    if (filter.service && batch.ServiceOf(span) != *filter.service) continue;
    if (filter.operation && operation != *filter.operation) continue;
    if (!std::all_of(filter.attributes.begin(), filter.attributes.end(), has)) continue;
    mask |= 1U << i;
  }
  return static_cast<std::uint8_t>(mask);
}

std::uint32_t TraceRecorder::AttributeOf(const Attribute& attribute) {
  const std::uint64_t hash = HashBytes(attribute.bytes(), seed_);
  if (const auto found = attribute_of_hash_.find(hash); found != attribute_of_hash_.end()) {
    return found->second;
  }
  if (attribute_of_hash_.size() >= kAttributeHashes) return kNoIndex;
  std::uint32_t id = kNoIndex;
  const std::uint32_t key = names_.Of(attribute.key());
  std::uint32_t& values = values_of_key_[key];
  const Value value = ReadValue(attribute.value());
  const bool scalar = value.type == ValueType::kString || value.type == ValueType::kBool ||
                      value.type == ValueType::kInt;
  if (scalar && value.bytes.size() <= kValueBytes) {
    // One more than are allowed is counted, so that the key is known to be wide.
    if (values <= limits_.values_a_key) ++values;
    if (values <= limits_.values_a_key) {
      id = attributes_.Of({key, names_.Of(ValueText(attribute.value()))});
    }
  }
  if (values <= limits_.values_a_key) attribute_of_hash_.emplace(hash, id);
  return id;
}

std::uint32_t TraceRecorder::ResourceOf(const Batch& batch, std::uint32_t index) {
  std::string key;
  const Resource* resource = batch.ResourceOf(index);
  if (resource != nullptr) {
    key.assign(resource->service).push_back('\0');
    for (const Attribute& attribute : batch.Of(resource->attributes)) key += attribute.bytes();
  }
  const auto [at, added] =
      resource_ids_.emplace(std::move(key), static_cast<std::uint32_t>(resources_.size()));
  if (!added) return at->second;
  RecordedResource& recorded = resources_.emplace_back();
  if (resource == nullptr) return at->second;
  recorded.service = names_.Of(resource->service);
  recorded.pod = names_.Of(FirstTextOf(batch, resource->attributes,
                                       {"k8s.pod.name", "service.instance.id", "host.name"}));
  for (const Attribute& attribute : batch.Of(resource->attributes)) {
    const std::uint32_t id = AttributeOf(attribute);
    if (id != kNoIndex) recorded.attributes.push_back(id);
  }
  return at->second;
}

std::uint32_t TraceRecorder::PeerOf(const Batch& batch, const Span& span) {
  if (span.kind != kClient && span.kind != kProducer) return NameTable::kEmpty;
  return names_.Of(
      FirstTextOf(batch, span.attributes, {"peer.service", "server.address", "net.peer.name"})
          .substr(0, kOperationBytes));
}

std::uint32_t TraceRecorder::ExceptionOf(const Batch& batch, const Span& span) {
  std::string_view type;
  for (const SpanEvent& event : batch.EventsOf(span)) {
    const std::string_view text = TextOf(batch, event.attributes, "exception.type");
    if (!text.empty()) type = text;
  }
  if (type.empty() && span.is_error()) type = TextOf(batch, span.attributes, "error.type");
  return names_.Of(type.substr(0, kOperationBytes));
}

void TraceRecorder::AddSpan(const Batch& batch, const Span& span, std::uint32_t resource) {
  SpanFact& fact = spans_.emplace_back();
  fact.trace_id = span.trace_id;
  fact.span_id = span.span_id;
  fact.parent_span_id = span.parent_span_id;
  fact.start_unix_ns = span.start_unix_ns;
  fact.end_unix_ns = span.end_unix_ns;
  fact.arrival_unix_ns = span.arrival_unix_ns;
  fact.resource = resource;
  const std::string operation = OperationOf(span.name);
  fact.operation = names_.Of(operation);
  fact.filters = FiltersOf(batch, span, operation);
  fact.peer = PeerOf(batch, span);
  fact.exception = ExceptionOf(batch, span);
  fact.kind = static_cast<std::uint8_t>(std::min<std::uint32_t>(span.kind, 255));
  fact.status_code = static_cast<std::uint8_t>(std::min<std::uint32_t>(span.status_code, 255));
  fact.attributes.begin = static_cast<std::uint32_t>(span_attributes_.size());
  std::size_t looked_at = 0;
  for (const Attribute& attribute : batch.Of(span.attributes)) {
    if (looked_at++ == limits_.span_attributes) break;
    const std::uint32_t id = AttributeOf(attribute);
    if (id != kNoIndex) span_attributes_.push_back(id);
  }
  fact.attributes.count =
      static_cast<std::uint32_t>(span_attributes_.size()) - fact.attributes.begin;
}

void TraceRecorder::AddLine(const LogLine& line) {
  const LogPattern pattern = PatternOf(line);
  LineFact& fact = lines_.emplace_back();
  fact.trace_id = line.trace_id;
  fact.span_id = line.span_id;
  fact.time_unix_ns = line.time_unix_ns != 0       ? line.time_unix_ns
                      : line.observed_unix_ns != 0 ? line.observed_unix_ns
                                                   : line.arrival_unix_ns;
  fact.service = names_.Of(line.service);
  fact.pattern = names_.Of(pattern.text);
  fact.grade = pattern.grade;
}

void TraceRecorder::Add(const Batch& batch) {
  std::vector<std::uint32_t> resources(batch.resources.size() + 1, kNoIndex);
  for (const Span& span : batch.spans) {
    if (spans_.size() >= limits_.spans) {
      spans_cut_ = true;
      break;
    }
    std::uint32_t& resource =
        resources[span.resource == kNoIndex ? batch.resources.size() : span.resource];
    if (resource == kNoIndex) resource = ResourceOf(batch, span.resource);
    AddSpan(batch, span, resource);
  }
  for (const LogLine& line : batch.logs) {
    if (!line.trace_id.IsValid()) continue;
    if (lines_.size() >= limits_.lines) {
      lines_cut_ = true;
      break;
    }
    AddLine(line);
  }
  for (const Exemplar& exemplar : batch.exemplars) {
    const bool room = exemplars_.size() < limits_.lines;
    if (exemplar.trace_id.IsValid() && room) exemplars_.push_back(exemplar.trace_id);
  }
}

}  // namespace throughline
