// Puts the MemoryStore through the suite.
#include "store/memory/memory_store.h"
#include "tests/store/conformance.h"

namespace throughline::store {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  explicit MemoryUnderTest(const StoreLimits& limits)
      : store_({.tenants = limits.tenants,
                .watches = limits.watches,
                .memory_limit_bytes = limits.memory_bytes}) {}
  Store& store() override { return store_; }

 private:
  MemoryStore store_;
};

}  // namespace

Backend MemoryBackend() {
  return {
      .name = "Memory", .durable = false, .bounded = true, .open = [](const StoreLimits& limits) {
        return std::make_unique<MemoryUnderTest>(limits);
      }};
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(MemoryBackend()), BackendName);
INSTANTIATE_TEST_SUITE_P(Memory, StoreComparison, testing::Values(MemoryBackend()), BackendName);

}  // namespace throughline::store
