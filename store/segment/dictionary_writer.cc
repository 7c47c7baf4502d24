#include "store/segment/dictionary_writer.h"

#include <functional>

#include "store/segment/columns.h"

namespace throughline::store::segment {
namespace {

// Of a row: a lookup reads the few rows that its records' strings stand in.
constexpr std::size_t kRowBytes = 12U << 10U;

// The key, where the bytes are one canonical KeyValue and nothing else; else null data.
std::string_view KeyOfAttribute(std::string_view bytes) {
  Cursor cursor(bytes);
  if (cursor.Fixed<char>() != '\x0a') return {};
  const std::string_view key = cursor.Bytes();
  if (cursor.done() || cursor.Fixed<char>() != '\x12') return {};
  const std::uint64_t value_size = cursor.Varint();
  const auto left = static_cast<std::size_t>(bytes.data() + bytes.size() - cursor.at());
  return value_size == left ? key : std::string_view();
}

// Writes rows of strings (format.md, "Strings").
class RowWriter {
 public:
  RowWriter(sqlite::Statement& insert, StringSpace space) : insert_(insert), space_(space) {}

  Result<void> Add(std::string_view text) {
    bytes_ += text;
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    return bytes_.size() + 4 * ends_.size() < kRowBytes ? Result<void>() : Flush();
  }
  Result<void> Flush() {
    if (ends_.empty()) return {};
    std::string row(4 * (ends_.size() + 1), '\0');
    char* at = sqlite::Put(static_cast<std::uint32_t>(ends_.size()), row.data());
    for (const std::uint32_t end : ends_) at = sqlite::Put(end, at);
    row += bytes_;
    firsts_.push_back(next_);
    const std::int64_t id = (static_cast<std::int64_t>(space_) << 32U) | next_;
    TL_TRY(insert_.Run(id, sqlite::Blob{row}));
    next_ += static_cast<std::uint32_t>(ends_.size());
    ends_.clear();
    bytes_.clear();
    return {};
  }
  // The first id of each row, as differences.
  std::string Firsts() const {
    std::string out;
    AppendVarint(next_, out);
    AppendVarint(firsts_.size(), out);
    std::uint32_t last = 0;
    for (const std::uint32_t first : firsts_) {
      AppendVarint(first - last, out);
      last = first;
    }
    return out;
  }

 private:
  sqlite::Statement& insert_;
  const StringSpace space_;
  std::uint32_t next_ = 0;
  std::string bytes_;
  std::vector<std::uint32_t> ends_;
  std::vector<std::uint32_t> firsts_;
};

}  // namespace

DictionaryWriter::DictionaryWriter(const sqlite::Dictionary& hot, std::uint64_t seed)
    : hot_(hot), seed_(seed), key_index_(0, Hash{seed}) {
  const std::uint32_t count = hot.mark().count;
  string_of_.resize(count);
  interned_.resize(count);
  keys_.push_back({});  // kOtherKey.
  for (std::uint32_t id = 0; id < count; ++id) {
    const std::string_view key = KeyOfAttribute(hot.At(id));
    if (key.data() == nullptr) {
      string_of_[id] = static_cast<std::uint32_t>(order_.size());
      order_.push_back(id);
      continue;
    }
    const auto [found, is_new] = key_index_.emplace(key, keys_.size());
    if (is_new) keys_.push_back({.text = key});
    interned_[id] = {.key = found->second, .rank = keys_[found->second].count++};
  }
  auto next = static_cast<std::uint32_t>(order_.size());
  for (Key& key : keys_) {
    key.base = next;
    next += key.count;
  }
  order_.resize(next);
  for (std::uint32_t id = 0; id < count; ++id) {
    if (interned_[id].key == kOtherKey) continue;
    string_of_[id] = keys_[interned_[id].key].base + interned_[id].rank;
    order_[string_of_[id]] = id;
  }
}

std::uint32_t DictionaryWriter::KeyOf(std::string_view key) {
  const auto found = key_index_.find(key);
  if (found != key_index_.end()) return found->second;
  if (keys_.size() >= kKeysAtMost) return kOtherKey;
  const auto index = static_cast<std::uint32_t>(keys_.size());
  key_texts_.emplace_back(key);
  keys_.push_back({.text = key_texts_.back(), .base = 0, .count = 0});
  key_index_.emplace(key_texts_.back(), index);
  return index;
}

std::uint32_t DictionaryWriter::HeadOf(std::string_view head) {
  const std::uint64_t hash = HashBytes(head, seed_);
  const std::uint32_t found = head_table_.Find(
      hash, [&](std::uint32_t reference) { return heads_[reference - 1] == head; });
  if (found != 0) return found - 1;
  heads_.emplace_back(head);
  const auto reference = static_cast<std::uint32_t>(heads_.size());
  head_table_.Insert(hash, reference,
                     [this](std::uint32_t index) { return HashBytes(heads_[index - 1], seed_); });
  return reference - 1;
}

Result<void> DictionaryWriter::Save(sqlite::Database& db) const {
  TL_TRY_ASSIGN(auto insert, db.Prepare("INSERT INTO string (id, data) VALUES (?, ?)"));
  RowWriter strings(insert, StringSpace::kStrings);
  for (const std::uint32_t id : order_) TL_TRY(strings.Add(hot_.At(id)));
  TL_TRY(strings.Flush());
  RowWriter heads(insert, StringSpace::kHeads);
  for (const std::string& head : heads_) TL_TRY(heads.Add(head));
  TL_TRY(heads.Flush());
  std::string keys;
  AppendVarint(keys_.size(), keys);
  for (const Key& key : keys_) {
    AppendVarint(key.text.size(), keys);
    keys += key.text;
    AppendVarint(key.base, keys);
    AppendVarint(key.count, keys);
  }
  TL_TRY_ASSIGN(auto meta, db.Prepare("INSERT INTO meta (name, value) VALUES (?, ?)"));
  TL_TRY(meta.Run(std::string_view("strings"), sqlite::Blob{strings.Firsts()}));
  TL_TRY(meta.Run(std::string_view("heads"), sqlite::Blob{heads.Firsts()}));
  return meta.Run(std::string_view("keys"), sqlite::Blob{keys});
}

}  // namespace throughline::store::segment
