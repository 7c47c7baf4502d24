#include "store/sqlite/search.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <set>
#include <type_traits>

#include "correlate/metric_name.h"
#include "correlate/record_time.h"
#include "correlate/summary.h"
#include "store/copy.h"
#include "store/cursor.h"
#include "store/match.h"
#include "store/sqlite/found_trace.h"
#include "store/sqlite/hot_reader.h"

namespace throughline::store::sqlite {
namespace {

using segment::BlockCandidate;
using segment::SearchFilter;
using segment::Segment;

// Why a search left something out.
struct Cut {
  bool deadline = false;
  bool damaged = false;

  // As FoundTrace::Read says it.
  void Note(const std::string& reason) {
    deadline = deadline || reason == kDeadlineReason;
    damaged = damaged || reason == kDamagedReason;
  }
};

template <typename Answer>
void SayCut(const Cut& cut, Answer& answer) {
  if (!cut.damaged || !answer.complete) return;
  answer.complete = false;
  answer.incomplete_reason = kDamagedReason;
}

// What a search looks at: requests that are hot, segments, and the blocks of those, in the order of
// time. What comes next has no record that stands before its time.
class Scan {
 public:
  // `newest_first`: times fall; else they rise.
  Scan(const View& view, const SearchFilter& filter, bool newest_first, Cut& cut)
      : view_(view), filter_(filter), newest_first_(newest_first), cut_(cut) {
    for (std::size_t i = 0; i < view.hot.size(); ++i) {
      const Memtable::Snapshot& snapshot = view.hot[i];
      hot_.emplace_back(snapshot, filter);
      const auto with_tags = view.tags[i]->RequestsFor(snapshot, filter, view.scope);
      const auto requests = snapshot.blocks();
      for (std::size_t request = 0; request < requests.size(); ++request) {
        const Block& block = requests[request];
        if (block.tenant != view.tenant || block.count(filter.kind) == 0) continue;
        if (!with_tags[request]) continue;
        Push({block.first_unix_ns, block.last_unix_ns},
             {.hot = static_cast<std::uint32_t>(hot_.size()), .request = &block});
      }
    }
    for (const auto& segment : view.sealed) Push(segment->info().time, {.segment = segment.get()});
    std::make_heap(steps_.begin(), steps_.end(), Order());
  }

  // The time of what comes next; nullopt: nothing does, or the deadline is over.
  std::optional<std::uint64_t> next_unix_ns() {
    // A segment gives way to its blocks, whose times are nearer the truth.
    while (!steps_.empty() && !Stopped()) {
      const Step& next = steps_.front();
      if (next.request != nullptr || next.block != kWholeSegment) return next.time;
      Expand(Pop());
    }
    return std::nullopt;
  }
  // Reads of it what the filter does not rule out.
  void ReadNext(Batch& to) {
    const Step step = Pop();
    if (step.request != nullptr) {
      hot_[step.hot - 1].Read(*step.request, to);
    } else if (!step.segment->ReadBlock(step.block, filter_.kind, view_.tenant, to)) {
      cut_.damaged = true;
    }
  }

 private:
  static constexpr std::uint32_t kWholeSegment = UINT32_MAX;
  static constexpr std::size_t kStepsPerDeadlineCheck = 16;
  struct Step {
    std::uint64_t time = 0;
    std::uint32_t hot = 0;  // Index + 1.
    const Block* request = nullptr;
    const Segment* segment = nullptr;
    std::uint32_t block = kWholeSegment;
  };
  struct ComesLater {
    bool newest_first;
    bool operator()(const Step& a, const Step& b) const {
      return newest_first ? a.time < b.time : b.time < a.time;
    }
  };

  ComesLater Order() const { return {newest_first_}; }
  bool Stopped() {
    if (looked_++ % kStepsPerDeadlineCheck == 0) {
      cut_.deadline = cut_.deadline || view_.scope.Expired();
    }
    return cut_.deadline;
  }
  // Adds a step, without its place, if the range has something of it.
  void Push(TimeRange time, Step step) {
    if (time.start_unix_ns > filter_.time.end_unix_ns ||
        time.end_unix_ns < filter_.time.start_unix_ns) {
      return;
    }
    step.time = newest_first_ ? time.end_unix_ns : time.start_unix_ns;
    steps_.push_back(step);
  }
  void Expand(const Step& step) {
    const auto found = step.segment->Search(filter_);
    if (!found) {
      cut_.damaged = true;
      return;
    }
    for (const BlockCandidate& candidate : *found) {
      Push({candidate.first_unix_ns, candidate.last_unix_ns},
           {.segment = step.segment, .block = candidate.block});
      std::push_heap(steps_.begin(), steps_.end(), Order());
    }
  }
  Step Pop() {
    std::pop_heap(steps_.begin(), steps_.end(), Order());
    const Step step = steps_.back();
    steps_.pop_back();
    return step;
  }

