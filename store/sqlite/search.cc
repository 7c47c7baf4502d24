#include "store/sqlite/search.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>
#include <set>

#include "store/cursor.h"
#include "store/match.h"
#include "store/record_time.h"
#include "store/summary.h"

namespace throughline::store::sqlite {
namespace {

// Deadlines are looked at once in this many records.
constexpr std::size_t kRecordsPerDeadlineCheck = 1024;

// The traces that stand behind an id, and what each of them is called.
struct Candidates {
  std::vector<Memtable::Snapshot::Trace> traces;  // All that link to the id.
  std::vector<TraceId> matches;                   // See TraceRecords::matches.
};

Candidates CandidatesOf(const View& view, TraceId id) {
  Candidates found;
  found.traces = view.snapshot.TracesOf(view.tenant, id);
  for (const auto& trace : found.traces) {
    if (trace.id.high_known()) found.matches.push_back(trace.id);
  }
  std::sort(found.matches.begin(), found.matches.end());
  if (found.matches.size() > kMaxMatches) found.matches.resize(kMaxMatches);
  if (found.matches.empty() && !found.traces.empty()) found.matches.push_back(found.traces[0].id);
  return found;
}

// Reads the chains of one trace into a batch, up to a limit and the deadline.
class ChainReader {
 public:
  ChainReader(const View& view, std::size_t limit, Batch& batch)
      : view_(view), limit_(limit), reader_(view.snapshot.dictionary(), batch) {}

  void Read(std::uint32_t newest) {
    const Memtable::Snapshot& snapshot = view_.snapshot;
    for (std::uint32_t at = newest; at != 0 && reason_.empty(); at = snapshot.At(at).next()) {
      if (count_ == limit_) {
        reason_ = "limit";
      } else if (count_ % kRecordsPerDeadlineCheck == 0 && view_.scope.Expired()) {
        reason_ = "deadline";
      } else {
        reader_.Read(snapshot.At(at), snapshot.ArrivalOf(at));
        ++count_;
      }
    }
  }
  const std::string& reason() const { return reason_; }

 private:
  const View& view_;
  std::size_t limit_;
  RecordReader reader_;
  std::size_t count_ = 0;
  std::string reason_;
};

TraceSummary SummaryOfMatch(const View& view, const Candidates& candidates, TraceId match) {
  Batch records;
  ChainReader reader(view, SIZE_MAX, records);
  for (const auto& trace : candidates.traces) {
    // What carries only the low half belongs to each of them.
    if (!SameTrace(trace.id, match)) continue;
    reader.Read(trace.spans);
    reader.Read(trace.lines);
    reader.Read(trace.exemplars);
  }
  return SummaryOf(match, records);
}

// The newest record of one kind of chain.
std::uint32_t HeadOf(const Memtable::Snapshot::Trace& trace, RecordKind kind) {
  return kind == RecordKind::kSpan   ? trace.spans
         : kind == RecordKind::kLine ? trace.lines
                                     : trace.exemplars;
}

std::uint32_t CountOf(const Block& block, RecordKind kind) {
  return kind == RecordKind::kSpan   ? block.spans
         : kind == RecordKind::kLine ? block.lines
                                     : block.exemplars;
}

// Walks records of one kind, reads those in a time range, and gives them to a visitor.
class Scan {
 public:
  Scan(const View& view, RecordKind kind, TimeRange time) : view_(view), kind_(kind), time_(time) {}

  // `visit(batch, reference)`: the record is the last of its kind in the batch.
  template <typename Visit>
  void All(Visit visit) {
    const auto blocks = view_.snapshot.blocks();
    for (auto block = blocks.rbegin(); block != blocks.rend() && !cut_; ++block) {
      if (block->tenant != view_.tenant || CountOf(*block, kind_) == 0) continue;
      for (std::uint32_t at = block->begin; at < block->end && !cut_;) {
        const RecordView record = view_.snapshot.At(at);
        if (record.kind() == kind_) Look(record, at, block->arrival_unix_ns, visit);
        at += record.size();
      }
    }
  }

