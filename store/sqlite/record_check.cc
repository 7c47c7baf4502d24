#include "store/sqlite/record_check.h"

#include "correlate/attribute.h"
#include "store/sqlite/gauge_record.h"
#include "store/sqlite/record.h"
#include "store/sqlite/record_bytes.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::sqlite {
namespace {

// Walks a record as RecordReader does, and remembers what it cannot find.
class Walker {
 public:
  Walker(Cursor cursor, const Dictionary& dictionary)
      : cursor_(cursor), dictionary_(dictionary), strings_(dictionary.mark().count) {}

  // What is left is padding.
  bool Done() {
    const auto left = static_cast<std::size_t>(cursor_.end() - cursor_.at());
    return good_ && left < 4 &&
           cursor_.Take(left).find_first_not_of('\0') == std::string_view::npos;
  }
  void Numbers(int count) {
    for (; count > 0; --count) cursor_.Varint();
  }
  void Fixed(std::size_t bytes) { Expect(cursor_.Take(bytes).size() == bytes); }
  void String() { Text(); }
  void Bytes() {
    const std::uint64_t size = cursor_.Varint();
    Expect(size <= static_cast<std::uint64_t>(cursor_.end() - cursor_.at()) &&
           cursor_.Take(size).size() == size);
  }
  void Attributes() {
    Each([this] {
      const std::uint64_t string = cursor_.Varint();
      const std::string_view bytes = string == 0 ? cursor_.Bytes() : At(string);
      Expect(AttributeOver(bytes, 0).data != nullptr);
    });
  }
  void Resource() {
    for (std::string_view bytes = Text(); good_ && !bytes.empty();) {
      Cursor pair(bytes);
      pair.Varint();  // The tag.
      const std::string_view attribute = pair.Bytes();
      Expect(AttributeOver(attribute, 0).data != nullptr);
      bytes.remove_prefix(static_cast<std::size_t>(pair.at() - bytes.data()));
    }
    Text();  // The service.
  }
  // Calls `item` as often as the number here says.
  template <typename Item>
  void Each(Item item) {
    for (std::uint64_t left = cursor_.Varint(); left > 0 && good_; --left) {
      Expect(!cursor_.done());
      if (good_) item();
    }
  }
  void Expect(bool what) { good_ = good_ && what; }

 private:
  std::string_view At(std::uint64_t string) {
    Expect(string <= strings_);
    return good_ ? dictionary_.At(static_cast<std::uint32_t>(string - 1)) : std::string_view();
  }
  std::string_view Text() {
    const std::uint64_t string = cursor_.Varint();
    return string == 0 ? std::string_view() : At(string);
  }

  Cursor cursor_;
  const Dictionary& dictionary_;
  const std::uint64_t strings_;
  bool good_ = true;
};

unsigned ByteAt(RecordView record, std::size_t offset) {
  return static_cast<unsigned char>(record.data()[offset]);
}

void WalkOrigin(unsigned missing, Walker& walker) {
  if (!(missing & kNoResource)) walker.Resource();
  if (!(missing & kNoScope)) walker.String();
}

void WalkSpan(RecordView record, Walker& walker) {
  const unsigned parts = ByteAt(record, 10);
  walker.Numbers(ByteAt(record, 9) == kFollows ? 4 : 2);
  walker.String();
  WalkOrigin(parts, walker);
  walker.Attributes();
  if (parts & kStatusMessage) walker.String();
  if (parts & kTraceState) walker.String();
  if (parts & kEvents) {
    walker.Each([&walker] {
      walker.Fixed(8);
      walker.String();
      walker.Attributes();
    });
  }
  if (parts & kLinks) {
    walker.Each([&walker] {
      walker.Fixed(24);
      walker.Numbers(1);
      walker.String();
      walker.Attributes();
    });
  }
}

void WalkLine(RecordView record, Walker& walker) {
  const unsigned parts = ByteAt(record, 11);
  walker.Numbers(ByteAt(record, 9) == kFollows ? 2 : 1);
  walker.String();
  WalkOrigin(parts, walker);
  walker.Attributes();
  if (parts & kEventName) walker.String();
  if (parts & kRelated) walker.Each([&walker] { walker.Fixed(24); });
  if (parts & kOwnService) walker.String();
  walker.Bytes();
}

void WalkExemplar(RecordView record, Walker& walker) {
  if (ByteAt(record, 9) & kHasLe) walker.Fixed(8);
  walker.String();
  walker.String();
  WalkOrigin(ByteAt(record, 10), walker);
  walker.Attributes();
  walker.Attributes();
  if (ByteAt(record, 11) & kExemplarService) walker.String();
}

bool IsWholeSeries(std::string_view series, const Dictionary& dictionary) {
  Walker walker(Cursor(series), dictionary);
  walker.Expect(series.size() > 8);
  const unsigned flags = series.size() > 8 ? static_cast<unsigned char>(series[8]) : 0U;
  walker.Fixed(9);
  walker.String();
  walker.String();
  if (!(flags & kNoResource)) walker.Resource();
  walker.Attributes();
  if (flags & kSeriesOwnService) walker.String();
  return walker.Done();
}

bool AreWholeGauges(RecordView record, const Dictionary& dictionary) {
  bool good = true;
  std::uint32_t last = kNotInterned;
  std::uint32_t read = 0;
  const GaugeRecordView gauges(record.data());
  gauges.EachPoint([&](const StoredGauge& point, const char*) {
    if (point.series != last) {
      good = point.series < dictionary.mark().count &&
             IsWholeSeries(dictionary.At(point.series), dictionary);
    }
    last = point.series;
    ++read;
    return good;
  });
  return good && read == gauges.count();
}

}  // namespace

bool AreWhole(std::string_view records, const Dictionary& dictionary) {
  while (!records.empty()) {
    if (records.size() < kGaugeFixedBytes) return false;
    const RecordView record(records.data());
    const bool is_gauges = record.kind() == RecordKind::kGauges;
    const std::size_t least = is_gauges ? kGaugeFixedBytes : kFixedBytes;
    if (record.size() < least || record.size() > records.size()) return false;
    Walker walker({record.data() + least, record.data() + record.size()}, dictionary);
    switch (record.kind()) {
      case RecordKind::kSpan: WalkSpan(record, walker); break;
      case RecordKind::kLine: WalkLine(record, walker); break;
      case RecordKind::kExemplar: WalkExemplar(record, walker); break;
      case RecordKind::kGauges: break;
      default: return false;
    }
    if (is_gauges ? !AreWholeGauges(record, dictionary) : !walker.Done()) return false;
    records.remove_prefix(record.size());
  }
  return true;
}

}  // namespace throughline::store::sqlite
