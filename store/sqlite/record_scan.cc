#include "store/sqlite/record_scan.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "correlate/record_time.h"
#include "store/sqlite/hot_reader.h"

namespace throughline::store::sqlite {
namespace {

bool IsEverything(TimeRange range) {
  return range.start_unix_ns == 0 && range.end_unix_ns == UINT64_MAX;
}

TimeRange Both(TimeRange a, TimeRange b) {
  return {std::max(a.start_unix_ns, b.start_unix_ns), std::min(a.end_unix_ns, b.end_unix_ns)};
}

}  // namespace

TimeRange EffectiveRange(TimeRange sent, TimeRange arrivals) {
  const auto is_believed = [](std::uint64_t unix_ns, std::uint64_t arrival_unix_ns) {
    return unix_ns != 0 && !EffectiveTimeOf(unix_ns, 0, arrival_unix_ns).suspect;
  };
  // A time that is too old to be believed may be in it.
  if (sent.start_unix_ns <= arrivals.end_unix_ns &&
      !is_believed(sent.start_unix_ns, arrivals.end_unix_ns)) {
    return {};
  }
  const bool may_be_ahead = !is_believed(sent.end_unix_ns, arrivals.start_unix_ns);
  if (!may_be_ahead || sent.start_unix_ns > arrivals.end_unix_ns) return sent;
  return {std::min(sent.start_unix_ns, arrivals.start_unix_ns),
          std::max(sent.end_unix_ns, arrivals.end_unix_ns)};
}

RecordScan::RecordScan(View view, std::shared_ptr<const Scope> scope, ScanFilter filter)
    : view_(std::move(view)), scope_(std::move(scope)), filter_(std::move(filter)) {}

segment::SearchFilter RecordScan::SearchFilterFor(TimeRange arrivals) const {
  segment::SearchFilter search{.kind = filter_.kind, .tenant = view_.tenant, .time = filter_.time};
  if (!IsEverything(filter_.sent)) {
    search.time = Both(search.time, EffectiveRange(filter_.sent, arrivals));
  }
  search.most = std::numeric_limits<double>::infinity();
  switch (filter_.kind) {
    case RecordKind::kSpan:
      search.service = filter_.service;
      search.operation = filter_.name;
      search.status_code = filter_.status_code;
      search.least = static_cast<double>(filter_.min_duration_ns);
      search.has_bounds = filter_.min_duration_ns > 0 && filter_.sent.start_unix_ns > 0;
      break;
    case RecordKind::kLine:
      search.service = filter_.service;
      search.least = filter_.min_severity_number;
      search.has_bounds = filter_.min_severity_number > 0;
      break;
    default:
      if (!filter_.name) break;
      search.metric = [this](std::string_view name, std::string_view, MetricType) {
        return name == *filter_.name;
      };
  }
  return search;
}

bool RecordScan::BeginSegment(const segment::Segment& segment) {
  const segment::SegmentInfo& info = segment.info();
  if (info.CountOf(segment::KindBit(filter_.kind)) == 0) return false;
  const auto search = SearchFilterFor({info.first_arrival_unix_ns, info.last_arrival_unix_ns});
  if (info.time.start_unix_ns > search.time.end_unix_ns ||
      info.time.end_unix_ns < search.time.start_unix_ns) {
    return false;
  }
  const auto found = segment.Search(search);
  if (!found) {
    damaged_ = true;
    return false;
  }
  blocks_.clear();
  for (const auto& candidate : *found) blocks_.push_back(candidate.block);
  std::sort(blocks_.begin(), blocks_.end(), std::greater<>());
  return !blocks_.empty();
}

Result<bool> RecordScan::Next(Batch& to) {
  if (view_.tenant == 0) return false;
  const std::size_t before = to.record_count();
  while (source_ < view_.sealed.size()) {
    if (scope_->Expired()) return Error{Errc::kUnavailable, kStopped};
    const segment::Segment& segment = *view_.sealed[source_];
    in_segment_ = in_segment_ || BeginSegment(segment);
    if (!in_segment_ || blocks_.empty()) {
      in_segment_ = false;
      ++source_;
      continue;
    }
    const std::uint32_t block = blocks_.back();
    blocks_.pop_back();
    if (!segment.ReadBlock(block, filter_.kind, view_.tenant, to)) damaged_ = true;
    if (to.record_count() > before) return true;
  }
  for (; hot_ < view_.hot.size(); ++hot_, request_ = 0) {
    const Memtable::Snapshot& snapshot = view_.hot[hot_];
    const auto requests = snapshot.blocks();
    while (request_ < requests.size()) {
      const Block& request = requests[request_++];
      if (request.tenant != view_.tenant || request.count(filter_.kind) == 0) continue;
      if (scope_->Expired()) return Error{Errc::kUnavailable, kStopped};
      const auto search = SearchFilterFor({request.arrival_unix_ns, request.arrival_unix_ns});
      to.keep_alive = view_.keep_alive;
      HotReader(snapshot, search).Read(request, to);
      if (to.record_count() > before) return true;
    }
  }
  return false;
}

}  // namespace throughline::store::sqlite
