#include "spans/zipkin_span.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "correlate/digits.h"
#include "correlate/hash.h"
#include "correlate/identity.h"
#include "correlate/ids.h"
#include "otlp/plain_json.h"
#include "wire/json_cursor.h"

namespace throughline::spans {
namespace {

constexpr std::uint32_t kOk = 1;
constexpr std::uint32_t kError = 2;
constexpr std::string_view kServiceName = "service.name";
// What the Collector's exporter writes where there is no service.
constexpr std::string_view kNoService = "OTLPResourceNoServiceName";
constexpr std::string_view kLinkPrefix = "otlp.link.";
constexpr std::uint32_t kMaxLinks = 128;  // As the Collector reads them.

// Attributes of a resource, by the first part of their name: the semantic conventions' "Resource"
// and no other signal's.
bool IsResourceKey(std::string_view key) {
  static constexpr std::array<std::string_view, 14> kPrefixes = {
      "service.", "telemetry.", "k8s.",     "container.", "host.",   "os.",         "process.",
      "cloud.",   "device.",    "aws.ecs.", "aws.eks.",   "aws.log", "deployment.", "webengine."};
  static constexpr std::array<std::string_view, 5> kNames = {"faas.name", "faas.id", "faas.version",
                                                             "faas.instance", "faas.max_memory"};
  if (key.starts_with("service.peer.")) return false;  // The other side, of a span.
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [key](std::string_view prefix) { return key.starts_with(prefix); }) ||
         std::find(kNames.begin(), kNames.end(), key) != kNames.end();
}

// Span::kind of Jaeger's and OpenTracing's span.kind.
std::uint32_t KindOfTag(std::string_view text) {
  return digits::EqualFold(text, "internal") ? 1 : KindOfZipkin(text);
}

ZipkinTag TextTag(std::string_view key, std::string_view text) {
  return {.key = key, .value = {.type = ValueType::kString, .bytes = text}};
}

ZipkinTag BoolTag(std::string_view key, bool boolean) {
  return {.key = key, .value = {.type = ValueType::kBool, .boolean = boolean, .bytes = {}}};
}

ZipkinTag IntTag(std::string_view key, std::int64_t integer) {
  return {.key = key, .value = {.type = ValueType::kInt, .integer = integer, .bytes = {}}};
}

void AppendAnyValue(const Value& value, std::string& out) {
  switch (value.type) {
    case ValueType::kString: AppendStringValue(value.bytes, out); return;
    case ValueType::kBool: AppendBoolValue(value.boolean, out); return;
    case ValueType::kInt: AppendIntValue(value.integer, out); return;
    case ValueType::kDouble: AppendDoubleValue(value.number, out); return;
    default: return;
  }
}

// Takes what stands before the next '|' off the front. False: there is none.
bool TakePart(std::string_view& rest, std::string_view& part) {
  const std::size_t bar = rest.find('|');
  if (bar == std::string_view::npos) return false;
  part = rest.substr(0, bar);
  rest.remove_prefix(bar + 1);
  return true;
}

// Takes "|123" off the end, the Collector's count of dropped attributes.
bool TakeDroppedCount(std::string_view& text) {
  const std::size_t bar = text.rfind('|');
  if (bar == std::string_view::npos || !digits::AllDecimal(text.substr(bar + 1))) return false;
  text = text.substr(0, bar);
  return true;
}

}  // namespace

void ZipkinSpan::Clear() {
  auto kept_tags = std::move(tags);
  auto kept_annotations = std::move(annotations);
  *this = {};
  tags = std::move(kept_tags);
  annotations = std::move(kept_annotations);
  tags.clear();
  annotations.clear();
}

std::uint32_t KindOfZipkin(std::string_view name) {
  if (digits::EqualFold(name, "server")) return 2;
  if (digits::EqualFold(name, "client")) return 3;
  if (digits::EqualFold(name, "producer")) return 4;
  if (digits::EqualFold(name, "consumer")) return 5;
  return 0;
}

std::uint64_t NsOfMicros(std::uint64_t micros) {
  return micros > UINT64_MAX / 1000 ? UINT64_MAX : micros * 1000;
}

bool ZipkinTranslator::Begin() {
  span.Clear();
  problem_.clear();
  repaired_ = {};
  dropped_links_ = 0;
  resource_.clear();
  links_.clear();
  scope_name_ = scope_version_ = service_source_ = {};
  error_ = nullptr;
  return finisher_.Begin();
}

