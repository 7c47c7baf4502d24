#include "store/sqlite/gauge_record.h"

#include "correlate/identity.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::sqlite {
namespace {

struct SeriesHead {
  std::uint64_t hash = 0;
  unsigned flags = 0;
  std::uint32_t metric = kNotInterned;
  std::uint32_t unit = kNotInterned;
};

SeriesHead ReadHead(Cursor& cursor) {
  SeriesHead head;
  head.hash = cursor.Fixed<std::uint64_t>();
  head.flags = cursor.Fixed<std::uint8_t>();
  head.metric = cursor.StringId();
  head.unit = cursor.StringId();
  return head;
}

}  // namespace

GaugeRecordWriter::GaugeRecordWriter(std::uint64_t earliest_unix_ns, std::uint64_t latest_unix_ns,
                                     char* to)
    : begin_(to), at_(to + kGaugeFixedBytes), earliest_unix_ns_(earliest_unix_ns) {
  std::memset(to, 0, kGaugeFixedBytes);
  to[8] = static_cast<char>(RecordKind::kGauges);
  Put(latest_unix_ns, Put(earliest_unix_ns, to + 16));
}

void GaugeRecordWriter::Add(const StoredGauge& point) {
  at_ = PutString(point.series, at_);
  at_ = PutVarint(point.time_unix_ns - earliest_unix_ns_, at_);
  at_ = Put(point.value, at_);
  ++count_;
}

std::size_t GaugeRecordWriter::Finish() {
  Put(count_, begin_ + 12);
  return FinishRecord(begin_, at_);
}

std::size_t SeriesBound(const GaugePoint& point, const Batch& batch) {
  constexpr std::size_t kNumbers = 80;  // The hash, a byte, six varints.
  std::size_t bytes = kNumbers;
  for (const Attribute& attribute : batch.Of(point.labels)) bytes += attribute.size + 20;
  return bytes;
}

GaugeSeries InternSeries(const GaugePoint& point, std::uint64_t seed, RecordWriter& writer) {
  std::string& bytes = writer.scratch();
  bytes.resize(SeriesBound(point, writer.batch()));
  const bool has_resource = point.resource != kNoIndex;
  const bool own_service =
      !point.service.empty() &&
      !(has_resource && writer.batch().resources[point.resource].service == point.service);
  GaugeSeries series;
  series.metric = writer.TextId(point.metric);
  char* at = Put(GaugeSeriesOf(point.identity, point.time_unix_ns, seed), bytes.data());
  at = Put(static_cast<std::uint8_t>((static_cast<unsigned>(point.metric_type) & 15U) |
                                     (has_resource ? 0U : kNoResource) |
                                     (own_service ? kSeriesOwnService : 0U)),
           at);
  at = PutString(series.metric, at);
  at = PutString(writer.TextId(point.unit), at);
  if (has_resource) {
    series.service = writer.ServiceId(point.resource);
    at = PutString(series.service, PutString(writer.ResourceId(point.resource), at));
  }
  at = writer.PutAttributes(point.labels, at);
  if (own_service) {
    series.service = writer.TextId(point.service);
    at = PutString(series.service, at);
  }
  series.id = writer.TextId({bytes.data(), static_cast<std::size_t>(at - bytes.data())});
  return series;
}

std::uint64_t SeriesHash(std::string_view series) { return Cursor(series).Fixed<std::uint64_t>(); }

GaugeSeries SeriesOf(std::uint32_t id, const Dictionary& dictionary) {
  Cursor cursor(dictionary.At(id));
  const SeriesHead head = ReadHead(cursor);
  GaugeSeries series{.id = id, .metric = head.metric};
  if (!(head.flags & kNoResource)) {
    cursor.Varint();  // The resource.
    series.service = cursor.StringId();
  }
  if (head.flags & kSeriesOwnService) {
    for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
      if (cursor.Varint() == 0) cursor.Bytes();  // A label that stands there itself.
    }
    series.service = cursor.StringId();
  }
  return series;
}

GaugePoint GaugeReader::SeriesAsPoint(std::uint32_t id) {
  Cursor cursor(dictionary_.At(id));
  const SeriesHead head = ReadHead(cursor);
  const auto text = [this](std::uint32_t string) {
    return string == kNotInterned ? std::string_view() : dictionary_.At(string);
  };
  GaugePoint point;
  point.metric_type = static_cast<MetricType>(head.flags & 15U);
  point.metric = text(head.metric);
  point.unit = text(head.unit);
  if (!(head.flags & kNoResource)) {
    point.resource = records_.ResourceIndex(cursor);
    point.service = batch_.resources[point.resource].service;
  }
  point.labels = records_.Attributes(cursor);
  if (head.flags & kSeriesOwnService) point.service = text(cursor.StringId());
  return point;
}

void GaugeReader::Read(const StoredGauge& stored, std::uint64_t arrival_unix_ns) {
  const auto [known, is_new] = series_.try_emplace(stored.series);
  if (is_new) {
    known->second.hash = SeriesHash(dictionary_.At(stored.series));
    known->second.point = SeriesAsPoint(stored.series);
  }
  GaugePoint point = known->second.point;
  point.time_unix_ns = stored.time_unix_ns;
  point.value = stored.value;
  point.identity = GaugeIdentityOf(known->second.hash, stored.time_unix_ns, seed_);
  point.arrival_unix_ns = arrival_unix_ns;
  batch_.gauges.push_back(point);
}

}  // namespace throughline::store::sqlite
