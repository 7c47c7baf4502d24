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
  Reader(const Scope& scope, const TimeSpan& window, const Context& context)
      : scope_(scope), window_(window), context_(context), recorder_(context.store.hash_seed()) {}

  // All of [start, end), once: what was read before is not read again.
  Result<void> Read(TimeSpan time, bool padded) {
    const std::uint64_t pad = padded ? kTraceSlackNs : 0;
    const std::uint64_t start = time.start_unix_ns - std::min(pad, time.start_unix_ns);
    const std::uint64_t end = time.end_unix_ns + pad;
    const VisitQuery query{.time = {start, end - 1}};
    const auto visited = context_.store.Visit(scope_, query, [&](const Batch& batch) {
      recorder_.Add(batch);
      CountRoots(batch, query.time);
      return !recorder_.full();
    });
    if (!visited) return visited.error();
    if (!visited->complete) Cut(visited->incomplete_reason);
    return {};
  }

  // Back from the window until there are candidates enough for a baseline.
  Result<void> ReadBack() {
    const std::uint64_t length = window_.length_ns();
    const std::uint64_t start = window_.start_unix_ns;
    // The two windows before are no candidates, but traces of theirs may have begun in one that is.
    std::uint64_t end = start - std::min(start, kTraceSlackNs);
    std::uint64_t step = kFirstStep;
    const std::uint64_t earliest = start - std::min(start, kLookbackNs);
    while (end > earliest && !Enough(kMostCandidates)) {
      const std::uint64_t begin = std::max(earliest, end - std::min(end, step * length));
      TL_TRY(Read({begin, end}, false));
      end = begin;
      step = std::min(2 * step, kLongestStep);
    }
    lookback_ns_ = start - end;
    for (std::uint64_t day = 1; day <= kEarlierDays && !Enough(kBaselineWindows); ++day) {
      if (start < day * kDayNs + kLookbackNs) break;
      const std::uint64_t then = start - day * kDayNs;
      TL_TRY(Read({then - kLookbackNs / 12, then + length + kLookbackNs / 12}, false));
      lookback_ns_ = day * kDayNs + kLookbackNs / 12;
    }
    return {};
  }

  ReadForExplain Finish(const TraceFilter& filter) {
    ReadForExplain out{.traces = std::move(recorder_).Close(filter),
                       .lookback_ns = lookback_ns_,
                       .complete = complete_,
                       .incomplete_reason = std::move(incomplete_reason_)};
    if (out.complete && !out.traces.limits.empty()) {
      out.complete = false;
      out.incomplete_reason = "limit";
    }
    return out;
  }

 private:
  void Cut(const std::string& reason) {
    if (complete_) incomplete_reason_ = reason;
    complete_ = false;
  }

  void CountRoots(const Batch& batch, TimeRange range) {
    for (const Span& span : batch.spans) {
      const std::uint64_t time = span.start_unix_ns;
      if (span.parent_span_id.IsValid() || !range.Contains(time)) continue;
      if (time >= window_.start_unix_ns) continue;
      ++roots_[(window_.start_unix_ns - 1 - time) / window_.length_ns()];
    }
  }

  // Counted by all roots: with a filter there may be fewer, and the grid is widened.
  bool Enough(std::size_t wanted) {
    if (!complete_ || recorder_.span_count() >= kBaselineSpans) return true;
    return static_cast<std::size_t>(
               std::count_if(roots_.begin(), roots_.end(), [](const auto& cell) {
                 return cell.first >= kSkippedWindows && cell.second >= kCandidateTraces;
               })) >= wanted;
  }

  const Scope& scope_;
  const TimeSpan window_;
  const Context& context_;
  TraceRecorder recorder_;
  std::unordered_map<std::uint64_t, std::uint32_t> roots_;  // By window back from the spike.
  std::uint64_t lookback_ns_ = 0;
  bool complete_ = true;
  std::string incomplete_reason_;
};

// Windows with their slack, those that touch as one.
std::vector<TimeSpan> Merged(std::vector<TimeSpan> windows) {
  for (TimeSpan& window : windows) {
    window.start_unix_ns -= std::min(window.start_unix_ns, kTraceSlackNs);
    window.end_unix_ns += kTraceSlackNs;
  }
  std::sort(windows.begin(), windows.end(),
            [](const TimeSpan& a, const TimeSpan& b) { return a.start_unix_ns < b.start_unix_ns; });
  std::vector<TimeSpan> merged;
  for (const TimeSpan& window : windows) {
    if (merged.empty() || merged.back().end_unix_ns < window.start_unix_ns) {
      merged.push_back(window);
    } else {
      merged.back().end_unix_ns = std::max(merged.back().end_unix_ns, window.end_unix_ns);
    }
  }
  return merged;
}

}  // namespace

Result<ReadForExplain> ReadRecords(const Request& http, const ExplainRequest& request,
                                   const TimeSpan& window, const Context& context) {
  Reader reader(http.scope, window, context);
  if (request.baseline.empty()) {
    TL_TRY(reader.Read(window, true));
    TL_TRY(reader.ReadBack());
  } else {
    std::vector<TimeSpan> windows = request.baseline;
    windows.push_back(window);
    for (const TimeSpan& time : Merged(std::move(windows))) TL_TRY(reader.Read(time, false));
  }
  return reader.Finish(request.filter);
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
