// Gauge points by metric, service and time: the index of a hot part says which series are meant,
// and the records of the tenant that reach into the range are walked once; of segments the parts of
// the series that are meant.
#include <optional>
#include <vector>

#include "correlate/identity.h"
#include "store/copy.h"
#include "store/cursor.h"
#include "store/match.h"
#include "store/sqlite/found_trace.h"
#include "store/sqlite/gauge_record.h"
#include "store/sqlite/search.h"

namespace throughline::store::sqlite {
namespace {

constexpr std::size_t kPointsPerDeadlineCheck = 4096;

// The series that a query means.
class WantedSeries {
 public:
  WantedSeries(const View& view, const Memtable::Snapshot& snapshot, const GaugeMatch& match) {
    const Dictionary& dictionary = snapshot.dictionary();
    const auto text = [&](std::uint32_t id) {
      return id == kNotInterned ? std::string_view() : dictionary.At(id);
    };
    for (const GaugeIndex::Entry& entry : snapshot.gauge_series()) {
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

// The points of a page while it fills.
class GaugeItems {
 public:
  GaugeItems(CursorKind kind, const std::optional<SortKey>& after, std::size_t limit)
      : items_(kind, after, limit) {}

  PageItems& items() { return items_; }
  Batch& held() { return held_; }
  // The point that was put into held() last.
  void Added(const SortKey& key) {
    items_.Add({.key = key, .index = static_cast<std::uint32_t>(held_.gauges.size() - 1)});
  }
  void Read(RecordPage& page) {
    RecordCopier copier(held_, page.records);
    for (const Keyed& item : items_.items()) copier.Copy(held_.gauges[item.index]);
  }

 private:
  PageItems items_;
  Batch held_;
};

// False: the deadline cut it.
bool AddHot(const View& view, const Memtable::Snapshot& snapshot, const GaugeMatch& match,
            TimeRange range, GaugeItems& items) {
  const WantedSeries wanted(view, snapshot, match);
  if (wanted.empty()) return true;
  GaugeReader reader(snapshot.dictionary(), snapshot.seed(), items.held());
  std::size_t looked = 0;
  bool cut = view.scope.Expired();
  const auto blocks = snapshot.blocks();
  for (auto block = blocks.rbegin(); block != blocks.rend() && !cut; ++block) {
    if (block->tenant != view.tenant || block->gauges == 0) continue;
    const GaugeRecordView record(snapshot.At(block->gauge_record).data());
    if (!MayHold(record, block->arrival_unix_ns, range)) continue;
    record.EachPoint([&](const StoredGauge& point, const char*) {
      if (++looked % kPointsPerDeadlineCheck == 0) cut = view.scope.Expired();
      if (!wanted.Has(point.series)) return !cut;
      const auto time = EffectiveTimeOf(point.time_unix_ns, 0, block->arrival_unix_ns);
      if (!range.Contains(time.unix_ns)) return !cut;
      const std::uint64_t series = SeriesHash(snapshot.dictionary().At(point.series));
      const SortKey key = {time.unix_ns,
                           GaugeIdentityOf(series, point.time_unix_ns, snapshot.seed()), 0, 0};
      if (!items.items().Wants(key)) return !cut;
      reader.Read(point, block->arrival_unix_ns);
      items.Added(key);
      return !cut;
    });
  }
  return !cut;
}

}  // namespace

Result<RecordPage> FindGauges(const View& view, const GaugeQuery& query) {
  constexpr CursorKind kKind = CursorKind::kNewestGauges;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, GaugeMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kKind, query.cursor));
  RecordPage page;
  if (view.tenant == 0) return page;
  GaugeItems items(kKind, after, query.limit);
  bool cut = false;
  bool damaged = false;
  for (const Memtable::Snapshot& snapshot : view.hot) {
    cut = cut || !AddHot(view, snapshot, match, query.time, items);
  }
  const auto wanted = [&](std::string_view metric, std::string_view service) {
    return match.MatchesSeries(metric, service);
  };
  for (const auto& segment : view.sealed) {
    const TimeRange time = segment->info().time;
    if (time.start_unix_ns > query.time.end_unix_ns ||
        time.end_unix_ns < query.time.start_unix_ns) {
      continue;
    }
    if (cut) break;
    const auto read = segment->EachGauge(view.tenant, query.time, wanted, [&](const Batch& points) {
      RecordCopier copier(points, items.held());
      for (const GaugePoint& point : points.gauges) {
        if (!items.items().Wants(KeyOf(point))) continue;
        copier.Copy(point);
        items.Added(KeyOf(point));
      }
      cut = cut || view.scope.Expired();
      return !cut;
    });
    damaged = damaged || !read;
  }
  EndPage(kKind, after, query.limit, cut, items.items().items(), page);
  if (damaged && page.complete) {
    page.complete = false;
    page.incomplete_reason = kDamagedReason;
  }
  items.Read(page);
  return page;
}

}  // namespace throughline::store::sqlite