  const View& view_;
  const SearchFilter& filter_;
  const bool newest_first_;
  Cut& cut_;
  std::vector<HotReader> hot_;
  std::vector<Step> steps_;  // A heap.
  std::size_t looked_ = 0;
};

// A span that matched: its trace is a candidate, and starts no later than this.
struct MatchedSpan {
  std::uint64_t start_unix_ns = 0;
  TraceId id;
  bool operator<(const MatchedSpan& other) const { return start_unix_ns < other.start_unix_ns; }
};

// Brings candidate traces into answer order, looking at no more of them than the page needs.
class TracePage {
 public:
  TracePage(const View& view, const TraceQuery& query, CursorKind kind,
            const std::optional<SortKey>& after, Cut& cut)
      : view_(view), query_(query), kind_(kind), after_(after), cut_(cut) {}

  // True when no trace that starts before `start_unix_ns` can be on the page any more.
  bool HasAllFrom(std::uint64_t start_unix_ns) const {
    return kind_ == CursorKind::kNewestTraces && starts_.size() > query_.limit &&
           start_unix_ns < starts_.top();
  }

  void Add(TraceId stored) {
    if (!seen_.insert(stored).second) return;
    const FoundTrace found(view_, stored);
    cut_.damaged = cut_.damaged || found.was_damaged();
    for (const TraceId match : found.matches()) {
      if (match == stored) {
        AddMatch(found, match);
      } else if (seen_.insert(match).second) {
        AddMatch(FoundTrace(view_, match), match);
      }
    }
  }

  std::vector<Keyed>& items() { return items_; }
  std::vector<TraceSummary>& summaries() { return summaries_; }

 private:
  void AddMatch(const FoundTrace& found, TraceId match) {
    Batch records;
    cut_.Note(found.Read(match, {}, SIZE_MAX, records));
    TraceSummary summary = SummaryOf(match, records);
    if (!TraceMatches(query_, summary)) return;
    const SortKey key = KeyOf(summary, kind_);
    if (after_ && !StandsBefore(kind_, *after_, key)) return;
    starts_.push(summary.start_unix_ns);
    if (starts_.size() > query_.limit + 1) starts_.pop();
    items_.push_back({.key = key, .index = static_cast<std::uint32_t>(summaries_.size())});
    summaries_.push_back(std::move(summary));
  }

  const View& view_;
  const TraceQuery& query_;
  const CursorKind kind_;
  const std::optional<SortKey>& after_;
  Cut& cut_;
  std::set<TraceId> seen_;
  std::vector<Keyed> items_;
  std::vector<TraceSummary> summaries_;
  // The latest starts so far, as many as the page and one; the earliest of them on top.
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> starts_;
};

// The records of a page while it fills: copies, so that the blocks they stood in can go.
template <typename Record>
class RecordItems {
 public:
  RecordItems(CursorKind kind, const std::optional<SortKey>& after, std::size_t limit)
      : items_(kind, after, limit) {}

  void Add(const Record& record, RecordCopier& copier) {
    const SortKey key = KeyOf(record);
    if (!items_.Wants(key)) return;
    copier.Copy(record);
    items_.Add({.key = key, .index = static_cast<std::uint32_t>(Records(held_).size() - 1)});
  }
  Batch& held() { return held_; }
  PageItems& items() { return items_; }

  // Leaves out what can be on the page no more, when that is most of it. Only between two batches:
  // copiers end with it.
  void Prune() {
    constexpr std::size_t kWorthIt = 4096;
    items_.Settle();
    if (Records(held_).size() < kWorthIt + 4 * items_.items().size()) return;
    Batch kept;
    RecordCopier copier(held_, kept);
    for (Keyed& item : items_.items()) {
      copier.Copy(Records(held_)[item.index]);
      item.index = static_cast<std::uint32_t>(Records(kept).size() - 1);
    }
    held_ = std::move(kept);
  }

  void End(CursorKind kind, const std::optional<SortKey>& after, std::size_t limit, const Cut& cut,
           RecordPage& page) {
    EndPage(kind, after, limit, cut.deadline, items_.items(), page);
    SayCut(cut, page);
    RecordCopier copier(held_, page.records);
    for (const Keyed& item : items_.items()) copier.Copy(Records(held_)[item.index]);
  }

  static const std::vector<Record>& Records(const Batch& batch) {
    if constexpr (std::is_same_v<Record, LogLine>) return batch.logs;
    if constexpr (std::is_same_v<Record, Exemplar>) return batch.exemplars;
  }

