// Resources and scopes of a Batch that is filled from stored records (format.md, "Pieces"): each
// once, however many records name it.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/batch.h"

namespace throughline::store::sqlite {

class BatchParts {
 public:
  // With a seed the attributes, resources and scopes get their hashes, which identities need.
  explicit BatchParts(Batch& batch) : batch_(batch) {}
  BatchParts(Batch& batch, std::uint64_t seed) : batch_(batch), seed_(seed), hashes_(true) {}

  // The index of a resource in the batch. `key` stands for its bytes and its service: equal ones
  // have equal keys. The bytes must live as long as the batch.
  template <typename Bytes, typename Service>
  std::uint32_t ResourceOf(std::uint64_t key, Bytes bytes, Service service) {
    for (const auto& [known, index] : resources_) {
      if (known == key) return index;
    }
    return AddResource(key, bytes(), service());
  }
  template <typename Bytes>
  std::uint32_t ScopeOf(std::uint64_t key, Bytes bytes) {
    for (const auto& [known, index] : scopes_) {
      if (known == key) return index;
    }
    return AddScope(key, bytes());
  }

  Attribute Over(std::string_view key_value) const;

 private:
  std::uint32_t AddResource(std::uint64_t key, std::string_view bytes, std::string_view service);
  std::uint32_t AddScope(std::uint64_t key, std::string_view bytes);
  Range KeyValues(std::string_view bytes);

  Batch& batch_;
  std::uint64_t seed_ = 0;
  bool hashes_ = false;
  // Few in one answer.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> resources_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> scopes_;
};

}  // namespace throughline::store::sqlite
