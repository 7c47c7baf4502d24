#include "api/links/explain_read.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace throughline::api::links {
namespace {

constexpr std::uint64_t kFirstStep = 8;  // Windows that are read at once on the way back.
constexpr std::uint64_t kLongestStep = 64;
constexpr std::size_t kGaugePage = 10'000;
// Of the spans that may be recorded, so many are left for what was asked for.
constexpr std::size_t kBaselineSpans = 400'000;

class Reader {
 public:
  Reader(const Scope& scope, const TimeSpan& window, const Context& context,
         const TraceFilter& filter)
      : window_(window),
        farthest_ns_(context.settings.explain_lookback_ns),
        reader_(scope, context, {.filters = {filter}}) {}

  // The window and these others.
  Result<void> ReadWith(std::vector<TimeSpan> windows) {
    windows.push_back(window_);
    return reader_.ReadAll(std::move(windows));
  }

  // The window, then back from it until there are candidates enough for a baseline.
  Result<void> ReadBack() {
    TL_TRY(Read(WithSlack(window_)));
    const std::uint64_t length = window_.length_ns();
    const std::uint64_t start = window_.start_unix_ns;
    // The two windows before are no candidates, but traces of theirs may have begun in one that is.
    std::uint64_t end = start - std::min(start, kTraceSlackNs);
    std::uint64_t step = kFirstStep;
    const std::uint64_t earliest = start - std::min(start, farthest_ns_);
    while (end > earliest && !Enough(kMostCandidates)) {
      const std::uint64_t begin = std::max(earliest, end - std::min(end, step * length));
      TL_TRY(Read({begin, end}));
      end = begin;
      step = std::min(2 * step, kLongestStep);
    }
    lookback_ns_ = start - end;
    for (std::uint64_t day = 1; day <= kEarlierDays && !Enough(kBaselineWindows); ++day) {
      if (start < day * kDayNs + kAroundThenNs) break;
      const std::uint64_t then = start - day * kDayNs;
      TL_TRY(Read({then - kAroundThenNs, then + length + kAroundThenNs}));
      lookback_ns_ = day * kDayNs + kAroundThenNs;
    }
    return {};
  }

  ReadForExplain Finish() { return {.read = reader_.Finish(), .lookback_ns = lookback_ns_}; }

 private:
  Result<void> Read(const TimeSpan& time) {
    return reader_.Read(time, [&](const Batch& batch) { CountRoots(batch, time); });
  }

  void CountRoots(const Batch& batch, const TimeSpan& range) {
    for (const Span& span : batch.spans) {
      const std::uint64_t time = span.start_unix_ns;
      if (span.parent_span_id.IsValid() || time < range.start_unix_ns) continue;
      if (time >= range.end_unix_ns || time >= window_.start_unix_ns) continue;
      ++roots_[(window_.start_unix_ns - 1 - time) / window_.length_ns()];
    }
  }

  // Counted by all roots: with a filter there may be fewer, and the grid is widened.
  bool Enough(std::size_t wanted) {
    if (reader_.cut() || reader_.span_count() >= kBaselineSpans) return true;
    return static_cast<std::size_t>(
               std::count_if(roots_.begin(), roots_.end(), [](const auto& cell) {
                 return cell.first >= kSkippedWindows && cell.second >= kCandidateTraces;
               })) >= wanted;
  }

  const TimeSpan window_;
  const std::uint64_t farthest_ns_;
  WindowReader reader_;
  std::unordered_map<std::uint64_t, std::uint32_t> roots_;  // By window back from the spike.
  std::uint64_t lookback_ns_ = 0;
};

}  // namespace

Result<ReadForExplain> ReadRecords(const Request& http, const ExplainRequest& request,
                                   const TimeSpan& window, const Context& context) {
  Reader reader(http.scope, window, context, request.filter);
  if (request.baseline.empty()) {
    TL_TRY(reader.ReadBack());
  } else {
    TL_TRY(reader.ReadWith(request.baseline));
  }
  return reader.Finish();
}

Result<CpuPoints> ReadCpu(const Request& http, std::span<const TimeSpan> windows,
                          const Context& context) {
  CpuPoints cpu;
  for (const TimeSpan& time : windows) {
    GaugeQuery query;
    query.time = {time.start_unix_ns - std::min(time.start_unix_ns, CpuPoints::kLongestStepNs),
                  time.end_unix_ns + CpuPoints::kLongestStepNs};
    query.limit = kGaugePage;
    do {
      TL_TRY_ASSIGN(const RecordPage page, context.store.FindGauges(http.scope, query));
      cpu.Add(page.records);
      query.cursor = page.cursor;
    } while (!query.cursor.empty() && !cpu.full() && !http.scope.Expired());
  }
  return cpu;
}

}  // namespace throughline::api::links
