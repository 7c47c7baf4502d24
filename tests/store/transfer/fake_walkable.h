// A store to walk that is a list of batches by tenant.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/copy.h"
#include "store/walk.h"

namespace throughline::store::transfer {

class FakeWalkable final : public Walkable {
 public:
  void Add(const std::string& tenant, std::shared_ptr<const Batch> batch) {
    batches_[tenant].push_back(std::move(batch));
  }

  Result<void> Walk(const Scope& scope, const WalkQuery& query,
                    const std::function<bool(const Batch&, WalkPlace)>& visit) const override {
    const auto found = batches_.find(scope.tenant);
    if (found == batches_.end()) return {};
    for (std::size_t i = query.after.at; i < found->second.size(); ++i) {
      if (!visit(*found->second[i], {.source = 1, .at = i + 1})) break;
    }
    return {};
  }
  std::vector<std::string> Tenants() const override {
    std::vector<std::string> tenants;
    for (const auto& [tenant, batches] : batches_) tenants.push_back(tenant);
    return tenants;
  }
  std::uint64_t WalkSize(const Scope& scope) const override {
    std::uint64_t size = 0;
    const auto found = batches_.find(scope.tenant);
    if (found == batches_.end()) return 0;
    for (const auto& batch : found->second) size += batch->record_count();
    return size;
  }

  const std::map<std::string, std::vector<std::shared_ptr<const Batch>>>& batches() const {
    return batches_;
  }

 private:
  std::map<std::string, std::vector<std::shared_ptr<const Batch>>> batches_;
};

}  // namespace throughline::store::transfer
