// TraceRecorder::Close: spans and lines, grouped by trace, become records.
#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "correlate/analysis/critical_path.h"
#include "correlate/analysis/explain_records.h"
#include "correlate/analysis/line_placement.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/record_time.h"

namespace throughline {
namespace {

constexpr double kMs = 1e6;
constexpr std::uint64_t kWrapperSlackNs = 2'000'000;

// Reactive gateways close a filter's span late: a span without children that covers a later sibling
// of its service, which has children, is what that sibling ran in. For the critical path only:
// the wrapper would have all the time of what it wraps.
TraceTree Unwrapped(const Batch& batch, const TraceTree& tree) {
  TraceTree out = tree;
  for (std::uint32_t parent = 0; parent < tree.order.size(); ++parent) {
    std::uint32_t wrapper = kNoIndex;
    std::uint32_t before = kNoIndex;  // The last child that stays.
    for (std::uint32_t child = tree.first_child[parent]; child != kNoIndex;
         child = tree.next_sibling[child]) {
      const Span& span = tree.At(batch, child);
      const bool wrapped =
          wrapper != kNoIndex && tree.first_child[child] != kNoIndex &&
          batch.ServiceOf(span) == batch.ServiceOf(tree.At(batch, wrapper)) &&
          span.start_unix_ns >= tree.At(batch, wrapper).start_unix_ns &&
          span.end_unix_ns <= tree.At(batch, wrapper).end_unix_ns + kWrapperSlackNs;
      if (wrapped) {
        // Order among siblings does not matter to the path.
        out.next_sibling[child] = out.first_child[wrapper];
        out.first_child[wrapper] = child;
        out.parent[child] = wrapper;
        out.next_sibling[before] = tree.next_sibling[child];
        continue;
      }
      before = child;
      if (tree.first_child[child] == kNoIndex) wrapper = child;
    }
  }
  return out;
}

}  // namespace

class RecordCloser {
 public:
  explicit RecordCloser(TraceRecorder&& from)
      : from_(std::move(from)),
        out_{.names = std::move(from_.names_),
             .contexts = {},
             .cells = {},
             .features = {},
             .pairs = {},
             .items = {},
             .attributes = std::move(from_.attributes_),
             .classes = {},
             .resources = std::move(from_.resources_),
             .wide_keys = {},
             .traces = {},
             .spans = {},
             .pairs_of = {},
             .attributes_of = std::move(from_.span_attributes_),
             .service_lines = {},
             .limits = {}} {
    for (const auto& [key, values] : from_.values_of_key_) {
      if (values > from_.limits_.values_a_key) out_.wide_keys.insert(key);
    }
    for (const RecordedResource& resource : out_.resources) {
      Resource& known = scratch_.resources.emplace_back();
      known.service = out_.names.At(resource.service);
    }
  }

  RecordedTraces Close() {
    GiveKnownHalves();
    const auto by_trace = [](const auto& a, const auto& b) { return a.trace_id < b.trace_id; };
    std::sort(from_.spans_.begin(), from_.spans_.end(), by_trace);
    std::sort(from_.lines_.begin(), from_.lines_.end(), by_trace);
    std::sort(from_.exemplars_.begin(), from_.exemplars_.end());
    auto line = from_.lines_.begin();
    for (auto span = from_.spans_.begin(); span != from_.spans_.end();) {
      const TraceId id = span->trace_id;
      const auto end = std::find_if(span, from_.spans_.end(),
                                    [id](const auto& other) { return other.trace_id != id; });
      while (line != from_.lines_.end() && line->trace_id < id) ++line;
      const auto lines_end = std::find_if(line, from_.lines_.end(),
                                          [id](const auto& other) { return other.trace_id != id; });
      CloseTrace(id, {span, end}, {line, lines_end});
      span = end;
      line = lines_end;
    }
    SortTraces();
    Cut(from_.spans_cut_, "spans");
    Cut(from_.lines_cut_, "lines");
    Cut(out_.names.overflowed(), "names");
    Cut(features_cut_, "features");
    return std::move(out_);
  }

