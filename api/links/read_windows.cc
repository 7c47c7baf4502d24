#include "api/links/read_windows.h"

#include <algorithm>
#include <utility>

namespace throughline::api::links {
namespace {

// Windows with their slack, those that touch as one.
std::vector<TimeSpan> Merged(std::vector<TimeSpan> windows) {
  for (TimeSpan& window : windows) window = WithSlack(window);
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

TimeSpan WithSlack(TimeSpan window, std::uint64_t slack_ns) {
  window.start_unix_ns -= std::min(window.start_unix_ns, slack_ns);
  window.end_unix_ns += std::min(UINT64_MAX - window.end_unix_ns, slack_ns);
  return window;
}

Result<void> WindowReader::Read(const TimeSpan& window,
                                const std::function<void(const Batch&)>& look) {
  const VisitQuery query{.time = {window.start_unix_ns, window.end_unix_ns - 1}, .logs = lines_};
  const auto visited = context_.store.Visit(scope_, query, [&](const Batch& batch) {
    recorder_.Add(batch);
    look(batch);
    return !recorder_.full();
  });
  if (!visited) return visited.error();
  if (!visited->complete) {
    if (complete_) incomplete_reason_ = visited->incomplete_reason;
    complete_ = false;
  }
  return {};
}

Result<void> WindowReader::ReadAll(std::vector<TimeSpan> windows) {
  for (const TimeSpan& window : Merged(std::move(windows))) TL_TRY(Read(window));
  return {};
}

ReadTraces WindowReader::Finish() {
  ReadTraces out{.traces = std::move(recorder_).Close(),
                 .complete = complete_,
                 .incomplete_reason = std::move(incomplete_reason_)};
  if (out.complete && !out.traces.limits.empty()) {
    out.complete = false;
    out.incomplete_reason = "limit";
  }
  return out;
}

}  // namespace throughline::api::links
