#include "store/sqlite/hot_reader.h"

#include <algorithm>
#include <utility>

#include "correlate/attribute.h"
#include "store/sqlite/record_bytes.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::sqlite {
namespace {

using Tag = std::pair<std::string, std::string>;

// As queries compare a value (store/match.cc).
bool IsTag(std::string_view key_value, const Tag& tag) {
  const Attribute attribute = AttributeOver(key_value, 0);
  if (attribute.data == nullptr || attribute.key() != tag.first) return false;
  const Value value = ReadValue(attribute.value());
  if (value.type == ValueType::kString) return value.bytes == tag.second;
  return ValueText(attribute.value()) == tag.second;
}

}  // namespace

HotReader::HotReader(const Memtable::Snapshot& snapshot, const segment::SearchFilter& filter)
    : snapshot_(&snapshot), filter_(&filter), tag_ids_(filter.tags.size()) {}

void HotReader::FindTagIds() {
  has_tag_ids_ = true;
  if (filter_->tags.empty()) return;
  known_strings_ = snapshot_->string_count();
  for (std::uint32_t id = 0; id < known_strings_; ++id) {
    for (std::size_t tag = 0; tag < filter_->tags.size(); ++tag) {
      if (IsTag(snapshot_->dictionary().At(id), filter_->tags[tag])) tag_ids_[tag].push_back(id);
    }
  }
}

bool HotReader::ResourceHas(std::size_t tag, std::uint64_t resource) const {
  if (resource == 0) return false;
  Cursor cursor(snapshot_->dictionary().At(static_cast<std::uint32_t>(resource - 1)));
  while (!cursor.done()) {
    cursor.Varint();  // The tag, 0x0a.
    if (IsTag(cursor.Bytes(), filter_->tags[tag])) return true;
  }
  return false;
}

bool HotReader::HasTags(Cursor cursor, std::uint64_t resource) const {
  constexpr std::size_t kCounted = 64;  // More are left to who reads the record.
  if (tag_ids_.size() > kCounted) return true;
  std::uint64_t missing =
      tag_ids_.size() == kCounted ? ~std::uint64_t{0} : (std::uint64_t{1} << tag_ids_.size()) - 1;
  for (std::uint64_t left = cursor.Varint(); left > 0 && missing != 0 && !cursor.done(); --left) {
    const std::uint32_t id = cursor.StringId();
    const std::string_view inlined = id == kNotInterned ? cursor.Bytes() : std::string_view();
    for (std::size_t tag = 0; tag < tag_ids_.size(); ++tag) {
      const auto& ids = tag_ids_[tag];
      const bool is_it = id == kNotInterned ? IsTag(inlined, filter_->tags[tag])
                         : id < known_strings_
                             ? std::find(ids.begin(), ids.end(), id) != ids.end()
                             : IsTag(snapshot_->dictionary().At(id), filter_->tags[tag]);
      if (is_it) missing &= ~(std::uint64_t{1} << tag);
    }
  }
  for (std::size_t tag = 0; tag < tag_ids_.size(); ++tag) {
    if ((missing >> tag & 1U) != 0 && !ResourceHas(tag, resource)) return false;
  }
  return true;
}

bool HotReader::HasText(std::uint64_t string, const std::optional<std::string>& wanted) const {
  if (!wanted) return true;
  if (string == 0) return wanted->empty();
  return snapshot_->dictionary().At(static_cast<std::uint32_t>(string - 1)) == *wanted;
}

// As SpanMatch, of what stands in the record's front.
bool HotReader::SpanMayMatch(RecordView record) const {
  if (!filter_->service && !filter_->operation && !filter_->status_code && !filter_->has_bounds &&
      filter_->tags.empty()) {
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
  std::uint64_t resource = 0;
  std::uint64_t service = 0;
  if (!(parts & kNoResource)) {
    resource = cursor.Varint();
    service = cursor.Varint();
  }
  if (!HasText(service, filter_->service)) return false;
  if (filter_->tags.empty()) return true;
  if (!(parts & kNoScope)) cursor.Varint();
  return HasTags(cursor, resource);
}

bool HotReader::MayMatch(RecordView record, std::uint64_t arrival_unix_ns) const {
  if (record.kind() != filter_->kind) return false;
  const std::uint64_t observed = filter_->kind == RecordKind::kLine ? record.observed_unix_ns() : 0;
  const auto time = EffectiveTimeOf(record.time_unix_ns(), observed, arrival_unix_ns);
  if (!filter_->time.Contains(time.unix_ns)) return false;
  return filter_->kind != RecordKind::kSpan || SpanMayMatch(record);
}

void HotReader::Read(const Block& request, Batch& to) {
  if (!has_tag_ids_) FindTagIds();
  RecordReader reader(snapshot_->dictionary(), to);
  for (std::uint32_t at = request.begin; at < request.end;) {
    const RecordView record = snapshot_->At(at);
    if (MayMatch(record, request.arrival_unix_ns)) reader.Read(record, request.arrival_unix_ns);
    at += record.size();
  }
}

}  // namespace throughline::store::sqlite
