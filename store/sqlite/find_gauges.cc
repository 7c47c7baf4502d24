// Gauge points by metric, service and time: the index says which series are meant, and the records
// of the tenant that reach into the range are walked once.
#include <vector>

#include "correlate/identity.h"
#include "store/cursor.h"
#include "store/match.h"
#include "store/sqlite/gauge_record.h"
#include "store/sqlite/search.h"

namespace throughline::store::sqlite {
namespace {

constexpr std::size_t kPointsPerDeadlineCheck = 4096;

// The series that a query means.
class WantedSeries {
 public:
  WantedSeries(const View& view, const GaugeMatch& match) {
    const Dictionary& dictionary = view.snapshot.dictionary();
    const auto text = [&](std::uint32_t id) {
      return id == kNotInterned ? std::string_view() : dictionary.At(id);
    };
    for (const GaugeIndex::Entry& entry : view.snapshot.gauge_series()) {
      const GaugeSeries& series = entry.series;
      if (entry.tenant != view.tenant) continue;
      if (!match.MatchesSeries(text(series.metric), text(series.service))) continue;
      if (series.id >= wanted_.size()) wanted_.resize(series.id + 1);
      wanted_[series.id] = true;
    }
  }
  bool empty() const { return wanted_.empty(); }
  bool Has(std::uint32_t series) const { return series < wanted_.size() && wanted_[series]; }

 private:
  std::vector<bool> wanted_;  // By the id of its string.
};

// False: no point of the record has its effective time in the range.
bool MayHold(GaugeRecordView record, std::uint64_t arrival_unix_ns, TimeRange time) {
  const auto earliest = EffectiveTimeOf(record.earliest_unix_ns(), 0, arrival_unix_ns);
  const auto latest = EffectiveTimeOf(record.latest_unix_ns(), 0, arrival_unix_ns);
  // Times that cannot be stand for the arrival, which says nothing of the others.
  if (earliest.suspect || latest.suspect || record.earliest_unix_ns() == 0) return true;
  return earliest.unix_ns <= time.end_unix_ns && latest.unix_ns >= time.start_unix_ns;
}

// Reads the points of a page, in its order.
void ReadPage(const View& view, const std::vector<Keyed>& items, RecordPage& page) {
  const Memtable::Snapshot& snapshot = view.snapshot;
  GaugeReader reader(snapshot.dictionary(), snapshot.seed(), page.records);
  for (const Keyed& item : items) {
    const Block& block = *snapshot.BlockOf(item.index);
    const GaugeRecordView record(snapshot.At(block.gauge_record).data());
    reader.Read(record.PointAt(snapshot.At(item.index).data()), block.arrival_unix_ns);
  }
}

}  // namespace

Result<RecordPage> FindGauges(const View& view, const GaugeQuery& query) {
  constexpr CursorKind kKind = CursorKind::kNewestGauges;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, GaugeMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kKind, query.cursor));
  RecordPage page;
  const WantedSeries wanted(view, match);
  if (wanted.empty()) return page;
  const Memtable::Snapshot& snapshot = view.snapshot;
  const char* const first = snapshot.At(0).data();
  PageItems items(kKind, after, query.limit);
  std::size_t looked = 0;
  bool cut = view.scope.Expired();
  const auto blocks = snapshot.blocks();
  for (auto block = blocks.rbegin(); block != blocks.rend() && !cut; ++block) {
    if (block->tenant != view.tenant || block->gauges == 0) continue;
    const GaugeRecordView record(snapshot.At(block->gauge_record).data());
    if (!MayHold(record, block->arrival_unix_ns, query.time)) continue;
    record.EachPoint([&](const StoredGauge& point, const char* place) {
      if (++looked % kPointsPerDeadlineCheck == 0) cut = view.scope.Expired();
      if (!wanted.Has(point.series)) return !cut;
      const auto time = EffectiveTimeOf(point.time_unix_ns, 0, block->arrival_unix_ns);
      if (!query.time.Contains(time.unix_ns)) return !cut;
      const std::uint64_t series = SeriesHash(snapshot.dictionary().At(point.series));
      items.Add({.key = {time.unix_ns, GaugeIdentityOf(series, point.time_unix_ns, snapshot.seed()),
                         0, 0},
                 .index = static_cast<std::uint32_t>(place - first)});
      return !cut;
    });
  }
  EndPage(kKind, after, query.limit, cut, items.items(), page);
  ReadPage(view, items.items(), page);
  return page;
}

}  // namespace throughline::store::sqlite