 private:
  using SpanFact = TraceRecorder::SpanFact;
  using LineFact = TraceRecorder::LineFact;

  void Cut(bool cut, std::string_view name) {
    if (!cut) return;
    if (!out_.limits.empty()) out_.limits += ", ";
    out_.limits += name;
  }

  // A record that knows only the low half belongs to the trace that knows both, if there is one and
  // no second: then all of its records have one id.
  void GiveKnownHalves() {
    std::vector<TraceId> known;
    for (const SpanFact& span : from_.spans_) {
      if (span.trace_id.high != 0) known.push_back({span.trace_id.low, span.trace_id.high});
    }
    std::sort(known.begin(), known.end());  // By low half.
    known.erase(std::unique(known.begin(), known.end()), known.end());
    const auto complete = [&known](TraceId& id) {
      if (id.high != 0 || id.low == 0) return;
      const auto first = std::lower_bound(known.begin(), known.end(), TraceId{id.low, 0});
      if (first == known.end() || first->high != id.low) return;
      const auto next = first + 1;
      if (next == known.end() || next->high != id.low) id.high = first->low;
    };
    for (SpanFact& span : from_.spans_) complete(span.trace_id);
    for (LineFact& line : from_.lines_) complete(line.trace_id);
    for (TraceId& id : from_.exemplars_) complete(id);
  }

  void CloseTrace(TraceId id, std::span<SpanFact> spans, std::span<const LineFact> lines) {
    unsigned filters = 0;
    for (const SpanFact& span : spans) filters |= span.filters;
    if (filters == 0 && !from_.filters_.empty()) return;
    FillScratch(spans);
    tree_ = BuildTraceTree(scratch_);
    TraceRecord& trace = out_.traces.emplace_back();
    trace.trace_id = id;
    trace.filters = static_cast<std::uint8_t>(filters);
    const Span& root = tree_.At(scratch_, tree_.root);
    trace.start_unix_ns = TimeOf(root);
    trace.duration_ms = static_cast<double>(root.duration_ns()) / kMs;
    trace.lines = static_cast<std::uint32_t>(lines.size());
    trace.has_exemplar = std::binary_search(from_.exemplars_.begin(), from_.exemplars_.end(), id);
    FindCallees();
    trace.trace_class = ClassOf();
    trace.undetermined = FindSelfTimes();
    PlaceLines(lines, trace);
    trace.spans.begin = static_cast<std::uint32_t>(out_.spans.size());
    for (std::uint32_t place = 0; place < tree_.order.size(); ++place) {
      if (tree_.parent[place] == kNoIndex) RecordTree(place, trace);
    }
    trace.spans.count = static_cast<std::uint32_t>(out_.spans.size()) - trace.spans.begin;
  }

  // A retry that a store kept in two parts comes twice.
  void FillScratch(std::span<SpanFact> spans) {
    const auto content = [](const SpanFact& fact) {
      return std::tie(fact.span_id, fact.start_unix_ns, fact.end_unix_ns, fact.parent_span_id,
                      fact.operation, fact.resource, fact.kind, fact.status_code);
    };
    std::sort(spans.begin(), spans.end(),
              [&](const SpanFact& a, const SpanFact& b) { return content(a) < content(b); });
    const auto end =
        std::unique(spans.begin(), spans.end(),
                    [&](const SpanFact& a, const SpanFact& b) { return content(a) == content(b); });
    facts_ = spans.first(static_cast<std::size_t>(end - spans.begin()));
    scratch_.spans.clear();
    for (const SpanFact& fact : facts_) {
      Span& span = scratch_.spans.emplace_back();
      span.span_id = fact.span_id;
      span.parent_span_id = fact.parent_span_id;
      span.start_unix_ns = fact.start_unix_ns;
      span.end_unix_ns = fact.end_unix_ns;
      span.arrival_unix_ns = fact.arrival_unix_ns;
      span.resource = fact.resource;
      span.kind = fact.kind;
      span.status_code = fact.status_code;
    }
    // Spans of one id are told apart by what they are, whatever numbers their names have.
    for (std::size_t i = 1; i < facts_.size(); ++i) {
      if (facts_[i].span_id != facts_[i - 1].span_id) continue;
      for (const std::size_t twin : {i - 1, i}) {
        const SpanFact& fact = facts_[twin];
        const std::string_view service = out_.names.At(out_.resources[fact.resource].service);
        scratch_.spans[twin].identity = HashBytes(
            service,
            HashBytes(out_.names.At(fact.operation), HashCombine(fact.end_unix_ns, fact.kind)));
      }
    }
  }

