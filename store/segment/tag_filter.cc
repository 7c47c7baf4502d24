#include "store/segment/tag_filter.h"

#include "correlate/attribute.h"
#include "store/segment/bloom.h"
#include "store/segment/columns.h"

namespace throughline::store::segment {

using sqlite::RecordKind;

TagGatherer::TagGatherer(const sqlite::Dictionary& hot, std::uint32_t strings, std::uint64_t seed)
    : hot_(hot), seed_(seed) {
  for (auto& known : known_) known.resize(strings);
}

std::uint64_t TagGatherer::HashOf(RecordKind kind, std::string_view key_value) const {
  const Attribute attribute = AttributeOver(key_value, 0);
  if (attribute.data == nullptr) return 0;
  const Value value = ReadValue(attribute.value());
  if (value.type == ValueType::kString) {
    return TagHash(kind, attribute.key(), value.bytes, seed_);
  }
  return TagHash(kind, attribute.key(), ValueText(attribute.value()), seed_);
}

void TagGatherer::Add(RecordKind kind, std::uint32_t hot) {
  Known& known = KnownOf(kind)[hot];
  if (known.block == block_) return;
  if (known.block == 0) known.hash = HashOf(kind, hot_.At(hot));
  known.block = block_;
  tags_.push_back(known.hash);
}

void TagGatherer::Add(RecordKind kind, std::string_view key_value) {
  tags_.push_back(HashOf(kind, key_value));
}

void TagGatherer::AddResource(RecordKind kind, std::uint32_t hot) {
  if (hot == sqlite::kNotInterned) return;
  Known& known = KnownOf(kind)[hot];
  if (known.block == block_) return;
  known.block = block_;
  const std::uint64_t key = (std::uint64_t{hot} << 8U) | static_cast<std::uint64_t>(kind);
  const auto [found, is_new] = resources_.try_emplace(key);
  if (is_new) {
    for (Cursor cursor(hot_.At(hot)); !cursor.done();) {
      cursor.Varint();  // The tag, 0x0a.
      found->second.push_back(HashOf(kind, cursor.Bytes()));
    }
  }
  tags_.insert(tags_.end(), found->second.begin(), found->second.end());
}

std::string TagGatherer::TakeFilter(std::size_t bits_per_tag) {
  ++block_;
  if (tags_.empty()) return {};
  std::string filter = Bloom::Make(tags_.size(), bits_per_tag);
  for (const std::uint64_t tag : tags_) Bloom::Add(tag, filter);
  tags_.clear();
  return filter;
}

}  // namespace throughline::store::segment
