#include "logs/enrich_fields.h"

#include <algorithm>
#include <utility>

#include "correlate/attribute.h"
#include "wire/json_writer.h"

namespace throughline::logs {
namespace {

constexpr std::string_view kNames[kTraceFields] = {
    "trace.id",          "span.id",     "trace.state",   "trace.service", "trace.operation",
    "trace.duration_ns", "trace.error", "trace.sampled", "trace.url"};

// The names of EnrichOptions::fields: the same less "trace.".
std::string_view ShortName(std::string_view name) {
  constexpr std::string_view kPrefix = "trace.";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

}  // namespace

std::string_view TraceFieldName(TraceField field) {
  return kNames[static_cast<std::size_t>(field)];
}

std::string AddedField::ValueText() const {
  switch (type) {
    case Type::kText: return text;
    case Type::kInteger: return std::to_string(integer);
    case Type::kBool: return boolean ? "true" : "false";
  }
  return {};
}

TraceFields::TraceFields(const EnrichOptions& options, const TraceLookup& lookup)
    : options_(options), lookup_(lookup) {
  for (std::size_t i = 0; i < kTraceFields; ++i) {
    wanted_[i] =
        options.fields.empty() ||
        std::any_of(options.fields.begin(), options.fields.end(), [&](std::string_view field) {
          return ShortName(field) == ShortName(kNames[i]);
        });
  }
  if (options.url_template.empty()) wanted_[static_cast<std::size_t>(TraceField::kUrl)] = false;
}

void TraceFields::FindTaken(std::span<const Attribute> existing) {
  std::fill(std::begin(taken_), std::end(taken_), false);
  const auto take = [this](std::string_view map, std::string_view key) {
    for (std::size_t i = 0; i < kTraceFields; ++i) {
      if (map.empty() ? key == kNames[i]
                      : kNames[i].size() == map.size() + 1 + key.size() &&
                            kNames[i].starts_with(map) && kNames[i].ends_with(key)) {
        taken_[i] = true;
      }
    }
  };
  for (const Attribute& attribute : existing) {
    const std::string_view key = attribute.key();
    if (!key.starts_with("trace") && !key.starts_with("span")) continue;
    take({}, key);
    if (key != "trace" && key != "span") continue;
    const Value value = ReadValue(attribute.value());
    if (value.type != ValueType::kMap) continue;
    for (ValueItems items(value); items.Next();) take(key, items.key);
  }
}

void TraceFields::Text(TraceField field, std::string text) {
  if (text.empty() || !Wanted(field)) return;
  added_.push_back({.field = field, .type = AddedField::Type::kText, .text = std::move(text)});
}

void TraceFields::Bool(TraceField field, bool value) {
  if (!Wanted(field)) return;
  added_.push_back({.field = field, .type = AddedField::Type::kBool, .text = {}, .boolean = value});
}

std::string TraceFields::Url(TraceId trace_id) const {
  constexpr std::string_view kPlaceholder = "{trace_id}";
  std::string url = options_.url_template;
  const std::string hex = ToHex(trace_id);
  for (std::size_t at = url.find(kPlaceholder); at != std::string::npos;
       at = url.find(kPlaceholder, at + hex.size())) {
    url.replace(at, kPlaceholder.size(), hex);
  }
  return url;
}

void TraceFields::Collect(const LogLine& line) {
  Resolved id;
  id.trace_id = line.trace_id;
  id.span_id = line.span_id;
  id.sampled = line.sampled;
  const TraceAnswer answer = lookup_(id, line.time_unix_ns);
  const TraceSummary* const summary = answer.summary;
  // The trace as stored may know the half of the id that the line leaves out.
  const TraceId trace_id = summary != nullptr && SameTrace(summary->trace_id, line.trace_id)
                               ? summary->trace_id
                               : line.trace_id;
  Text(TraceField::kId, ToHex(trace_id));
  if (line.span_id.IsValid()) Text(TraceField::kSpanId, ToHex(line.span_id));
  Text(TraceField::kState, std::string(LinkStateName(answer.link.state)));
  if (summary != nullptr && summary->evidence.span_count > 0) {
    Text(TraceField::kService, summary->root_service);
    Text(TraceField::kOperation, summary->root_operation);
    if (Wanted(TraceField::kDurationNs)) {
      added_.push_back({.field = TraceField::kDurationNs,
                        .type = AddedField::Type::kInteger,
                        .text = {},
                        .integer = static_cast<std::int64_t>(summary->duration_ns)});
    }
    Bool(TraceField::kError, summary->error_count > 0);
  }
  const Sampled sampled = answer.sampled != Sampled::kUnknown ? answer.sampled : line.sampled;
  if (sampled != Sampled::kUnknown) Bool(TraceField::kSampled, sampled == Sampled::kYes);
  if (Wanted(TraceField::kUrl)) Text(TraceField::kUrl, Url(trace_id));
}

std::span<const AddedField> TraceFields::For(const LogLine& line, std::string_view malformed,
                                             std::span<const Attribute> existing) {
  added_.clear();
  if (!line.trace_id.IsValid() && malformed.empty()) return added_;
  FindTaken(existing);
  if (line.trace_id.IsValid()) {
    Collect(line);
  } else {
    Text(TraceField::kState, std::string(LinkStateName(LinkState::kMalformed)));
  }
  return added_;
}

void AppendJsonMembers(std::span<const AddedField> fields, bool first, bool as_text,
                       std::string& out) {
  for (const AddedField& field : fields) {
    if (!first) out += ',';
    first = false;
    wire::AppendJsonString(field.name(), out);
    out += ':';
    if (as_text || field.type == AddedField::Type::kText) {
      wire::AppendJsonString(field.ValueText(), out);
    } else {
      out += field.ValueText();
    }
  }
}

Batch& ScratchBatch::Fresh() {
  constexpr std::size_t kKeptBytes = 256U << 10U;
  if (batch_.arena.size_bytes() > kKeptBytes) batch_.arena = Arena();
  batch_.attributes.clear();
  batch_.related.clear();
  batch_.resources.clear();
  batch_.scopes.clear();
  batch_.logs.clear();
  return batch_;
}

}  // namespace throughline::logs
