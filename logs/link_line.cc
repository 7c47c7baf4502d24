#include "logs/link_line.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "correlate/attribute.h"
#include "correlate/find.h"
#include "correlate/ids.h"

namespace throughline::logs {
namespace {

// Shorter strings hold no key with an id.
constexpr std::size_t kShortestText = 18;

bool IsSampledKey(std::string_view key) {
  return key.ends_with("trace_sampled") || key.ends_with("traceSampled") ||
         key.ends_with("TraceSampled") || key == "x-b3-sampled";
}

Sampled SampledOf(const Value& value) {
  if (value.type == ValueType::kBool) return value.boolean ? Sampled::kYes : Sampled::kNo;
  if (value.type != ValueType::kString) return Sampled::kUnknown;
  if (value.bytes == "false" || value.bytes == "False" || value.bytes == "0") return Sampled::kNo;
  if (value.bytes == "true" || value.bytes == "True" || value.bytes == "1") return Sampled::kYes;
  return Sampled::kUnknown;
}

// False: no name of a trace id, a span id or of sampling ends so. Most names do not.
bool EndsLikeAnId(std::string_view key) {
  if (key.size() < 2) return false;
  const auto lower = [key](std::size_t from_end) {
    return static_cast<char>(key[key.size() - from_end] | 0x20);
  };
  switch (lower(1)) {
    case 'd': return lower(2) == 'i' || lower(2) == 'e';                    // id, sampled
    case 't': return lower(2) == 'n' || lower(2) == 'x';                    // traceparent, context
    case 'e': return lower(2) == 'c' && key.size() > 2 && lower(3) == 'a';  // trace
    case '3':                                                               // b3
    case '8':                                                               // sw8
    case 'r':                                                               // @tr
    case 'p': return true;                                                  // @sp
    default: return false;
  }
}

bool IsContainer(const Value& value) {
  return value.type == ValueType::kMap || value.type == ValueType::kArray;
}

// Collects what the fields of one line say.
class Fields {
 public:
  struct Id {
    Resolved id;
    int depth = 0;
    std::uint32_t map = 0;  // Which of the maps of the line it stands in.
  };

  // A field, or the fields inside it. `parent` is the name of the map it stands in.
  void Add(std::string_view key, std::string_view parent, std::string_view any_value, int depth,
           std::uint32_t map) {
    const Value value = ReadValue(any_value);
    const bool is_container = IsContainer(value);
    if (!is_container && !EndsLikeAnId(key)) return;
    if (is_container) {
      if (depth >= kMaxValueDepth) return;
      const bool is_map = value.type == ValueType::kMap;
      const std::uint32_t inner = is_map ? ++maps_ : map;
      for (ValueItems items(value); items.Next();) {
        // The items of an array stand in for the array itself.
        Add(is_map ? items.key : key, is_map ? key : parent, items.value, depth + 1, inner);
      }
    } else if (const KeyKind kind = TraceKeyKind(key, parent); kind != KeyKind::kNone) {
      AddTrace(kind, value, depth, map);
    } else if (IsSpanIdKey(key, parent)) {
      AddSpan(key.starts_with("dd") || parent == "dd", value, map);
    } else if (key == "_dd.p.tid") {
      datadog_high_ = ResolveSpanIdLoose(value.bytes, false).value;
    } else if (sampled_ == Sampled::kUnknown && IsSampledKey(key)) {
      sampled_ = SampledOf(value);
    }
  }

  // The ids, the one that links first, each with the span id that belongs to it.
  std::size_t Finish() {
    if (count_ > 1) {
      std::stable_sort(ids_, ids_ + count_,
                       [](const Id& a, const Id& b) { return a.depth < b.depth; });
    }
    for (std::size_t i = 0; i < count_; ++i) {
      Resolved& id = ids_[i].id;
      if (datadog_high_ != 0 && id.spelling == Spelling::kDecimal) id.trace_id.high = datadog_high_;
      if (const Span* const span = SpanFor(ids_[i])) id.span_id = span->span_id;
    }
    return count_;
  }
  const Resolved& operator[](std::size_t i) const { return ids_[i].id; }
  // A span id without a trace id beside it: for an id from the text.
  SpanId any_span() const { return span_count_ > 0 ? spans_[0].span_id : SpanId{}; }
  Sampled sampled() const { return sampled_; }
  std::string_view malformed() const { return malformed_; }

 private:
  struct Span {
    SpanId span_id;
    std::uint32_t map = 0;
  };

  // The one in the same map; without one and without a span id of its own, any.
  const Span* SpanFor(const Id& id) const {
    for (std::size_t i = 0; i < span_count_; ++i) {
      if (spans_[i].map == id.map) return &spans_[i];
    }
    return span_count_ > 0 && !id.id.span_id.IsValid() ? &spans_[0] : nullptr;
  }

