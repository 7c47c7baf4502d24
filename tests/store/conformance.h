// The suite that every store passes (code.md, invariant 4): a backend joins with one line,
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, Values(MemoryBackend()), BackendName);
//
// and the random comparison with a MemoryStore the same way, with StoreComparison.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "correlate/store.h"

namespace throughline::store {

// What a store is opened with for a test.
struct StoreLimits {
  std::size_t tenants = 1000;
  std::size_t watches = 1000;
  std::uint64_t memory_bytes = 256U << 20U;
};

// A store under test and what it stands on: its directory goes when this dies.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  // Closes the store and opens what it left. Backends that keep nothing say no, by `durable`.
  virtual void Reopen() {}
};

struct Backend {
  std::string name;
  bool durable = false;
  // Answers "kUnavailable" when `memory_bytes` are full, at once and within that bound.
  bool bounded = true;
  // Usage().traces is exact: a trace counts once, however much of it came when.
  bool counts_traces_once = true;
  std::function<std::unique_ptr<StoreUnderTest>(const StoreLimits&)> open;  // New and empty.
};

inline void PrintTo(const Backend& backend, std::ostream* out) { *out << backend.name; }

Backend MemoryBackend();

inline std::string BackendName(const testing::TestParamInfo<Backend>& info) {
  return info.param.name;
}

class StoreTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override { Open({}); }
  Store& store() { return under_test_->store(); }
  // A new, empty store; samples made from here on have its seed.
  void Open(const StoreLimits& limits);
  void Reopen();
  // Appends as one request and expects success.
  Appended Append(std::shared_ptr<const Batch> batch, std::uint64_t arrival_unix_ns,
                  const std::string& tenant = std::string(kDefaultTenant));
  Appended Append(std::shared_ptr<const Batch> batch);

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
};

class StoreConformance : public StoreTest {};  // conformance.cc and its neighbours.
class StoreComparison : public StoreTest {};   // comparison.cc.

}  // namespace throughline::store
