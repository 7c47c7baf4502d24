// The identities of records that a part had which is full, for the parts behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "store/segment/bloom.h"
#include "store/sqlite/hash_set.h"

namespace throughline::store::sqlite {

class EarlierIdentities {
 public:
  explicit EarlierIdentities(std::shared_ptr<const IdentitySet> set)
      : set_(std::move(set)), filter_(segment::Bloom::Make(set_->count(), kBitsPerIdentity)) {
    set_->Each([this](std::uint64_t identity) { segment::Bloom::Add(identity, filter_); });
  }

  const IdentitySet& set() const { return *set_; }
  std::size_t size_bytes() const { return set_->size_bytes() + filter_.size(); }
  bool Contains(std::uint64_t identity) const {
    return segment::Bloom::MayHold(identity, filter_) && set_->Contains(identity);
  }
  // Touches what Contains will look at.
  void Prefetch(std::uint64_t identity) const { segment::Bloom::Prefetch(identity, filter_); }

 private:
  static constexpr std::size_t kBitsPerIdentity = 12;

  std::shared_ptr<const IdentitySet> set_;
  std::string filter_;  // Nearly all that is asked for is not here, and that costs one cache line.
};

}  // namespace throughline::store::sqlite
