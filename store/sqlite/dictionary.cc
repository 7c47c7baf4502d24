#include "store/sqlite/dictionary.h"

#include <cstring>

namespace throughline::store::sqlite {
namespace {

std::size_t Padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

}  // namespace

Dictionary::Dictionary(std::size_t capacity_bytes, std::uint64_t seed)
    : seed_(seed),
      bytes_(capacity_bytes),
      references_(capacity_bytes / 8),
      keys_(0, KeyHash{seed}) {}

std::string_view Dictionary::Bytes(std::uint32_t reference) const {
  std::uint32_t size = 0;
  const char* const at = bytes_.data() + reference;
  std::memcpy(&size, at, sizeof size);
  return {at + sizeof size, size};
}

std::string_view Dictionary::At(std::uint32_t id) const { return Bytes(references_[id]); }

std::uint64_t Dictionary::HashOf(std::uint32_t id) const { return HashBytes(At(id), seed_); }

std::uint32_t Dictionary::Add(std::string_view bytes, std::uint64_t hash) {
  const std::size_t offset = bytes_.size();
  const auto size = static_cast<std::uint32_t>(bytes.size());
  char* const to = bytes_.end();
  bytes_.Extend(sizeof size + Padded(bytes.size()));
  std::memcpy(to, &size, sizeof size);
  if (size > 0) std::memcpy(to + sizeof size, bytes.data(), size);
  const std::uint32_t id = count_++;
  references_.Append(static_cast<std::uint32_t>(offset));
  table_.Insert(hash, id + 1, [this](std::uint32_t reference) { return HashOf(reference - 1); });
  return id;
}

std::uint32_t Dictionary::Intern(std::string_view bytes, std::uint64_t hash) {
  const std::uint32_t found =
      table_.Find(hash, [&](std::uint32_t reference) { return At(reference - 1) == bytes; });
  return found != 0 ? found - 1 : Add(bytes, hash);
}

std::uint32_t Dictionary::Intern(std::string_view bytes) {
  return Intern(bytes, HashBytes(bytes, seed_));
}

std::uint32_t Dictionary::Intern(const Attribute& attribute) {
  const std::string_view bytes = attribute.bytes();
  const std::uint32_t found = table_.Find(
      attribute.hash, [&](std::uint32_t reference) { return At(reference - 1) == bytes; });
  if (found != 0) return found - 1;
  constexpr std::size_t kLongest = 4096;  // Longer ones repeat too seldom to be worth a copy.
  constexpr std::size_t kMostKeys = 65'535;
  if (bytes.size() > kLongest) return kNotInterned;
  const auto key = keys_.find(attribute.key());
  if (key != keys_.end()) {
    if (key->second >= kValuesPerKey) return kNotInterned;
    ++key->second;
    return Add(bytes, attribute.hash);
  }
  if (keys_.size() >= kMostKeys) return kNotInterned;
  const std::uint32_t id = Add(bytes, attribute.hash);
  keys_.emplace(AttributeOver(At(id), 0).key(), 1);
  return id;
}

void Dictionary::RollBack(Mark mark) {
  while (count_ > mark.count) {
    const std::uint32_t id = count_ - 1;
    table_.Erase(HashOf(id), id + 1,
                 [this](std::uint32_t reference) { return HashOf(reference - 1); });
    const Attribute attribute = AttributeOver(At(id), 0);
    const auto key = attribute.data == nullptr ? keys_.end() : keys_.find(attribute.key());
    if (key != keys_.end() && key->first.data() == attribute.key().data()) keys_.erase(key);
    references_.Shrink(id);
    --count_;
  }
  bytes_.Shrink(mark.bytes);
}

bool Dictionary::Replay(std::string_view bytes) {
  while (!bytes.empty()) {
    std::uint32_t size = 0;
    if (bytes.size() < sizeof size) return false;
    std::memcpy(&size, bytes.data(), sizeof size);
    if (bytes.size() < sizeof size + Padded(size)) return false;
    const std::string_view entry = bytes.substr(sizeof size, size);
    Add(entry, HashBytes(entry, seed_));
    bytes.remove_prefix(sizeof size + Padded(size));
  }
  return true;
}

}  // namespace throughline::store::sqlite
