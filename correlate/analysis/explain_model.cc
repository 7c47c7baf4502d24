#include "correlate/analysis/explain_model.h"

#include <algorithm>

#include "correlate/analysis/explain_statistics.h"

namespace throughline {
namespace {

constexpr double kSpreads = 3;  // Above the median: slow.

// The self times of all items in the windows: those of item i stand from begin[i] to begin[i + 1],
// window by window.
struct ItemTimes {
  std::vector<std::uint32_t> begin;
  std::vector<float> ms;
  std::vector<std::uint32_t> window;
};

ItemTimes Gather(const RecordedTraces& traces, std::span<const TraceWindow> windows) {
  ItemTimes times;
  times.begin.assign(traces.items.size() + 1, 0);
  const auto each = [&](auto visit) {
    for (std::uint32_t w = 0; w < windows.size(); ++w) {
      for (std::uint32_t t = windows[w].first; t < windows[w].last; ++t) {
        const Range range = traces.traces[t].spans;
        for (std::uint32_t i = range.begin; i < range.begin + range.count; ++i) {
          visit(traces.spans[i], w);
        }
      }
    }
  };
  each([&](const SpanRecord& span, std::uint32_t) { ++times.begin[span.item + 1]; });
  for (std::size_t i = 1; i < times.begin.size(); ++i) times.begin[i] += times.begin[i - 1];
  times.ms.resize(times.begin.back());
  times.window.resize(times.begin.back());
  std::vector<std::uint32_t> next(times.begin.begin(), times.begin.end() - 1);
  each([&](const SpanRecord& span, std::uint32_t w) {
    const std::uint32_t at = next[span.item]++;
    times.ms[at] = span.self_ms();
    times.window[at] = w;
  });
  return times;
}

double SpreadOf(std::span<const float> sorted, double median) {
  return std::max({kLeastSpreadMs, 0.2 * median, Quantile(sorted, 0.9) - median});
}

double SlowShare(std::span<const float> sorted, double threshold) {
  const auto slow = std::upper_bound(sorted.begin(), sorted.end(), threshold,
                                     [](double limit, float ms) { return limit < ms; });
  return static_cast<double>(sorted.end() - slow) / static_cast<double>(sorted.size());
}

ItemModel ModelOf(std::span<float> ms, std::span<const std::uint32_t> window) {
  ItemModel model;
  model.count = static_cast<double>(ms.size());
  if (ms.empty()) return model;
  std::vector<std::span<float>> parts;  // Of one window each.
  for (std::size_t i = 0; i < ms.size();) {
    std::size_t end = i;
    while (end < ms.size() && window[end] == window[i]) ++end;
    parts.push_back(ms.subspan(i, end - i));
    i = end;
  }
  if (parts.size() < kVotingWindows) parts = {ms};
  std::vector<double> medians;
  std::vector<double> spreads;
  for (const std::span<float> part : parts) {
    std::sort(part.begin(), part.end());
    medians.push_back(Quantile<float>(part, 0.5));
    spreads.push_back(SpreadOf(part, medians.back()));
  }
  model.median_ms = Median(medians);
  const double spread = std::max({kLeastSpreadMs, 0.2 * model.median_ms, Median(spreads)});
  model.threshold_ms = model.median_ms + kSpreads * spread;
  std::vector<double> shares;
  for (const std::span<float> part : parts) shares.push_back(SlowShare(part, model.threshold_ms));
  model.slow = model.count * Median(shares);
  return model;
}

void CountStructure(const RecordedTraces& traces, std::span<const TraceWindow> windows,
                    BaselineModel& model) {
  std::vector<std::uint32_t> all(traces.classes.size(), 0);
  std::vector<std::uint32_t> clean(traces.classes.size(), 0);
  for (const TraceWindow& window : windows) {
    for (std::uint32_t t = window.first; t < window.last; ++t) {
      ++all[traces.traces[t].trace_class];
      if (!traces.traces[t].has_error) ++clean[traces.traces[t].trace_class];
    }
  }
  model.cell_spans.assign(traces.cells.size(), 0);
  model.pair_spans.assign(traces.pairs.size(), 0);
  for (const TraceWindow& window : windows) {
    for (std::uint32_t t = window.first; t < window.last; ++t) {
      const TraceRecord& trace = traces.traces[t];
      const bool enough_clean = clean[trace.trace_class] >= kCleanShare * all[trace.trace_class];
      if (trace.has_error && enough_clean) continue;
      for (std::uint32_t i = trace.spans.begin; i < trace.spans.begin + trace.spans.count; ++i) {
        const SpanRecord& span = traces.spans[i];
        ++model.cell_spans[span.cell];
        for (std::uint32_t p = span.pairs.begin; p < span.pairs.begin + span.pairs.count; ++p) {
          ++model.pair_spans[traces.pairs_of[p]];
        }
      }
    }
  }
}

void CountTrouble(const RecordedTraces& traces, std::span<const TraceWindow> windows,
                  BaselineModel& model) {
  model.trouble_traces.assign(traces.features.size(), 0);
  std::vector<std::uint32_t> last(traces.features.size(), kNoIndex);
  for (const TraceWindow& window : windows) {
    for (std::uint32_t t = window.first; t < window.last; ++t) {
      EachTrouble(traces, t, [&](std::uint32_t feature) {
        if (last[feature] != t) ++model.trouble_traces[feature];
        last[feature] = t;
      });
    }
  }
}

void CountDurations(const RecordedTraces& traces, std::span<const TraceWindow> windows,
                    BaselineModel& model) {
  std::vector<std::vector<double>> durations(traces.classes.size());
  std::vector<double> all;
  for (const TraceWindow& window : windows) {
    model.traces += window.size();
    for (std::uint32_t t = window.first; t < window.last; ++t) {
      const TraceRecord& trace = traces.traces[t];
      durations[trace.trace_class].push_back(trace.duration_ms);
      all.push_back(trace.duration_ms);
    }
  }
  for (auto& of_class : durations) {
    model.class_ms.push_back(of_class.empty() ? -1 : Median(of_class));
  }
  if (!all.empty()) model.duration_ms = Median(all);
}

}  // namespace

TraceWindow WindowOf(const RecordedTraces& traces, std::uint64_t start_unix_ns,
                     std::uint64_t end_unix_ns) {
  const auto place = [&](std::uint64_t time) {
    const auto at = std::lower_bound(
        traces.traces.begin(), traces.traces.end(), time,
        [](const TraceRecord& trace, std::uint64_t t) { return trace.start_unix_ns < t; });
    return static_cast<std::uint32_t>(at - traces.traces.begin());
  };
  const std::uint32_t first = place(start_unix_ns);
  return {first, std::max(first, place(end_unix_ns))};
}

BaselineModel BuildBaseline(const RecordedTraces& traces, std::span<const TraceWindow> windows) {
  BaselineModel model;
  model.windows = static_cast<std::uint32_t>(windows.size());
  ItemTimes times = Gather(traces, windows);
  model.items.reserve(traces.items.size());
  for (std::size_t item = 0; item < traces.items.size(); ++item) {
    const std::size_t begin = times.begin[item];
    const std::size_t count = times.begin[item + 1] - begin;
    model.items.push_back(ModelOf(std::span(times.ms).subspan(begin, count),
                                  std::span(times.window).subspan(begin, count)));
  }
  CountDurations(traces, windows, model);
  CountStructure(traces, windows, model);
  CountTrouble(traces, windows, model);
  model.service_lines.assign(traces.names.size(), 0);
  for (const auto& lines : traces.service_lines) {
    const bool here = std::any_of(windows.begin(), windows.end(), [&](const TraceWindow& window) {
      return lines.trace >= window.first && lines.trace < window.last;
    });
    if (here) model.service_lines[lines.service] += lines.lines;
  }
  return model;
}

}  // namespace throughline
