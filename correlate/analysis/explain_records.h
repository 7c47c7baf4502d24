// What an analysis keeps of the traces of its windows: per span one small record of what it called,
// said and took, in numbers that stand for names. The spans and lines themselves are let go of.
//
// A TraceRecorder is filled from batches in any order and any cut, then closed; the same records
// give the same result whatever the order was. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "correlate/analysis/log_pattern.h"
#include "correlate/analysis/name_table.h"
#include "correlate/batch.h"
#include "correlate/hash.h"

namespace throughline {

// Bounds of one analysis. What is beyond is left out, and RecordedTraces::limits names which.
struct RecordLimits {
  std::size_t spans = 500'000;
  std::size_t lines = 1'000'000;
  std::size_t names = 200'000;       // Services, operations, patterns, attributes together.
  std::size_t features = 1'000'000;  // Distinct (context, stratum, feature).
  std::size_t span_attributes = 16;  // Looked at of a span, in the order sent.
  std::size_t values_a_key = 64;     // More: the key tells traces apart, not kinds of traces.
};

// A service and one of its operations.
struct ContextKey {
  std::uint32_t service = 0;    // A name.
  std::uint32_t operation = 0;  // A name.
  bool operator==(const ContextKey&) const = default;
  std::size_t Hash() const { return HashCombine(service, operation); }
};

// A context within one kind of request.
struct CellKey {
  std::uint32_t context = 0;
  std::uint32_t stratum = 0;  // The class of the trace; kAnyClass for root spans.
  bool operator==(const CellKey&) const = default;
  std::size_t Hash() const { return HashCombine(context, stratum); }
};
inline constexpr std::uint32_t kAnyClass = 0xffffffff;

enum class FeatureKind : std::uint8_t {
  kCall,       // `of`: the context of a child.
  kLine,       // A pattern.
  kLastCall,   // The context of the last other service called; kNoIndex: none was.
  kClass,      // The class of the trace; of its root.
  kStatus,     // Status error.
  kException,  // The name of its type.
};

// Something that a span has or has not.
struct FeatureKey {
  FeatureKind kind = FeatureKind::kCall;
  LineGrade grade = LineGrade::kUnknown;  // Of a line.
  std::uint32_t of = 0;
  bool operator==(const FeatureKey&) const = default;
  std::size_t Hash() const {
    return HashCombine(static_cast<std::uint64_t>(kind) * 16 + static_cast<std::uint64_t>(grade),
                       of);
  }
};

struct PairKey {
  std::uint32_t cell = 0;
  std::uint32_t feature = 0;
  bool operator==(const PairKey&) const = default;
  std::size_t Hash() const { return HashCombine(cell, feature); }
};

// Where time goes: a call from one service to another (with the network and the queue between
// them), or a service's own operation.
struct ItemKey {
  bool is_edge = false;
  std::uint32_t from = 0;  // The caller, a name; or the context.
  std::uint32_t to = 0;    // The callee, a name; or 0.
  bool operator==(const ItemKey&) const = default;
  std::size_t Hash() const { return HashCombine(HashCombine(is_edge ? 1 : 0, from), to); }
};

struct AttributeKey {
  std::uint32_t key = 0;    // A name.
  std::uint32_t value = 0;  // A name.
  bool operator==(const AttributeKey&) const = default;
  std::size_t Hash() const { return HashCombine(key, value); }
};

struct SpanRecord {
  std::uint64_t self_ns = 0;  // On the critical path; 0 off it.
  std::uint64_t duration_ns = 0;
  std::uint32_t cell = 0;
  std::uint32_t item = 0;
  std::uint32_t below = 0;  // So many records behind this one stand under it.
  Range pairs;              // Of RecordedTraces::pairs_of.
  Range attributes;         // Of RecordedTraces::attributes_of.
  std::uint32_t resource = 0;
  bool is_error = false;

  float self_ms() const { return static_cast<float>(static_cast<double>(self_ns) / 1e6); }
};

struct TraceRecord {
  TraceId trace_id;
  std::uint64_t start_unix_ns = 0;  // Of the root.
  double duration_ms = 0;           // Of the root.
  std::uint32_t trace_class = 0;    // An index of `classes`.
  Range spans;                      // Of `spans`, each parent before its children.
  std::uint32_t root = 0;           // Of `spans`.
  std::uint32_t lines = 0;
  std::uint8_t filters = 0;   // A bit for each filter that one of its spans satisfies.
  bool undetermined = false;  // Its critical path may be another (CriticalPathOf).
  bool has_error = false;     // A line of that grade, or a span of that status.
  bool has_exemplar = false;
};

struct RecordedResource {
  std::uint32_t service = 0;  // Names, both.
  std::uint32_t pod = 0;      // k8s.pod.name, else service.instance.id, else host.name.
  std::vector<std::uint32_t> attributes;
};

struct RecordedTraces {
  NameTable names;
  KeyTable<ContextKey> contexts;
  KeyTable<CellKey> cells;
  KeyTable<FeatureKey> features;
  KeyTable<PairKey> pairs;
  KeyTable<ItemKey> items;
  KeyTable<AttributeKey> attributes;
  std::vector<std::uint32_t> classes;  // Names.
  std::vector<RecordedResource> resources;
  std::unordered_set<std::uint32_t> wide_keys;  // Attribute keys with too many values.

