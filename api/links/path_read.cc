#include "api/links/path_read.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/links/path_minutes.h"

namespace throughline::api::links {
namespace {

constexpr std::uint64_t kMinuteNs = 60'000'000'000;
constexpr std::size_t kMinutesAtOnce = 60;  // Read in one walk, and so in memory apart.

// Names the traces that are added up.
std::string NameOf(const Scope& scope, const TraceFilter& filter) {
  std::string name = scope.tenant;
  for (const auto& part : {filter.service, filter.operation}) {
    name += '\0';
    if (part) name.append(1, '=').append(*part);
  }
  return name;
}

Result<ReadPaths> ReadWhole(const Request& request, const Context& context, const TimeSpan& window,
                            const TraceFilter& filter) {
  ReadPaths read;
  const auto add = [&read](const RecordedTraces& traces, TraceWindow part) {
    read.totals.Add(traces, part);
  };
  TL_TRY_ASSIGN(read.walked, WalkRecords(request, context, window, filter, add));
  return read;
}

// From its start to its end, minute by minute: kept ones are merged, the others read in runs.
class MinuteReader {
 public:
  MinuteReader(const Request& request, const Context& context, const TimeSpan& window,
               const TraceFilter& filter)
      : request_(request),
        context_(context),
        window_(window),
        filter_(filter),
        name_(NameOf(request.scope, filter)) {}

  Result<ReadPaths> Read() {
    TimeSpan piece = window_;
    for (; piece.start_unix_ns < window_.end_unix_ns; piece.start_unix_ns = piece.end_unix_ns) {
      const std::uint64_t minute = piece.start_unix_ns / kMinuteNs;
      piece.end_unix_ns = std::min(window_.end_unix_ns, (minute + 1) * kMinuteNs);
      const std::uint64_t revision = RevisionOf(minute);
      std::optional<PathMinutes::Totals> kept;
      const bool whole = piece.length_ns() == kMinuteNs;
      if (whole) kept = context_.path_minutes->Find({name_, minute}, revision);
      if (kept && *kept == nullptr) return ReadWhole(request_, context_, window_, filter_);
      if (!kept) {
        if (run_.length_ns() == 0) run_.start_unix_ns = piece.start_unix_ns;
        run_.end_unix_ns = piece.end_unix_ns;
        minutes_[minute] = {.revision = revision, .whole = whole, .has_long = false, .totals = {}};
      }
      if (kept || minutes_.size() == kMinutesAtOnce) TL_TRY(ReadRun());
      if (kept) out_.totals.Merge(**kept);
      if (cut_short_ || !out_.walked.complete) break;
    }
    TL_TRY(ReadRun());
    if (cut_short_) return ReadWhole(request_, context_, window_, filter_);
    return std::move(out_);
  }

 private:
  struct Minute {
    std::uint64_t revision = 0;
    bool whole = false;
    bool has_long = false;  // A trace that goes on where nobody looked.
    PathTotals totals;
  };

  // Of all that traces that start in the minute may consist of.
  std::uint64_t RevisionOf(std::uint64_t minute) const {
    const TimeSpan read = WithSlack({minute * kMinuteNs, (minute + 1) * kMinuteNs});
    return context_.store.Revision({read.start_unix_ns, read.end_unix_ns - 1});
  }

  Result<void> ReadRun() {
    if (run_.length_ns() == 0) return {};
    const auto add = [this](const RecordedTraces& traces, TraceWindow part) { Add(traces, part); };
    TL_TRY_ASSIGN(out_.walked, WalkRecords(request_, context_, run_, filter_, add));
    for (auto& [minute, read] : minutes_) {
      out_.totals.Merge(read.totals);
      cut_short_ = cut_short_ || (read.has_long && run_ != window_);
      if (!read.whole || !out_.walked.complete) continue;
      PathMinutes::Totals totals;
      if (!read.has_long) totals = std::make_shared<const PathTotals>(std::move(read.totals));
      context_.path_minutes->Keep({name_, minute}, read.revision, std::move(totals));
    }
    minutes_.clear();
    run_ = {};
    return {};
  }

  void Add(const RecordedTraces& traces, TraceWindow part) {
    while (part.size() > 0) {
      const std::uint64_t minute = traces.traces[part.first].start_unix_ns / kMinuteNs;
      const std::uint64_t end_unix_ns = (minute + 1) * kMinuteNs;
      const std::uint32_t end = std::min(part.last, WindowOf(traces, 0, end_unix_ns).last);
      Minute& read = minutes_.at(minute);
      read.totals.Add(traces, {part.first, end});
      for (std::uint32_t t = part.first; t < end; ++t) {
        const TraceRecord& trace = traces.traces[t];
        const std::uint64_t left_ns = end_unix_ns + kTraceSlackNs - trace.start_unix_ns;
        read.has_long = read.has_long || traces.spans[trace.root].duration_ns > left_ns;
      }
      part.first = end;
    }
  }

  const Request& request_;
  const Context& context_;
  const TimeSpan& window_;
  const TraceFilter& filter_;
  const std::string name_;
  ReadPaths out_;
  bool cut_short_ = false;                   // A long trace was read without its end.
  TimeSpan run_;                             // Not kept, and not read yet.
  std::map<std::uint64_t, Minute> minutes_;  // Of run_.
};

}  // namespace

Result<ReadPaths> ReadPathTotals(const Request& request, const Context& context,
                                 const TimeSpan& window, const TraceFilter& filter) {
  const bool minutes =
      context.path_minutes != nullptr && window.length_ns() <= kMostKeptMinutes * kMinuteNs;
  return minutes ? MinuteReader(request, context, window, filter).Read()
                 : ReadWhole(request, context, window, filter);
}

}  // namespace throughline::api::links
