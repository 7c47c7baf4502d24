#include "store/segment/gauge_writer.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "correlate/batch.h"
#include "store/segment/columns.h"
#include "store/segment/gauge_part.h"
#include "store/segment/segment_schema.h"
#include "store/sqlite/gauge_record.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::segment {
namespace {

using sqlite::Memtable;

// The string of a series (store/sqlite/format.md) with the segment's strings for the memtable's.
std::string Translated(std::string_view series, const DictionaryWriter& strings) {
  std::string out;
  Cursor cursor(series);
  const auto string = [&] {
    const std::uint32_t id = strings.StringOf(cursor.StringId());
    AppendVarint(id == sqlite::kNotInterned ? 0 : id + 1ULL, out);
  };
  out += cursor.Take(8);  // The hash.
  const auto flags = static_cast<unsigned char>(cursor.Fixed<char>());
  out += static_cast<char>(flags);
  string();
  string();
  if (!(flags & sqlite::kNoResource)) {
    string();
    string();
  }
  std::uint64_t left = cursor.Varint();
  AppendVarint(left, out);
  for (; left > 0 && !cursor.done(); --left) {
    const std::uint32_t hot = cursor.StringId();
    if (hot == sqlite::kNotInterned) {
      const std::string_view bytes = cursor.Bytes();
      out += '\0';
      AppendVarint(bytes.size(), out);
      out += bytes;
    } else {
      AppendVarint(strings.StringOf(hot) + 1ULL, out);
    }
  }
  if (flags & sqlite::kSeriesOwnService) string();
  return out;
}

}  // namespace

Result<void> WriteGauges(const Memtable::Snapshot& snapshot, const DictionaryWriter& strings,
                         sqlite::Database& db, SegmentInfo& info) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<GaugeEntry>> by_series;
  for (const sqlite::Block& block : snapshot.blocks()) {
    if (block.gauges == 0) continue;
    const sqlite::GaugeRecordView record(snapshot.At(block.gauge_record).data());
    record.EachPoint([&](const sqlite::StoredGauge& point, const char*) {
      by_series[{block.tenant, point.series}].push_back(
          {point.time_unix_ns, block.arrival_unix_ns, point.value});
      return true;
    });
  }
  if (by_series.empty()) return {};
  TL_TRY_ASSIGN(auto series, db.Prepare("INSERT INTO series (id, tenant, metric, service, data)"
                                        " VALUES (?, ?, ?, ?, ?)"));
  TL_TRY_ASSIGN(auto part, db.Prepare("INSERT INTO gauge (series, part, first_ns, last_ns, data)"
                                      " VALUES (?, ?, ?, ?, ?)"));
  const sqlite::Dictionary& dictionary = snapshot.dictionary();
  const auto text = [&](std::uint32_t id) {
    return id == sqlite::kNotInterned ? std::string_view() : dictionary.At(id);
  };
  FrameWriter frame;
  std::int64_t id = 0;
  for (auto& [key, points] : by_series) {
    const auto& [tenant, hot] = key;
    const sqlite::GaugeSeries known = sqlite::SeriesOf(hot, dictionary);
    const std::string data = Translated(dictionary.At(hot), strings);
    TL_TRY(series.Run(++id, std::int64_t{tenant}, text(known.metric), text(known.service),
                      sqlite::Blob{data}));
    std::sort(points.begin(), points.end(), [](const GaugeEntry& a, const GaugeEntry& b) {
      return a.EffectiveUnixNs() < b.EffectiveUnixNs();
    });
    for (std::size_t begin = 0; begin < points.size(); begin += kGaugePartPoints) {
      const std::size_t count = std::min(kGaugePartPoints, points.size() - begin);
      const GaugeEntry& first = points[begin];
      const GaugeEntry& last = points[begin + count - 1];
      std::string bytes;
      PutGaugePart(&first, count, frame, bytes);
      TL_TRY(part.Run(id, static_cast<std::int64_t>(begin / kGaugePartPoints),
                      static_cast<std::int64_t>(first.EffectiveUnixNs()),
                      static_cast<std::int64_t>(last.EffectiveUnixNs()), sqlite::Blob{bytes}));
    }
    info.gauges += points.size();
    for (const GaugeEntry& point : points) {
      const std::uint64_t time = point.EffectiveUnixNs();
      info.time.start_unix_ns = std::min(info.time.start_unix_ns, time);
      info.time.end_unix_ns = std::max(info.time.end_unix_ns, time);
      info.first_arrival_unix_ns = std::min(info.first_arrival_unix_ns, point.arrival_unix_ns);
      info.last_arrival_unix_ns = std::max(info.last_arrival_unix_ns, point.arrival_unix_ns);
    }
  }
  return {};
}

}  // namespace throughline::store::segment
