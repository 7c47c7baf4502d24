#include "store/segment/gauge_part.h"

#include <cstring>

#include "store/segment/segment_schema.h"

namespace throughline::store::segment {
namespace {

enum : std::uint32_t { kTimes, kArrivals, kValues };  // Columns.

constexpr int kLevel = 1;

}  // namespace

void PutGaugePart(const GaugeEntry* points, std::size_t count, FrameWriter& frame,
                  std::string& out) {
  TimeColumn times;
  TimeColumn arrivals;
  std::string values;
  GaugeEntry last;
  for (std::size_t i = 0; i < count; ++i) {
    times.Add(points[i].time_unix_ns - last.time_unix_ns);
    arrivals.Add(points[i].arrival_unix_ns - last.arrival_unix_ns);
    char value[sizeof points[i].value];
    std::memcpy(value, &points[i].value, sizeof value);
    values.append(value, sizeof value);
    last = points[i];
  }
  AppendVarint(count, out);
  frame.Begin();
  frame.Add(kTimes, times.Take());
  frame.Add(kArrivals, arrivals.Take());
  frame.Add(kValues, values);
  frame.Put(kLevel, out);
}

Result<std::vector<GaugeEntry>> ReadGaugePart(std::string_view part) {
  Cursor cursor(part);
  const std::uint64_t count = cursor.Varint();
  if (count > kGaugePartPoints) return Error{Errc::kDataLoss, "a part of a series is damaged"};
  TL_TRY_ASSIGN(const Frame frame, Frame::Read(cursor));
  TimeReader times(frame.Column(kTimes));
  TimeReader arrivals(frame.Column(kArrivals));
  Cursor values(frame.Column(kValues));
  std::vector<GaugeEntry> points(count);
  GaugeEntry last;
  for (GaugeEntry& point : points) {
    last.time_unix_ns += times.Next();
    last.arrival_unix_ns += arrivals.Next();
    last.value = values.Fixed<double>();
    point = last;
  }
  return points;
}

}  // namespace throughline::store::segment