  template <typename Visit>
  void OfTrace(TraceId id, Visit visit) {
    for (const auto& trace : view_.snapshot.TracesOf(view_.tenant, id)) {
      for (std::uint32_t at = HeadOf(trace, kind_); at != 0 && !cut_;
           at = view_.snapshot.At(at).next()) {
        Look(view_.snapshot.At(at), at, view_.snapshot.ArrivalOf(at), visit);
      }
    }
  }

  bool was_cut() const { return cut_; }

 private:
  template <typename Visit>
  void Look(RecordView record, std::uint32_t reference, std::uint64_t arrival, Visit& visit) {
    if (looked_++ % kRecordsPerDeadlineCheck == 0) {
      cut_ = view_.scope.Expired();
      // A fresh batch from time to time: what was read is not needed again.
      reader_.reset();
      batch_.emplace();
      reader_.emplace(view_.snapshot.dictionary(), *batch_);
    }
    const std::uint64_t observed = kind_ == RecordKind::kLine ? record.observed_unix_ns() : 0;
    const auto time = EffectiveTimeOf(record.time_unix_ns(), observed, arrival);
    if (cut_ || !time_.Contains(time.unix_ns)) return;
    reader_->Read(record, arrival);
    visit(*batch_, reference);
  }

  const View& view_;
  const RecordKind kind_;
  const TimeRange time_;
  std::optional<Batch> batch_;
  std::optional<RecordReader> reader_;
  std::size_t looked_ = 0;
  bool cut_ = false;
};

// A span that matched: its trace is a candidate, and starts no later than this.
struct MatchedSpan {
  std::uint64_t start_unix_ns = 0;
  TraceId id;
};

// Brings candidate traces into answer order, looking at no more of them than the page needs.
class TracePage {
 public:
  TracePage(const View& view, const TraceQuery& query, CursorKind kind,
            const std::optional<SortKey>& after)
      : view_(view), query_(query), kind_(kind), after_(after) {}

  // True when no trace that starts before `start_unix_ns` can be on the page any more.
  bool HasAllFrom(std::uint64_t start_unix_ns) const {
    return kind_ == CursorKind::kNewestTraces && starts_.size() > query_.limit &&
           start_unix_ns < starts_.top();
  }

  void Add(TraceId stored) {
    if (!seen_.insert(stored).second) return;
    const Candidates candidates = CandidatesOf(view_, stored);
    for (const TraceId match : candidates.matches) {
      if (match != stored && !seen_.insert(match).second) continue;
      AddMatch(match == stored ? candidates : CandidatesOf(view_, match), match);
    }
  }

  std::vector<Keyed>& items() { return items_; }
  std::vector<TraceSummary>& summaries() { return summaries_; }

