// Puts the SqliteStore through the suite, in a directory of its own.
#include <stdlib.h>  // mkdtemp

#include <filesystem>

#include "correlate/check.h"
#include "store/sqlite/sqlite_store.h"
#include "tests/store/conformance.h"

namespace throughline::store {
namespace {

std::string NewDirectory() {
  std::string path = testing::TempDir() + "throughline-store-XXXXXX";
  TL_CHECK(::mkdtemp(path.data()) != nullptr);
  return path;
}

class SqliteUnderTest final : public StoreUnderTest {
 public:
  explicit SqliteUnderTest(const StoreLimits& limits)
      : options_{.directory = NewDirectory(),
                 .hot_bytes = limits.memory_bytes,
                 .tenants = limits.tenants,
                 .watches = limits.watches} {
    Open();
  }
  ~SqliteUnderTest() override {
    store_.reset();
    std::filesystem::remove_all(options_.directory);
  }
  Store& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    Open();
  }

 private:
  void Open() {
    auto opened = SqliteStore::Open(options_);
    TL_CHECK(opened.has_value());
    store_ = std::move(*opened);
  }

  SqliteStore::Options options_;
  std::unique_ptr<SqliteStore> store_;
};

Backend SqliteBackend() {
  return {
      .name = "Sqlite", .durable = true, .bounded = true, .open = [](const StoreLimits& limits) {
        return std::make_unique<SqliteUnderTest>(limits);
      }};
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values(SqliteBackend()), BackendName);
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreComparison, testing::Values(SqliteBackend()), BackendName);

}  // namespace throughline::store