  const SpanFact& FactAt(std::uint32_t place) const { return facts_[tree_.order[place]]; }
  std::uint32_t ServiceAt(std::uint32_t place) const {
    return out_.resources[FactAt(place).resource].service;
  }
  std::uint32_t ContextAt(std::uint32_t place) {
    return out_.contexts.Of({ServiceAt(place), FactAt(place).operation});
  }

  // Of each span the first child of another service, and whether another service called it.
  void FindCallees() {
    const std::size_t count = tree_.order.size();
    callee_.assign(count, kNoIndex);
    is_entry_.assign(count, false);
    for (std::uint32_t place = 0; place < count; ++place) {
      const std::uint32_t parent = tree_.parent[place];
      if (parent == kNoIndex) {
        is_entry_[place] = true;
      } else if (ServiceAt(parent) != ServiceAt(place)) {
        is_entry_[place] = true;
        if (callee_[parent] == kNoIndex) callee_[parent] = place;
      }
    }
    // The last call that a service made below its entry: the latest to start. Children come after
    // their parents in no order of places that could be relied on, so each span asks its entry.
    entry_.assign(count, kNoIndex);
    last_call_.assign(count, kNoIndex);
    first_call_.assign(count, kNoIndex);
    std::vector<std::uint32_t> chain;
    for (std::uint32_t place = 0; place < count; ++place) {
      std::uint32_t at = place;
      chain.clear();
      while (entry_[at] == kNoIndex && !is_entry_[at]) {
        chain.push_back(at);
        at = tree_.parent[at];
      }
      const std::uint32_t entry = is_entry_[at] ? at : entry_[at];
      entry_[at] = entry;
      for (const std::uint32_t link : chain) entry_[link] = entry;
    }
    for (std::uint32_t place = 0; place < count; ++place) {
      if (!is_entry_[place] || tree_.parent[place] == kNoIndex) continue;
      const std::uint32_t caller = entry_[tree_.parent[place]];
      if (first_call_[caller] == kNoIndex) first_call_[caller] = place;
      last_call_[caller] = place;  // Places are in order of starts.
    }
  }

  // The kind of request: the root's operation, and what its service called first.
  std::uint32_t ClassOf() {
    const auto name = [this](std::uint32_t place) {
      return std::string(out_.names.At(ServiceAt(place))) + " " +
             std::string(out_.names.At(FactAt(place).operation));
    };
    std::string text = name(tree_.root);
    const std::uint32_t entry = entry_[tree_.root];
    if (first_call_[entry] != kNoIndex) text += " > " + name(first_call_[entry]);
    const std::uint32_t id = out_.names.Of(text);
    const auto [at, added] =
        class_of_name_.emplace(id, static_cast<std::uint32_t>(out_.classes.size()));
    if (added) out_.classes.push_back(id);
    return at->second;
  }

  // Returns whether the trace's path may be another.
  bool FindSelfTimes() {
    bool undetermined = false;
    self_ns_.assign(tree_.order.size(), 0);
    TraceTree path_tree = Unwrapped(scratch_, tree_);
    for (std::uint32_t place = 0; place < tree_.order.size(); ++place) {
      if (tree_.parent[place] != kNoIndex) continue;
      path_tree.root = place;  // A part whose parent is missing has a path of its own.
      const CriticalPathOf path = CriticalPath(scratch_, path_tree);
      for (const CriticalSpan& span : path.spans) self_ns_[span.place] = span.self_ns;
      if (place == tree_.root) undetermined = !path.undetermined.empty();
    }
    return undetermined;
  }

