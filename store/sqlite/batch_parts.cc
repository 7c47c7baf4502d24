#include "store/sqlite/batch_parts.h"

#include "correlate/hash.h"
#include "correlate/identity.h"
#include "store/sqlite/record_bytes.h"

namespace throughline::store::sqlite {

Attribute BatchParts::Over(std::string_view key_value) const {
  return AttributeOver(key_value, hashes_ ? HashBytes(key_value, seed_) : 0);
}

Range BatchParts::KeyValues(std::string_view bytes) {
  Range range{.begin = static_cast<std::uint32_t>(batch_.attributes.size()), .count = 0};
  Cursor cursor(bytes);
  while (!cursor.done()) {
    cursor.Varint();  // The tag, 0x0a.
    const Attribute attribute = Over(cursor.Bytes());
    if (attribute.data == nullptr) continue;  // Damaged.
    batch_.attributes.push_back(attribute);
    ++range.count;
  }
  return range;
}

std::uint32_t BatchParts::AddResource(std::uint64_t key, std::string_view bytes,
                                      std::string_view service) {
  Resource resource;
  resource.attributes = KeyValues(bytes);
  resource.service = service;
  if (hashes_) resource.hash = HashOf(resource, batch_, seed_);
  const auto index = static_cast<std::uint32_t>(batch_.resources.size());
  batch_.resources.push_back(resource);
  resources_.emplace_back(key, index);
  return index;
}

std::uint32_t BatchParts::AddScope(std::uint64_t key, std::string_view bytes) {
  InstrumentationScope scope;
  if (!bytes.empty()) {
    Cursor cursor(bytes);
    scope.name = cursor.Bytes();
    scope.version = cursor.Bytes();
    scope.attributes = KeyValues(
        {cursor.at(), static_cast<std::size_t>(bytes.data() + bytes.size() - cursor.at())});
  }
  if (hashes_) scope.hash = HashOf(scope, batch_, seed_);
  const auto index = static_cast<std::uint32_t>(batch_.scopes.size());
  batch_.scopes.push_back(scope);
  scopes_.emplace_back(key, index);
  return index;
}

}  // namespace throughline::store::sqlite