 private:
  PageItems items_;
  Batch held_;
};

// Adds the records of a search that `matches(record, batch)`.
template <typename Record, typename Matches>
void Collect(const View& view, const SearchFilter& filter, bool newest_first, Cut& cut,
             RecordItems<Record>& to, Matches matches) {
  Scan scan(view, filter, newest_first, cut);
  while (const auto next = scan.next_unix_ns()) {
    to.Prune();
    if (to.items().Settle() &&
        (newest_first ? *next < to.items().last_unix_ns() : *next > to.items().last_unix_ns())) {
      break;
    }
    Batch batch;
    scan.ReadNext(batch);
    RecordCopier copier(batch, to.held());
    for (const Record& record : RecordItems<Record>::Records(batch)) {
      if (matches(record, batch)) to.Add(record, copier);
    }
  }
}

// What a block must have of attributes. A key that is absent matches as the empty text, so that one
// rules nothing out.
void AddTags(const std::vector<Matcher>& matchers, SearchFilter& filter) {
  for (const Matcher& matcher : matchers) {
    if (matcher.op != Matcher::Op::kEqual || matcher.value.empty()) continue;
    filter.tags.emplace_back(matcher.key, matcher.value);
  }
}

SearchFilter FilterOf(const View& view, const TraceQuery& query) {
  // Nothing lasts so long; durations beyond would be rounded.
  constexpr std::uint64_t kUnbounded = std::uint64_t{1} << 62U;
  SearchFilter filter{.kind = RecordKind::kSpan, .tenant = view.tenant, .time = query.time};
  filter.service = query.service;
  filter.operation = query.operation;
  filter.status_code = query.status_code;
  AddTags(query.attributes, filter);
  const std::uint64_t most = query.max_duration_ns.value_or(UINT64_MAX);
  filter.least = static_cast<double>(query.min_duration_ns.value_or(0));
  filter.most =
      most >= kUnbounded ? std::numeric_limits<double>::infinity() : static_cast<double>(most);
  filter.has_bounds = query.min_duration_ns.has_value() || query.max_duration_ns.has_value();
  return filter;
}

SearchFilter FilterOf(const View& view, const LogQuery& query) {
  SearchFilter filter{.kind = RecordKind::kLine, .tenant = view.tenant, .time = query.time};
  filter.service = query.service;
  AddTags(query.attributes, filter);
  filter.text = query.contains;
  filter.least = query.min_severity_number;
  filter.most = std::numeric_limits<double>::infinity();
  filter.has_bounds = query.min_severity_number > 0;
  return filter;
}

SearchFilter FilterOf(const View& view, const ExemplarQuery& query) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  SearchFilter filter{.kind = RecordKind::kExemplar, .tenant = view.tenant, .time = query.time};
  if (!query.metric.empty()) {
    filter.metric = [&query](std::string_view name, std::string_view unit, MetricType type) {
      Exemplar exemplar;
      exemplar.metric_type = type;
      exemplar.metric = name;
      exemplar.unit = unit;
      return IsNamed(exemplar, query.metric);
    };
  }
  filter.least = query.min_value.value_or(-kInfinity);
  filter.most = query.max_value.value_or(kInfinity);
  filter.has_bounds = query.min_value.has_value() || query.max_value.has_value();
  return filter;
}

// Whether a line that states no service belongs to one by its span or trace.
bool InferredFor(const View& view, const std::string& service, const LogLine& line, Cut& cut) {
  const FoundTrace found(view, line.trace_id);
  cut.damaged = cut.damaged || found.was_damaged();
  if (found.matches().empty()) return service.empty();
  return std::any_of(found.matches().begin(), found.matches().end(), [&](TraceId match) {
    Batch spans;
    cut.Note(
        found.Read(match, {.spans = true, .logs = false, .exemplars = false}, SIZE_MAX, spans));
    return InferredServiceIs(service, line.span_id, spans);
  });
}

}  // namespace

Result<TraceRecords> FindTrace(const View& view, TraceId id, const FindOptions& options) {
  TraceRecords found;
  if (view.tenant == 0) return found;
  const FoundTrace trace(view, id);
  found.matches = trace.matches();
  if (found.matches.size() != 1) {
    // Something may be in what cannot be read.
    if (trace.was_damaged()) {
      found.complete = false;
      found.incomplete_reason = kDamagedReason;
    }
    return found;
  }
  found.records.keep_alive = view.keep_alive;
  found.incomplete_reason =
      trace.Read(id, {.spans = options.spans, .logs = options.logs, .exemplars = options.exemplars},
                 options.record_limit, found.records);
  found.complete = found.incomplete_reason.empty();
  found.evidence = EvidenceOf(found.records);
  return found;
}

Result<std::vector<TraceSummary>> Summarize(const View& view, TraceId id) {
  std::vector<TraceSummary> summaries;
  if (view.tenant == 0) return summaries;
  const FoundTrace found(view, id);
  summaries.reserve(found.matches().size());
  for (const TraceId match : found.matches()) {
    Batch records;
    found.Read(match, {}, SIZE_MAX, records);
    summaries.push_back(SummaryOf(match, records));
  }
  return summaries;
}

