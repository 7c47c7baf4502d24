#include "api/links/walk_records.h"

#include <algorithm>
#include <utility>

namespace throughline::api::links {
namespace {

constexpr std::uint64_t kShortestPartNs = 1'000'000'000;
constexpr std::uint64_t kShorter = 4;  // By how much a part is divided that has too much.
constexpr std::size_t kFewSpans = kSpansAtOnce / 8;  // Of a part after which longer ones will do.

}  // namespace

Result<WalkedRecords> WalkRecords(
    const Request& request, const Context& context, TimeSpan range, const TraceFilter& filter,
    const std::function<void(const RecordedTraces&, TraceWindow)>& visit) {
  WalkedRecords walked;
  // A part is as long, where there is so much left; and so much is read beside it.
  const std::uint64_t longest = std::max(range.length_ns(), kTraceSlackNs);
  std::uint64_t length = longest;
  TimeSpan part = range;
  while (part.start_unix_ns < range.end_unix_ns) {
    part.end_unix_ns =
        part.start_unix_ns + std::min(length, range.end_unix_ns - part.start_unix_ns);
    WindowReader reader(request.scope, context,
                        {.filters = {filter}, .limits = {.spans = kSpansAtOnce}, .lines = false});
    TL_TRY(reader.Read(WithSlack(part, std::min(kTraceSlackNs, length))));
    if (reader.full() && length > kShortestPartNs) {
      const std::uint64_t tried = std::min(length, std::max(part.length_ns(), kTraceSlackNs));
      length = std::max(kShortestPartNs, tried / kShorter);
      continue;
    }
    if (reader.span_count() < kFewSpans) length = std::min(2 * length, longest);
    ReadTraces read = reader.Finish();
    visit(read.traces, WindowOf(read.traces, part.start_unix_ns, part.end_unix_ns));
    if (!read.complete && walked.complete) {
      walked.complete = false;
      walked.incomplete_reason = std::move(read.incomplete_reason);
    }
    if (request.scope.Expired()) break;
    part.start_unix_ns = part.end_unix_ns;
  }
  return walked;
}

}  // namespace throughline::api::links
