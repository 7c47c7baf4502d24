#include "store/sqlite/hot_reader.h"

#include "store/sqlite/record_bytes.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::sqlite {

bool HotReader::HasText(std::uint64_t string, const std::optional<std::string>& wanted) const {
  if (!wanted) return true;
  if (string == 0) return wanted->empty();
  return snapshot_->dictionary().At(static_cast<std::uint32_t>(string - 1)) == *wanted;
}

// As SpanMatch, of what stands in the record's front.
bool HotReader::SpanMayMatch(RecordView record) const {
  if (!filter_->service && !filter_->operation && !filter_->status_code && !filter_->has_bounds) {
    return true;
  }
  Cursor cursor(record.data() + kFixedBytes, record.data() + record.size());
  const auto packed = unsigned{static_cast<unsigned char>(record.data()[9])};
  const auto parts = unsigned{static_cast<unsigned char>(record.data()[10])};
  const std::uint64_t start = record.time_unix_ns();
  const std::uint64_t length = cursor.Varint();  // Modulo 2^64.
  if (filter_->has_bounds) {
    const std::uint64_t duration = start != 0 && start + length > start ? length : 0;
    const auto value = static_cast<double>(duration);
    if (value < filter_->least || value > filter_->most) return false;
  }
  std::uint64_t status = packed >> 4U;
  if (packed == kFollows) {
    cursor.Varint();
    status = cursor.Varint();
  }
  if (filter_->status_code && status != *filter_->status_code) return false;
  cursor.Varint();  // Flags.
  if (!HasText(cursor.Varint(), filter_->operation)) return false;
  if (parts & kNoResource) return HasText(0, filter_->service);
  cursor.Varint();  // The resource.
  return HasText(cursor.Varint(), filter_->service);
}

bool HotReader::MayMatch(RecordView record, std::uint64_t arrival_unix_ns) const {
  if (record.kind() != filter_->kind) return false;
  const std::uint64_t observed = filter_->kind == RecordKind::kLine ? record.observed_unix_ns() : 0;
  const auto time = EffectiveTimeOf(record.time_unix_ns(), observed, arrival_unix_ns);
  if (!filter_->time.Contains(time.unix_ns)) return false;
  return filter_->kind != RecordKind::kSpan || SpanMayMatch(record);
}

void HotReader::Read(const Block& request, Batch& to) const {
  RecordReader reader(snapshot_->dictionary(), to);
  for (std::uint32_t at = request.begin; at < request.end;) {
    const RecordView record = snapshot_->At(at);
    if (MayMatch(record, request.arrival_unix_ns)) reader.Read(record, request.arrival_unix_ns);
    at += record.size();
  }
}

}  // namespace throughline::store::sqlite