Result<Page<TraceSummary>> FindTraces(const View& view, const TraceQuery& query) {
  const CursorKind kind = query.order == TraceQuery::Order::kDuration ? CursorKind::kLongestTraces
                                                                      : CursorKind::kNewestTraces;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, SpanMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kind, query.cursor));
  Page<TraceSummary> page;
  if (view.tenant == 0) return page;
  Cut cut;
  std::vector<MatchedSpan> matched;  // A heap.
  const SearchFilter filter = FilterOf(view, query);
  Scan scan(view, filter, true, cut);
  TracePage traces(view, query, kind, after, cut);
  // The latest start of what is left, spans that matched or what is not read yet, comes next.
  while (!cut.deadline) {
    const auto next = scan.next_unix_ns();
    if (next && (matched.empty() || *next >= matched.front().start_unix_ns)) {
      if (traces.HasAllFrom(*next)) break;
      Batch batch;
      scan.ReadNext(batch);
      for (const Span& span : batch.spans) {
        if (!match.Matches(span, batch)) continue;
        matched.push_back({TimeOf(span), span.trace_id});
        std::push_heap(matched.begin(), matched.end());
      }
      continue;
    }
    if (matched.empty() || traces.HasAllFrom(matched.front().start_unix_ns)) break;
    cut.deadline = view.scope.Expired();
    if (cut.deadline) break;
    traces.Add(matched.front().id);
    std::pop_heap(matched.begin(), matched.end());
    matched.pop_back();
  }
  EndPage(kind, after, query.limit, cut.deadline, traces.items(), page);
  SayCut(cut, page);
  for (const Keyed& item : traces.items()) {
    page.items.push_back(std::move(traces.summaries()[item.index]));
  }
  return page;
}

Result<RecordPage> FindLogs(const View& view, const LogQuery& query) {
  const CursorKind kind = query.newest_first ? CursorKind::kNewestLines : CursorKind::kLines;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, LineMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kind, query.cursor));
  RecordPage page;
  if (view.tenant == 0) return page;
  Cut cut;
  RecordItems<LogLine> items(kind, after, query.limit);
  const auto matches = [&](const LogLine& line, const Batch& batch) {
    return match.Matches(line, batch) &&
           (!match.NeedsTrace(line) || InferredFor(view, *query.service, line, cut));
  };
  if (query.trace_id) {
    const FoundTrace found(view, *query.trace_id);
    Batch lines;
    cut.Note(found.Read(*query.trace_id, {.spans = false, .logs = true, .exemplars = false},
                        SIZE_MAX, lines));
    RecordCopier copier(lines, items.held());
    for (const LogLine& line : lines.logs) {
      if (matches(line, lines)) items.Add(line, copier);
    }
  } else {
    Collect(view, FilterOf(view, query), query.newest_first, cut, items, matches);
  }
  items.End(kind, after, query.limit, cut, page);
  return page;
}

Result<RecordPage> FindExemplars(const View& view, const ExemplarQuery& query) {
  constexpr CursorKind kKind = CursorKind::kNewestExemplars;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, ExemplarMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kKind, query.cursor));
  RecordPage page;
  if (view.tenant == 0) return page;
  Cut cut;
  RecordItems<Exemplar> items(kKind, after, query.limit);
  Collect(
      view, FilterOf(view, query), true, cut, items,
      [&](const Exemplar& exemplar, const Batch& batch) { return match.Matches(exemplar, batch); });
  items.End(kKind, after, query.limit, cut, page);
  return page;
}

Result<Visited> Visit(const View& view, const VisitQuery& query,
                      const std::function<bool(const Batch&)>& visit) {
  Visited visited;
  if (view.tenant == 0) return visited;
  Cut cut;
  bool goes_on = true;
  const auto scan_kind = [&](RecordKind kind) {
    const SearchFilter filter{.kind = kind, .tenant = view.tenant, .time = query.time};
    Scan scan(view, filter, true, cut);
    while (goes_on && scan.next_unix_ns()) {
      Batch batch;
      scan.ReadNext(batch);
      goes_on = batch.record_count() == 0 || visit(batch);
    }
  };
  if (query.spans) scan_kind(RecordKind::kSpan);
  if (query.logs) scan_kind(RecordKind::kLine);
  if (query.exemplars) scan_kind(RecordKind::kExemplar);
  if (cut.deadline || !goes_on) {
    visited = {.complete = false,
               .incomplete_reason = goes_on ? std::string(kDeadlineReason) : "limit"};
  }
  SayCut(cut, visited);
  return visited;
}

}  // namespace throughline::store::sqlite