  std::vector<TraceRecord> traces;  // By (start, trace id).
  std::vector<SpanRecord> spans;
  std::vector<std::uint32_t> pairs_of;
  std::vector<std::uint32_t> attributes_of;
  struct ServiceLines {
    std::uint32_t trace = 0;
    std::uint32_t service = 0;
    std::uint32_t lines = 0;
  };
  std::vector<ServiceLines> service_lines;  // By trace.
  std::string limits;                       // "spans, lines": which bounds were hit; empty: none.

  std::uint32_t ServiceIdOf(const SpanRecord& span) const {
    return contexts.At(cells.At(span.cell).context).service;
  }
  std::string_view ServiceOf(const SpanRecord& span) const { return names.At(ServiceIdOf(span)); }
};

// Which traces: one span of theirs has all of this.
struct TraceFilter {
  std::optional<std::string> service;
  std::optional<std::string> operation;
  // Of the span, else of its resource; values as ValueText gives them.
  std::vector<std::pair<std::string, std::string>> attributes;
};
inline constexpr std::size_t kMostFilters = 8;  // Of one recorder.

class TraceRecorder {
 public:
  // Without filters all traces are kept, else those that satisfy at least one.
  explicit TraceRecorder(std::uint64_t hash_seed, const RecordLimits& limits = {},
                         std::vector<TraceFilter> filters = {});

  // Takes spans, linked lines, and which traces have exemplars. Keeps no view of the batch.
  void Add(const Batch& batch);
  bool full() const { return spans_.size() >= limits_.spans; }
  std::size_t span_count() const { return spans_.size(); }

  RecordedTraces Close() &&;

 private:
  friend class RecordCloser;
  struct SpanFact {
    TraceId trace_id;
    SpanId span_id;
    SpanId parent_span_id;
    std::uint64_t start_unix_ns = 0;
    std::uint64_t end_unix_ns = 0;
    std::uint64_t arrival_unix_ns = 0;
    std::uint32_t resource = 0;   // An index of resources_.
    std::uint32_t operation = 0;  // Names, all three.
    std::uint32_t peer = 0;       // Whom a client calls, as it says; empty: it does not.
    std::uint32_t exception = 0;  // The type of the last one; empty: none.
    Range attributes;
    std::uint8_t kind = 0;
    std::uint8_t status_code = 0;
    std::uint8_t filters = 0;
  };
  struct LineFact {
    TraceId trace_id;
    SpanId span_id;
    std::uint64_t time_unix_ns = 0;  // As sent.
    std::uint32_t service = 0;
    std::uint32_t pattern = 0;
    LineGrade grade = LineGrade::kUnknown;
  };

  std::uint32_t ResourceOf(const Batch& batch, std::uint32_t index);
  void AddSpan(const Batch& batch, const Span& span, std::uint32_t resource);
  void AddLine(const LogLine& line);
  std::uint8_t FiltersOf(const Batch& batch, const Span& span, std::string_view operation) const;
  std::uint32_t AttributeOf(const Attribute& attribute);
  std::uint32_t PeerOf(const Batch& batch, const Span& span);
  std::uint32_t ExceptionOf(const Batch& batch, const Span& span);

  const std::uint64_t seed_;
  const RecordLimits limits_;
  const std::vector<TraceFilter> filters_;  // Their operations without what names one request.
  NameTable names_;
  KeyTable<AttributeKey> attributes_;
  std::unordered_map<std::uint32_t, std::uint32_t> values_of_key_;  // How many, by key.
  std::unordered_map<std::uint64_t, std::uint32_t> attribute_of_hash_;
  std::unordered_map<std::string, std::uint32_t> resource_ids_;
  std::vector<RecordedResource> resources_;
  std::vector<SpanFact> spans_;
  std::vector<std::uint32_t> span_attributes_;
  std::vector<LineFact> lines_;
  std::vector<TraceId> exemplars_;
  bool spans_cut_ = false;
  bool lines_cut_ = false;
};

// A span's name without what names one request: path segments and words that are numbers or long
// ids become '*'. At most kOperationBytes.
inline constexpr std::size_t kOperationBytes = 200;
std::string OperationOf(std::string_view span_name);

}  // namespace throughline
