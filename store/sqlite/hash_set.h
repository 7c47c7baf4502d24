// Open addressing with linear probing, for the writer alone: identities, dictionary, counters.
//
// HashTable holds 32-bit references beside 32 bits of their hash; what is equal the caller decides.
// IdentitySet holds 64-bit identities. Both double at 3/4 full and can take an entry back, which
// undoing a failed append needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "store/sqlite/region.h"

namespace throughline::store::sqlite {

class HashTable {
 public:
  HashTable() : slots_(kFirstSlots) {}

  // The reference for which `equal(reference)` is true, or 0. References are never 0.
  template <typename Equal>
  std::uint32_t Find(std::uint64_t hash, Equal equal) const {
    const auto tag = static_cast<std::uint32_t>(hash >> 32U);
    for (std::size_t i = hash & mask(); slots_[i].reference != 0; i = (i + 1) & mask()) {
      if (slots_[i].tag == tag && equal(slots_[i].reference)) return slots_[i].reference;
    }
    return 0;
  }

  // `rehash(reference)` gives the hash again, for doubling.
  template <typename Rehash>
  void Insert(std::uint64_t hash, std::uint32_t reference, Rehash rehash) {
    if ((count_ + 1) * 4 > slots_.size() * 3) Double(rehash);
    Put(hash, reference);
    ++count_;
  }

  template <typename Rehash>
  void Erase(std::uint64_t hash, std::uint32_t reference, Rehash rehash) {
    std::size_t hole = hash & mask();
    while (slots_[hole].reference != reference) {
      if (slots_[hole].reference == 0) return;
      hole = (hole + 1) & mask();
    }
    // Moves back what probed past the hole.
    for (std::size_t i = (hole + 1) & mask(); slots_[i].reference != 0; i = (i + 1) & mask()) {
      const std::size_t home = rehash(slots_[i].reference) & mask();
      if (((i - home) & mask()) >= ((i - hole) & mask())) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = {};
    --count_;
  }

  // Touches the slot that Find will look at first.
  void Prefetch(std::uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask()]); }

  std::size_t size_bytes() const { return slots_.size() * kSlotBytes; }
  static constexpr std::size_t kSlotBytes = 8;

 private:
  static constexpr std::size_t kFirstSlots = 4096;
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t reference = 0;
  };
  static_assert(sizeof(Slot) == kSlotBytes);

  std::size_t mask() const { return slots_.size() - 1; }

  void Put(std::uint64_t hash, std::uint32_t reference) {
    std::size_t i = hash & mask();
    while (slots_[i].reference != 0) i = (i + 1) & mask();
    slots_[i] = {static_cast<std::uint32_t>(hash >> 32U), reference};
  }

  template <typename Rehash>
  void Double(Rehash rehash) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.reference != 0) Put(rehash(slot.reference), slot.reference);
    }
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

class IdentitySet {
 public:
  IdentitySet() : slots_(Slots(kFirstSlots)) {}

  // False when it was there.
  bool Insert(std::uint64_t identity) {
    identity = Key(identity);
    if ((count_ + 1) * 4 > (mask_ + 1) * 3) Double();
    std::size_t i = identity & mask();
    while ((*slots_)[i] != 0) {
      if ((*slots_)[i] == identity) return false;
      i = (i + 1) & mask();
    }
    (*slots_)[i] = identity;
    ++count_;
    return true;
  }

  bool Contains(std::uint64_t identity) const {
    identity = Key(identity);
    std::size_t i = identity & mask();
    while ((*slots_)[i] != 0) {
      if ((*slots_)[i] == identity) return true;
      i = (i + 1) & mask();
    }
    return false;
  }
  template <typename Visit>
  void Each(Visit visit) const {
    for (std::size_t i = 0; i < slots_->size(); ++i) {
      if (const std::uint64_t identity = (*slots_)[i]; identity != 0) visit(identity);
    }
  }
  // Makes room for as many more. What comes in the order of another set's slots must have it: it
  // would fill one end of a smaller table, where each insert looks at all that were before.
  void Reserve(std::size_t more) {
    while ((count_ + more + 1) * 4 > (mask_ + 1) * 3) Double();
  }
  void InsertAll(const IdentitySet& other) {
    Reserve(other.count());
    other.Each([this](std::uint64_t identity) { Insert(identity); });
  }

  void Erase(std::uint64_t identity) {
    identity = Key(identity);
    std::size_t hole = identity & mask();
    while ((*slots_)[hole] != identity) {
      if ((*slots_)[hole] == 0) return;
      hole = (hole + 1) & mask();
    }
    for (std::size_t i = (hole + 1) & mask(); (*slots_)[i] != 0; i = (i + 1) & mask()) {
      if (((i - (*slots_)[i]) & mask()) >= ((i - hole) & mask())) {
        (*slots_)[hole] = (*slots_)[i];
        hole = i;
      }
    }
    (*slots_)[hole] = 0;
    --count_;
  }

  // Touches the slot that Insert will look at, so that many inserts wait for memory together.
  void Prefetch(std::uint64_t identity) const {
    __builtin_prefetch(&(*slots_)[Key(identity) & mask()], 1);
  }

  std::size_t count() const { return count_; }
  std::size_t size_bytes() const { return slots_->size_bytes(); }
  // After `more` inserts.
  std::size_t size_bytes_with(std::size_t more) const {
    std::size_t slots = mask_ + 1;
    while ((count_ + more) * 4 > slots * 3) slots *= 2;
    return slots * sizeof(std::uint64_t);
  }

 private:
  static constexpr std::size_t kFirstSlots = 4096;
  static std::uint64_t Key(std::uint64_t identity) { return identity == 0 ? 1 : identity; }
  std::size_t mask() const { return mask_; }
  // Zeroed, in a region of its own: large pages where there are many.
  static std::unique_ptr<Table<std::uint64_t>> Slots(std::size_t count) {
    auto slots = std::make_unique<Table<std::uint64_t>>(count);
    slots->Fill(count);
    return slots;
  }

  void Double() {
    const auto old = std::exchange(slots_, Slots((mask_ + 1) * 2));
    mask_ = mask_ * 2 + 1;
    for (std::size_t at = 0; at < old->size(); ++at) {
      const std::uint64_t identity = (*old)[at];
      if (identity == 0) continue;
      std::size_t i = identity & mask();
      while ((*slots_)[i] != 0) i = (i + 1) & mask();
      (*slots_)[i] = identity;
    }
  }

  std::unique_ptr<Table<std::uint64_t>> slots_;
  std::size_t mask_ = kFirstSlots - 1;
  std::size_t count_ = 0;
};

}  // namespace throughline::store::sqlite