 private:
  void AddMatch(const Candidates& candidates, TraceId match) {
    TraceSummary summary = SummaryOfMatch(view_, candidates, match);
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
  std::set<TraceId> seen_;
  std::vector<Keyed> items_;
  std::vector<TraceSummary> summaries_;
  // The latest starts so far, as many as the page and one; the earliest of them on top.
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> starts_;
};

// Reads the records of a page, in its order.
void ReadPage(const View& view, const std::vector<Keyed>& items, RecordPage& page) {
  RecordReader reader(view.snapshot.dictionary(), page.records);
  for (const Keyed& item : items) {
    reader.Read(view.snapshot.At(item.index), view.snapshot.ArrivalOf(item.index));
  }
}

// Whether a line that states no service belongs to one by its span or trace.
bool InferredFor(const View& view, const std::string& service, const LogLine& line) {
  const Candidates candidates = CandidatesOf(view, line.trace_id);
  if (candidates.matches.empty()) return service.empty();
  return std::any_of(candidates.matches.begin(), candidates.matches.end(), [&](TraceId match) {
    Batch spans;
    ChainReader reader(view, SIZE_MAX, spans);
    for (const auto& trace : candidates.traces) {
      if (SameTrace(trace.id, match)) reader.Read(trace.spans);
    }
    return InferredServiceIs(service, line.span_id, spans);
  });
}

}  // namespace

Result<TraceRecords> FindTrace(const View& view, TraceId id, const FindOptions& options) {
  TraceRecords found;
  if (view.tenant == 0) return found;
  Candidates candidates = CandidatesOf(view, id);
  found.matches = std::move(candidates.matches);
  if (found.matches.size() != 1) return found;
  ChainReader reader(view, options.record_limit, found.records);
  for (const auto& trace : candidates.traces) {
    if (options.spans) reader.Read(trace.spans);
    if (options.logs) reader.Read(trace.lines);
    if (options.exemplars) reader.Read(trace.exemplars);
  }
  found.complete = reader.reason().empty();
  found.incomplete_reason = reader.reason();
  found.evidence = EvidenceOf(found.records);
  return found;
}

Result<std::vector<TraceSummary>> Summarize(const View& view, TraceId id) {
  std::vector<TraceSummary> summaries;
  if (view.tenant == 0) return summaries;
  const Candidates candidates = CandidatesOf(view, id);
  summaries.reserve(candidates.matches.size());
  for (const TraceId match : candidates.matches) {
    summaries.push_back(SummaryOfMatch(view, candidates, match));
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
  std::vector<MatchedSpan> matched;
  Scan scan(view, RecordKind::kSpan, query.time);
  scan.All([&](const Batch& batch, std::uint32_t) {
    const Span& span = batch.spans.back();
    if (match.Matches(span, batch)) matched.push_back({TimeOf(span), span.trace_id});
  });

  const auto earlier = [](const MatchedSpan& a, const MatchedSpan& b) {
    return a.start_unix_ns < b.start_unix_ns;
  };
  std::make_heap(matched.begin(), matched.end(), earlier);
  TracePage traces(view, query, kind, after);
  bool was_cut = scan.was_cut();
  while (!matched.empty()) {
    if (traces.HasAllFrom(matched.front().start_unix_ns)) break;
    if (view.scope.Expired()) {
      was_cut = true;
      break;
    }
    traces.Add(matched.front().id);
    std::pop_heap(matched.begin(), matched.end(), earlier);
    matched.pop_back();
  }
  EndPage(kind, after, query.limit, was_cut, traces.items(), page);
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
  std::vector<Keyed> items;
  Scan scan(view, RecordKind::kLine, query.time);
  const auto look = [&](const Batch& batch, std::uint32_t reference) {
    const LogLine& line = batch.logs.back();
    if (!match.Matches(line, batch)) return;
    if (match.NeedsTrace(line) && !InferredFor(view, *query.service, line)) return;
    items.push_back({.key = KeyOf(line), .index = reference});
  };
  if (query.trace_id) {
    scan.OfTrace(*query.trace_id, look);
  } else {
    scan.All(look);
  }
  EndPage(kind, after, query.limit, scan.was_cut(), items, page);
  ReadPage(view, items, page);
  return page;
}

Result<RecordPage> FindExemplars(const View& view, const ExemplarQuery& query) {
  constexpr CursorKind kKind = CursorKind::kNewestExemplars;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, ExemplarMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kKind, query.cursor));
  RecordPage page;
  std::vector<Keyed> items;
  Scan scan(view, RecordKind::kExemplar, query.time);
  scan.All([&](const Batch& batch, std::uint32_t reference) {
    const Exemplar& exemplar = batch.exemplars.back();
    if (match.Matches(exemplar, batch))
      items.push_back({.key = KeyOf(exemplar), .index = reference});
  });
  EndPage(kKind, after, query.limit, scan.was_cut(), items, page);
  ReadPage(view, items, page);
  return page;
}

}  // namespace throughline::store::sqlite