  struct LineAt {
    std::uint32_t place = 0;
    std::uint32_t pattern = 0;
    LineGrade grade = LineGrade::kUnknown;
    std::uint32_t service = 0;
  };

  void PlaceLines(std::span<const LineFact> lines, TraceRecord& trace) {
    lines_at_.clear();
    scratch_.logs.clear();
    for (const LineFact& fact : lines) {
      trace.has_error = trace.has_error || fact.grade == LineGrade::kError;
      LogLine& line = scratch_.logs.emplace_back();
      line.span_id = fact.span_id;
      line.time_unix_ns = fact.time_unix_ns;
      line.service = out_.names.At(fact.service);
    }
    indices_.resize(lines.size());
    std::iota(indices_.begin(), indices_.end(), 0U);
    for (const PlacedLine& placed : throughline::PlaceLines(scratch_, tree_, scratch_, indices_)) {
      if (!placed.span_id.IsValid()) continue;
      const LineFact& fact = lines[placed.index];
      const auto halves = tree_.HalvesOf(placed.span_id);
      if (halves.empty()) continue;
      std::uint32_t place = halves.front().place;
      for (const auto& half : halves) {
        if (ServiceAt(half.place) == fact.service) place = half.place;
      }
      lines_at_.push_back({place, fact.pattern, fact.grade, ServiceAt(place)});
    }
    const auto order = [this](const LineAt& line) {
      return std::tuple(line.place, out_.names.At(line.pattern), line.grade);
    };
    std::sort(lines_at_.begin(), lines_at_.end(),
              [&](const LineAt& a, const LineAt& b) { return order(a) < order(b); });
    CountServiceLines();
  }

  void CountServiceLines() {
    std::vector<std::uint32_t> services;
    for (const LineAt& line : lines_at_) services.push_back(line.service);
    std::sort(services.begin(), services.end());
    const auto trace = static_cast<std::uint32_t>(out_.traces.size() - 1);
    for (auto at = services.begin(); at != services.end();) {
      const auto end = std::upper_bound(at, services.end(), *at);
      out_.service_lines.push_back({trace, *at, static_cast<std::uint32_t>(end - at)});
      at = end;
    }
  }

  // The records of a tree, each parent before its children.
  void RecordTree(std::uint32_t root, TraceRecord& trace) {
    // Where a place's record is, and whether its children are done.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> open = {{root, kNoIndex}};
    std::vector<std::uint32_t> children;
    while (!open.empty()) {
      auto& [place, record] = open.back();
      if (record != kNoIndex) {
        out_.spans[record].below = static_cast<std::uint32_t>(out_.spans.size()) - record - 1;
        open.pop_back();
        continue;
      }
      record = static_cast<std::uint32_t>(out_.spans.size());
      const std::uint32_t at = place;
      RecordSpan(at, trace);
      children.clear();
      for (std::uint32_t child = tree_.first_child[at]; child != kNoIndex;
           child = tree_.next_sibling[child]) {
        children.push_back(child);
      }
      for (auto child = children.rbegin(); child != children.rend(); ++child) {
        open.emplace_back(*child, kNoIndex);
      }
    }
  }