void ZipkinTranslator::AddEndpoints() {
  const auto add = [this](const ZipkinEndpoint& endpoint, std::string_view address,
                          std::string_view port) {
    // Zipkin prefers the IPv4 address where both are known.
    const std::string& ip = endpoint.ipv4.empty() ? endpoint.ipv6 : endpoint.ipv4;
    if (!ip.empty()) span.tags.push_back(TextTag(address, ip));
    if (endpoint.port > 0) span.tags.push_back(IntTag(port, endpoint.port));
  };
  add(span.local, "network.local.address", "network.local.port");
  add(span.remote, "network.peer.address", "network.peer.port");
  if (!span.remote.service.empty()) {
    span.tags.push_back(TextTag("peer.service", span.remote.service));
  }
  if (span.debug) span.tags.push_back(BoolTag("zipkin.debug", true));
  if (span.shared) span.tags.push_back(BoolTag("zipkin.shared", true));
}

// By key; of equal keys the last stays.
void ZipkinTranslator::SortTags() {
  auto& tags = span.tags;
  std::stable_sort(tags.begin(), tags.end(),
                   [](const ZipkinTag& a, const ZipkinTag& b) { return a.key < b.key; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (i + 1 < tags.size() && tags[i + 1].key == tags[i].key) continue;
    tags[kept++] = tags[i];
  }
  tags.resize(kept);
}

bool ZipkinTranslator::CheckBounds() {
  const auto over = [this](std::size_t count, const char* what) {
    if (count > options_.attributes_per_record) {
      Reject("more than " + std::to_string(options_.attributes_per_record) + ' ' + what);
    }
  };
  over(span.tags.size(), "tags");
  over(span.annotations.size(), "annotations");
  for (const ZipkinTag& tag : span.tags) {
    if (tag.key.size() > kMaxKeyBytes) {
      Reject("tag key has " + std::to_string(tag.key.size()) + " bytes, at most " +
             std::to_string(kMaxKeyBytes) + " are allowed");
    }
  }
  return problem_.empty();
}

void ZipkinTranslator::Append(const ZipkinTag& tag) {
  if (tag.value.type == ValueType::kString) {
    batch_.attributes.push_back(
        MakeStringAttribute(tag.key, tag.value.bytes, options_.hash_seed, batch_.arena));
    return;
  }
  value_.clear();
  AppendAnyValue(tag.value, value_);
  batch_.attributes.push_back(MakeAttribute(tag.key, value_, options_.hash_seed, batch_.arena));
}

// False: an attribute like any other.
bool ZipkinTranslator::TakeStatus(const ZipkinTag& tag, Span& out) {
  const std::string_view text = tag.value.bytes;
  if (tag.key == "otel.status_description") {
    out.status_message = Keep(text);
    return true;
  }
  if (tag.key != "otel.status_code") return false;
  constexpr std::string_view kPrefix = "STATUS_CODE_";
  const std::string_view name = text.starts_with(kPrefix) ? text.substr(kPrefix.size()) : text;
  if (digits::EqualFold(name, "ok")) {
    out.status_code = kOk;
  } else if (digits::EqualFold(name, "error")) {
    out.status_code = kError;
  } else if (!digits::EqualFold(name, "unset")) {
    return false;
  }
  return true;
}

// False: an attribute like any other.
bool ZipkinTranslator::TakeText(const ZipkinTag& tag, Span& out) {
  const std::string_view text = tag.value.bytes;
  if (tag.key.starts_with("otel.")) {
    if (tag.key == "otel.scope.name" || (tag.key == "otel.library.name" && scope_name_.empty())) {
      scope_name_ = text;
    } else if (tag.key == "otel.scope.version" ||
               (tag.key == "otel.library.version" && scope_version_.empty())) {
      scope_version_ = text;
    } else {
      return TakeStatus(tag, out);
    }
    return true;
  }
  if (tag.key == "w3c.tracestate") {
    out.trace_state = Keep(text);
    return true;
  }
  if (tag.key == "otlp.service.name.source") {
    service_source_ = text;
    return true;
  }
  if (tag.key == "span.kind" && out.kind == 0) {
    out.kind = KindOfTag(text);
    return out.kind != 0;
  }
  if (tag.key.starts_with(kLinkPrefix)) {
    const std::string_view digits = tag.key.substr(kLinkPrefix.size());
    std::uint64_t number = 0;
    if (!digits::ParseDecimal(digits, number) || number >= kMaxLinks) return false;
    links_.emplace_back(static_cast<std::uint32_t>(number), tag);
    return true;
  }
  return false;
}

void ZipkinTranslator::TakeTag(const ZipkinTag& tag, Span& out) {
  if (tag.key == "error") {
    error_ = &tag;
  } else if (IsResourceKey(tag.key)) {
    resource_.push_back(tag);
  } else if (tag.value.type != ValueType::kString || !TakeText(tag, out)) {
    Append(tag);
  }
}

// Comes last: the status tags are known then.
void ZipkinTranslator::TakeError(Span& out) {
  const Value& value = error_->value;
  const bool is_text = value.type == ValueType::kString;
  if (is_text ? value.bytes == "false" : value.type == ValueType::kBool && !value.boolean) {
    Append(*error_);
    return;
  }
  out.status_code = kError;
  if (is_text && (value.bytes.empty() || value.bytes == "true")) return;
  if (!is_text && value.type == ValueType::kBool) return;
  if (is_text && out.status_message.empty()) {
    out.status_message = Keep(value.bytes);
  } else if (!is_text || value.bytes != out.status_message) {
    Append(*error_);
  }
}

// Appends the members of a JSON object as attributes. False, with nothing appended: it is none.
bool ZipkinTranslator::AppendJson(std::string_view object, Range& attributes) {
  const std::size_t begin = batch_.attributes.size();
  attributes.begin = static_cast<std::uint32_t>(begin);
  wire::JsonCursor json(object);
  wire::JsonString key;
  bool good = true;
  for (json.BeginObject(); good && json.NextKey(key);) {
    const std::string_view name = key.Text(key_);
    value_.clear();
    good = name.size() <= kMaxKeyBytes && otlp::AppendPlainValue(json, 0, value_);
    if (!good) break;
    if (batch_.attributes.size() - begin >= options_.attributes_per_record) {
      Reject("more than " + std::to_string(options_.attributes_per_record) + " attributes");
      break;
    }
    batch_.attributes.push_back(MakeAttribute(name, value_, options_.hash_seed, batch_.arena));
  }
  if (!good || (problem_.empty() && !json.AtEnd())) {
    batch_.attributes.resize(begin);
    return false;
  }
  attributes.count = static_cast<std::uint32_t>(batch_.attributes.size() - begin);
  return true;
}

// The Collector's "trace id|span id|trace state|{attributes}|dropped".
bool ZipkinTranslator::ReadLink(std::string_view text) {
  std::string_view trace_id;
  std::string_view span_id;
  SpanLink link;
  if (!TakePart(text, trace_id) || !TakePart(text, span_id) || !TakePart(text, link.trace_state) ||
      !TakeDroppedCount(text) || !AppendJson(text, link.attributes)) {
    return false;
  }
  link.trace_id = ResolveTraceIdText(trace_id).trace_id;
  link.span_id = ResolveSpanIdText(span_id).span_id;
  if (!link.trace_id.IsValid() || !link.span_id.IsValid()) {
    batch_.attributes.resize(link.attributes.begin);
    return false;
  }
  link.trace_state = Keep(link.trace_state);
  batch_.span_links.push_back(link);
  return true;
}

void ZipkinTranslator::ReadLinks(Span& out) {
  out.links.begin = static_cast<std::uint32_t>(batch_.span_links.size());
  std::sort(links_.begin(), links_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [number, tag] : links_) {
    if (!ReadLink(tag.value.bytes)) ++dropped_links_;
  }
  out.links.count = static_cast<std::uint32_t>(batch_.span_links.size()) - out.links.begin;
}

// OpenTelemetry's {"name": {attributes}}.
bool ZipkinTranslator::ReadNamedObject(std::string_view text, SpanEvent& event) {
  if (!text.starts_with('{')) return false;
  wire::JsonCursor json(text);
  wire::JsonString key;
  json.BeginObject();
  if (!json.NextKey(key) || json.Peek() != wire::JsonCursor::Type::kObject) return false;
  const std::string_view object = json.Skip();
  wire::JsonString second;
  if (json.NextKey(second) || !json.AtEnd() || !AppendJson(object, event.attributes)) return false;
  event.name = key.escaped ? batch_.arena.Copy(key.Text(key_)) : Keep(key.raw);
  return true;
}

// The Collector's "name|{attributes}|dropped".
bool ZipkinTranslator::ReadCollectorEvent(std::string_view text, SpanEvent& event) {
  std::string_view name;
  if (!TakePart(text, name) || !TakeDroppedCount(text)) return false;
  if (!text.starts_with('{') || !AppendJson(text, event.attributes)) return false;
  event.name = Keep(name);
  return true;
}

void ZipkinTranslator::ReadEvents(Span& out) {
  out.events = {.begin = static_cast<std::uint32_t>(batch_.events.size()),
                .count = static_cast<std::uint32_t>(span.annotations.size())};
  for (const ZipkinAnnotation& annotation : span.annotations) {
    SpanEvent event;
    event.time_unix_ns = annotation.time_unix_ns;
    if (!ReadNamedObject(annotation.value, event) && !ReadCollectorEvent(annotation.value, event)) {
      event.name = Keep(annotation.value);
    }
    batch_.events.push_back(event);
  }
}

std::uint32_t ZipkinTranslator::InternResource() {
  const bool has_source = !service_source_.empty() && service_source_.size() <= kMaxKeyBytes;
  const std::string_view key = has_source ? service_source_ : kServiceName;
  const bool stated = std::any_of(resource_.begin(), resource_.end(),
                                  [key](const ZipkinTag& tag) { return tag.key == key; });
  if (!stated && !span.local.service.empty() && span.local.service != kNoService) {
    resource_.push_back(TextTag(key, span.local.service));
  }
  if (resource_.empty()) return kNoIndex;
  std::uint64_t hash = options_.hash_seed;
  for (const ZipkinTag& tag : resource_) {
    value_.clear();
    AppendAnyValue(tag.value, value_);
    hash = HashCombine(hash, HashBytes(tag.key, options_.hash_seed));
    hash = HashCombine(hash, HashBytes(value_, options_.hash_seed));
  }
  const auto [at, is_new] =
      resources_.emplace(hash, static_cast<std::uint32_t>(batch_.resources.size()));
  if (!is_new) return at->second;
  Resource resource;
  resource.attributes = {.begin = static_cast<std::uint32_t>(batch_.attributes.size()),
                         .count = static_cast<std::uint32_t>(resource_.size())};
  for (const ZipkinTag& tag : resource_) Append(tag);
  for (const Attribute& attribute : batch_.Of(resource.attributes)) {
    if (attribute.key() == kServiceName) resource.service = StringOf(attribute.value());
  }
  resource.hash = HashOf(resource, batch_, options_.hash_seed);
  batch_.resources.push_back(resource);
  return at->second;
}

std::uint32_t ZipkinTranslator::InternScope() {
  if (scope_name_.empty() && scope_version_.empty()) return kNoIndex;
  InstrumentationScope scope;
  scope.name = scope_name_;
  scope.version = scope_version_;
  scope.hash = HashOf(scope, batch_, options_.hash_seed);
  const auto [at, is_new] =
      scopes_.emplace(scope.hash, static_cast<std::uint32_t>(batch_.scopes.size()));
  if (!is_new) return at->second;
  scope.name = Keep(scope_name_);
  scope.version = Keep(scope_version_);
  batch_.scopes.push_back(scope);
  return at->second;
}

void ZipkinTranslator::Finish() {
  if (problem_.empty()) {
    AddEndpoints();
    SortTags();
  }
  if (!problem_.empty() || !CheckBounds()) return finisher_.Reject(problem_);
  Span out;
  out.trace_id = span.trace_id;
  out.span_id = span.span_id;
  if (span.parent_span_id != span.span_id) out.parent_span_id = span.parent_span_id;
  out.start_unix_ns = span.start_unix_ns;
  out.end_unix_ns = span.duration_ns > UINT64_MAX - span.start_unix_ns
                        ? UINT64_MAX
                        : span.start_unix_ns + span.duration_ns;
  out.kind = span.kind;
  out.name = Keep(span.name);
  out.attributes.begin = static_cast<std::uint32_t>(batch_.attributes.size());
  for (const ZipkinTag& tag : span.tags) TakeTag(tag, out);
  if (error_ != nullptr) TakeError(out);
  out.attributes.count =
      static_cast<std::uint32_t>(batch_.attributes.size()) - out.attributes.begin;
  ReadLinks(out);
  ReadEvents(out);
  if (!problem_.empty()) return finisher_.Reject(problem_);
  // Last: what other spans share must not go with a rejected one.
  out.resource = InternResource();
  out.scope = InternScope();
  decoded_.dropped_links += dropped_links_;
  finisher_.Accept(out, repaired_);
}

}  // namespace throughline::spans