  void AddTrace(KeyKind kind, const Value& value, int depth, std::uint32_t map) {
    Resolved id;
    if (value.type == ValueType::kString) {
      if (SaysNoId(value.bytes)) return;
      id = Resolve(value.bytes, Strictness::kField, kind);
    } else if (value.type == ValueType::kInt &&
               (kind == KeyKind::kTraceId || kind == KeyKind::kDatadog)) {
      // Numbers are decimal under any name of a trace id; `{"trace": 1}` is none.
      char digits[20];
      const auto end =
          std::to_chars(digits, digits + sizeof digits, static_cast<std::uint64_t>(value.integer));
      id = Resolve({digits, static_cast<std::size_t>(end.ptr - digits)}, Strictness::kField,
                   KeyKind::kDatadog);
    } else if (value.type == ValueType::kBytes) {
      id = ResolveTraceIdBytes(value.bytes);
    } else {
      return;
    }
    // What GCP's `trace`, `Request-Id` and `TID` hold is often something else altogether.
    const bool may_be_other =
        kind == KeyKind::kGcp || kind == KeyKind::kRequestId || kind == KeyKind::kOpaque;
    if (!id.IsValid()) {
      if (may_be_other) return;
      malformed_ = id.reason.empty() ? "no trace id" : id.reason;
    } else if (count_ < kMaxFound) {
      ids_[count_++] = {.id = id, .depth = depth, .map = map};
    }
  }

  void AddSpan(bool decimal, const Value& value, std::uint32_t map) {
    if (span_count_ == kMaxFound) return;
    SpanId span_id;
    if (value.type == ValueType::kString) {
      span_id = ResolveSpanIdLoose(value.bytes, decimal);
    } else if (value.type == ValueType::kInt) {
      span_id = SpanId{static_cast<std::uint64_t>(value.integer)};
    } else if (value.type == ValueType::kBytes) {
      span_id = ResolveSpanIdBytes(value.bytes).span_id;
    }
    if (span_id.IsValid()) spans_[span_count_++] = {.span_id = span_id, .map = map};
  }

  Id ids_[kMaxFound];
  std::size_t count_ = 0;
  Span spans_[kMaxFound];
  std::size_t span_count_ = 0;
  std::uint32_t maps_ = 0;
  std::uint64_t datadog_high_ = 0;  // _dd.p.tid: what the decimal id leaves out.
  Sampled sampled_ = Sampled::kUnknown;
  std::string_view malformed_;
};

// Gives the line its ids, in order.
class Linker {
 public:
  Linker(LogLine& line, Batch& batch) : line_(line), batch_(batch) {
    line_.related = {.begin = static_cast<std::uint32_t>(batch.related.size()), .count = 0};
  }

  bool linked() const { return line_.trace_id.IsValid(); }
  bool repaired() const { return repaired_; }

  void Add(const Resolved& id, FoundBy found_by) {
    if (!id.IsValid() || id.trace_id == line_.trace_id) return;
    if (!linked()) {
      line_.trace_id = id.trace_id;
      line_.found_by = found_by;
      if (!line_.span_id.IsValid()) line_.span_id = id.span_id;
      if (id.sampled != Sampled::kUnknown) line_.sampled = id.sampled;
      repaired_ = id.repaired;
      return;
    }
    if (line_.related.count == kMaxRelated) return;
    for (const RelatedId& known : batch_.RelatedOf(line_)) {
      if (known.trace_id == id.trace_id) return;
    }
    batch_.related.push_back({.trace_id = id.trace_id, .span_id = id.span_id});
    ++line_.related.count;
  }

  // The text of a value, or the texts in it.
  void Text(const Value& value, int depth) {
    if (value.type == ValueType::kString) {
      if (value.bytes.size() < kShortestText) return;
      const bool first = !linked();
      FoundIds found;
      FindIds(value.bytes, found);
      for (std::size_t i = 0; i < found.count; ++i) Add(found.ids[i].id, found.ids[i].found_by);
      if (first && linked() && found.sampled != Sampled::kUnknown) line_.sampled = found.sampled;
    } else if (IsContainer(value) && depth < kMaxValueDepth) {
      for (ValueItems items(value); items.Next();) Text(ReadValue(items.value), depth + 1);
    }
  }

 private:
  LogLine& line_;
  Batch& batch_;
  bool repaired_ = false;
};

}  // namespace

bool MayLink(const Attribute& attribute) {
  const std::string_view key = attribute.key();
  return TraceKeyKind(key, {}) != KeyKind::kNone || IsSpanIdKey(key, {}) || IsSampledKey(key) ||
         IsContainer(ReadValue(attribute.value()));
}

Linked LinkLine(LogLine& line, Batch& batch, FoundBy field, std::span<const Attribute> source) {
  Fields fields;
  for (const Attribute& attribute : batch.Of(line.attributes)) {
    fields.Add(attribute.key(), {}, attribute.value(), 0, 0);
  }
  for (const Attribute& attribute : source) {
    fields.Add(attribute.key(), {}, attribute.value(), 0, 0);
  }
  const Value body = ReadValue(line.body);
  if (body.type == ValueType::kMap) fields.Add({}, {}, line.body, 0, 0);

  Linker linker(line, batch);
  const std::size_t count = fields.Finish();
  for (std::size_t i = 0; i < count; ++i) linker.Add(fields[i], field);
  linker.Text(body, 0);
  for (const Attribute& attribute : batch.Of(line.attributes)) {
    if (linker.linked()) break;
    linker.Text(ReadValue(attribute.value()), 0);
  }
  if (!linker.linked()) return {.repaired = false, .malformed = fields.malformed()};
  if (!line.span_id.IsValid()) line.span_id = fields.any_span();
  if (fields.sampled() != Sampled::kUnknown) line.sampled = fields.sampled();
  return {.repaired = linker.repaired(), .malformed = {}};
}

}  // namespace throughline::logs