  void RecordSpan(std::uint32_t place, TraceRecord& trace) {
    const SpanFact& fact = FactAt(place);
    const std::uint32_t context = ContextAt(place);
    const bool is_root = place == tree_.root;
    if (is_root) trace.root = static_cast<std::uint32_t>(out_.spans.size());
    SpanRecord record;
    record.cell = out_.cells.Of({context, is_root ? kAnyClass : trace.trace_class});
    record.item = out_.items.Of(ItemOf(place, context));
    record.self_ns = self_ns_[place];
    record.duration_ns = tree_.At(scratch_, place).duration_ns();
    record.is_error = fact.status_code == 2;
    record.resource = fact.resource;
    record.attributes = fact.attributes;
    trace.has_error = trace.has_error || record.is_error;

    features_.clear();
    for (std::uint32_t child = tree_.first_child[place]; child != kNoIndex;
         child = tree_.next_sibling[child]) {
      Has({FeatureKind::kCall, LineGrade::kUnknown, ContextAt(child)});
    }
    const auto first = std::lower_bound(
        lines_at_.begin(), lines_at_.end(), place,
        [](const LineAt& line, std::uint32_t wanted) { return line.place < wanted; });
    for (auto line = first; line != lines_at_.end() && line->place == place; ++line) {
      Has({FeatureKind::kLine, line->grade, line->pattern});
    }
    if (is_entry_[place]) {
      const std::uint32_t last = last_call_[place];
      Has({FeatureKind::kLastCall, LineGrade::kUnknown,
           last == kNoIndex ? kNoIndex : ContextAt(last)});
    }
    if (is_root) Has({FeatureKind::kClass, LineGrade::kUnknown, trace.trace_class});
    if (record.is_error) Has({FeatureKind::kStatus, LineGrade::kUnknown, 0});
    if (fact.exception != NameTable::kEmpty) {
      Has({FeatureKind::kException, LineGrade::kUnknown, fact.exception});
    }
    record.pairs = StorePairs(record.cell);
    out_.spans.push_back(record);
  }

  ItemKey ItemOf(std::uint32_t place, std::uint32_t context) {
    if (callee_[place] != kNoIndex) return {true, ServiceAt(place), ServiceAt(callee_[place])};
    const std::uint32_t peer = FactAt(place).peer;
    if (peer != NameTable::kEmpty && tree_.first_child[place] == kNoIndex) {
      return {true, ServiceAt(place), peer};
    }
    return {false, context, 0};
  }

  void Has(const FeatureKey& feature) { features_.push_back(out_.features.Of(feature)); }

  // A set: a span has a feature or has it not.
  Range StorePairs(std::uint32_t cell) {
    std::sort(features_.begin(), features_.end());
    features_.erase(std::unique(features_.begin(), features_.end()), features_.end());
    Range range{static_cast<std::uint32_t>(out_.pairs_of.size()), 0};
    for (const std::uint32_t feature : features_) {
      if (out_.pairs.size() >= from_.limits_.features) {
        features_cut_ = true;
        break;
      }
      out_.pairs_of.push_back(out_.pairs.Of({cell, feature}));
      ++range.count;
    }
    return range;
  }

  void SortTraces() {
    std::vector<std::uint32_t> order(out_.traces.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
      const TraceRecord& x = out_.traces[a];
      const TraceRecord& y = out_.traces[b];
      return std::tie(x.start_unix_ns, x.trace_id) < std::tie(y.start_unix_ns, y.trace_id);
    });
    std::vector<TraceRecord> sorted;
    sorted.reserve(order.size());
    std::vector<std::uint32_t> place(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      place[order[i]] = i;
      sorted.push_back(out_.traces[order[i]]);
    }
    out_.traces = std::move(sorted);
    for (auto& lines : out_.service_lines) lines.trace = place[lines.trace];
    std::sort(out_.service_lines.begin(), out_.service_lines.end(),
              [](const auto& a, const auto& b) {
                return std::tie(a.trace, a.service) < std::tie(b.trace, b.service);
              });
  }

  TraceRecorder from_;
  RecordedTraces out_;
  Batch scratch_;  // Of one trace.
  std::span<const SpanFact> facts_;
  TraceTree tree_;
  // By place.
  std::vector<std::uint32_t> callee_, entry_, first_call_, last_call_;
  std::vector<bool> is_entry_;
  std::vector<std::uint64_t> self_ns_;
  std::vector<LineAt> lines_at_;
  std::vector<std::uint32_t> indices_;
  std::vector<std::uint32_t> features_;
  std::unordered_map<std::uint32_t, std::uint32_t> class_of_name_;
  bool features_cut_ = false;
};

RecordedTraces TraceRecorder::Close() && { return RecordCloser(std::move(*this)).Close(); }

}  // namespace throughline
