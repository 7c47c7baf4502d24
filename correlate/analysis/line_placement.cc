#include "correlate/analysis/line_placement.h"

#include <algorithm>
#include <numeric>
#include <queue>
#include <tuple>

namespace throughline {
namespace {

// The innermost comes to the top of a heap: the deepest, then the last to start, then the last in
// order.
struct OpenSpan {
  std::uint32_t depth = 0;
  std::uint64_t start_unix_ns = 0;
  std::uint32_t place = 0;
  std::uint64_t end_unix_ns = 0;

  bool operator<(const OpenSpan& other) const {
    return std::tie(depth, start_unix_ns, place) <
           std::tie(other.depth, other.start_unix_ns, other.place);
  }
};

// A line that looks for its span.
struct Homeless {
  PlacedLine* line = nullptr;
  // As sent: a clock that is years off is as far off for the spans of its service.
  std::uint64_t time_unix_ns = 0;
};

std::uint64_t TimeAsSent(const LogLine& line) {
  if (line.time_unix_ns != 0) return line.time_unix_ns;
  return line.observed_unix_ns != 0 ? line.observed_unix_ns : line.arrival_unix_ns;
}

void StateService(const Batch& spans, const TraceTree& tree, const LogLine& line,
                  PlacedLine& placed) {
  placed.service = line.service;
  if (!line.service.empty() || tree.root == kNoIndex) return;
  const auto named = tree.HalvesOf(line.span_id);
  const std::uint32_t place =
      line.span_id.IsValid() && !named.empty() ? named.front().place : tree.root;
  placed.service = spans.ServiceOf(tree.At(spans, place));
  placed.service_inferred = !placed.service.empty();
}

// `lines` are of one service, `places` its spans; both in order of time as sent.
void Sweep(const Batch& spans, const TraceTree& tree, std::span<const std::uint32_t> places,
           std::span<const Homeless> lines) {
  std::priority_queue<OpenSpan> open;
  std::size_t next = 0;
  for (const Homeless& homeless : lines) {
    const std::uint64_t now = homeless.time_unix_ns;
    for (; next < places.size(); ++next) {
      const Span& span = tree.At(spans, places[next]);
      if (span.start_unix_ns > now) break;
      open.push({tree.depth[places[next]], span.start_unix_ns, places[next], span.end_unix_ns});
    }
    // Time only grows: what is over is over for the lines to come.
    while (!open.empty() && open.top().end_unix_ns < now) open.pop();
    if (open.empty()) continue;
    homeless.line->span_id = tree.At(spans, open.top().place).span_id;
    homeless.line->span_inferred = true;
  }
}

// All places, by (service, start as sent).
std::vector<std::uint32_t> PlacesByService(const Batch& spans, const TraceTree& tree) {
  std::vector<std::uint32_t> places(tree.order.size());
  std::iota(places.begin(), places.end(), 0U);
  std::sort(places.begin(), places.end(), [&](std::uint32_t a, std::uint32_t b) {
    const Span& x = tree.At(spans, a);
    const Span& y = tree.At(spans, b);
    return std::tuple(spans.ServiceOf(x), x.start_unix_ns, a) <
           std::tuple(spans.ServiceOf(y), y.start_unix_ns, b);
  });
  return places;
}

void InferSpans(const Batch& spans, const TraceTree& tree, const Batch& lines,
                std::vector<PlacedLine>& placed) {
  std::vector<Homeless> homeless;
  for (PlacedLine& line : placed) {
    if (line.span_id.IsValid() || line.service.empty()) continue;
    homeless.push_back({&line, TimeAsSent(lines.logs[line.index])});
  }
  if (homeless.empty() || tree.order.empty()) return;
  std::sort(homeless.begin(), homeless.end(), [](const Homeless& a, const Homeless& b) {
    return std::tie(a.line->service, a.time_unix_ns) < std::tie(b.line->service, b.time_unix_ns);
  });
  const std::vector<std::uint32_t> places = PlacesByService(spans, tree);
  const auto service_of = [&](std::uint32_t place) {
    return spans.ServiceOf(tree.At(spans, place));
  };
  for (auto line = homeless.begin(); line != homeless.end();) {
    const std::string_view service = line->line->service;
    const auto lines_end = std::find_if(line, homeless.end(), [&](const Homeless& other) {
      return other.line->service != service;
    });
    const auto first = std::lower_bound(
        places.begin(), places.end(), service,
        [&](std::uint32_t place, std::string_view name) { return service_of(place) < name; });
    const auto last = std::upper_bound(
        first, places.end(), service,
        [&](std::string_view name, std::uint32_t place) { return name < service_of(place); });
    Sweep(spans, tree, {first, last}, {line, lines_end});
    line = lines_end;
  }
}

}  // namespace

std::vector<PlacedLine> PlaceLines(const Batch& spans, const TraceTree& tree, const Batch& lines,
                                   std::span<const std::uint32_t> indices) {
  std::vector<PlacedLine> placed;
  placed.reserve(indices.size());
  for (const std::uint32_t index : indices) {
    const LogLine& line = lines.logs[index];
    PlacedLine& result = placed.emplace_back();
    result.index = index;
    result.time = EffectiveTimeOf(line.time_unix_ns, line.observed_unix_ns, line.arrival_unix_ns);
    result.span_id = line.span_id;
    StateService(spans, tree, line, result);
  }
  std::sort(placed.begin(), placed.end(), [&](const PlacedLine& a, const PlacedLine& b) {
    return std::tie(a.time.unix_ns, a.span_id, lines.logs[a.index].identity) <
           std::tie(b.time.unix_ns, b.span_id, lines.logs[b.index].identity);
  });
  InferSpans(spans, tree, lines, placed);
  return placed;
}

}  // namespace throughline
