#include "store/sqlite/walk_parts.h"

#include "correlate/record_time.h"
#include "store/sqlite/gauge_record.h"

namespace throughline::store::sqlite {
namespace {

void KeepRange(TimeRange range, Batch& batch) {
  const auto outside = [range](const auto& record) { return !range.Contains(TimeOf(record)); };
  std::erase_if(batch.spans, outside);
  std::erase_if(batch.logs, outside);
  std::erase_if(batch.exemplars, outside);
  std::erase_if(batch.gauges, outside);
}

// The first step of a part that is still to do.
std::uint64_t FirstOf(std::uint64_t source, const WalkQuery& query) {
  return query.after.source == source ? query.after.at : 0;
}

void ReadGauges(const Memtable::Snapshot& snapshot, const Block& request, Batch& to) {
  GaugeReader reader(snapshot.dictionary(), snapshot.seed(), to);
  const GaugeRecordView record(snapshot.At(request.gauge_record).data());
  record.EachPoint([&](const StoredGauge& point, const char*) {
    reader.Read(point, request.arrival_unix_ns);
    return true;
  });
}

}  // namespace

Result<bool> WalkSegment(const segment::Segment& segment, std::uint64_t source,
                         std::uint32_t tenant, const WalkQuery& query, const WalkVisit& visit) {
  // A step a block, then one a part of a series.
  const std::uint64_t first = FirstOf(source, query);
  const std::uint32_t blocks = segment.block_count();
  for (std::uint64_t at = first; at < blocks; ++at) {
    const auto block = static_cast<std::uint32_t>(at);
    Batch batch;
    if (query.spans) TL_TRY(segment.ReadBlock(block, RecordKind::kSpan, tenant, batch));
    if (query.logs) TL_TRY(segment.ReadBlock(block, RecordKind::kLine, tenant, batch));
    if (query.exemplars) TL_TRY(segment.ReadBlock(block, RecordKind::kExemplar, tenant, batch));
    KeepRange(query.time, batch);
    if (batch.record_count() > 0 && !visit(batch, {source, at + 1})) return false;
  }
  if (!query.gauges) return true;
  std::uint64_t at = blocks;
  bool goes_on = true;
  TL_TRY(segment.EachGauge(
      tenant, {}, [](std::string_view, std::string_view) { return true; },
      [&](Batch& points) {
        if (at++ < first) return true;
        KeepRange(query.time, points);
        goes_on = points.gauges.empty() || visit(points, {source, at});
        return goes_on;
      }));
  return goes_on;
}

bool WalkHot(const Memtable::Snapshot& snapshot, std::uint64_t source, std::uint32_t tenant,
             const WalkQuery& query, const WalkVisit& visit) {
  const auto requests = snapshot.blocks();
  for (std::uint64_t at = FirstOf(source, query); at < requests.size(); ++at) {
    const Block& request = requests[at];
    if (request.tenant != tenant) continue;
    Batch batch;
    RecordReader reader(snapshot.dictionary(), batch);
    for (std::uint32_t offset = request.begin; offset < request.end;) {
      const RecordView record = snapshot.At(offset);
      const bool wanted = (record.kind() == RecordKind::kSpan && query.spans) ||
                          (record.kind() == RecordKind::kLine && query.logs) ||
                          (record.kind() == RecordKind::kExemplar && query.exemplars);
      if (wanted) reader.Read(record, request.arrival_unix_ns);
      offset += record.size();
    }
    if (query.gauges && request.gauges > 0) ReadGauges(snapshot, request, batch);
    KeepRange(query.time, batch);
    if (batch.record_count() > 0 && !visit(batch, {source, at + 1})) return false;
  }
  return true;
}

}  // namespace throughline::store::sqlite
