#include "gateway/open_store.h"

#include <cstdint>
#include <utility>

#include "gateway/time_argument.h"
#include "store/sqlite/sqlite_store.h"

namespace throughline::gateway {
namespace {

// Whatever the size, and nothing is dropped meanwhile.
store::SqliteStore::Options OptionsFor(const std::string& directory) {
  store::SqliteStore::Options options;
  options.directory = directory;
  options.seal_bytes = 56U << 20U;
  options.seal_in_append = true;
  return options;
}

class StoppedSnapshot final : public OpenedSnapshot {
 public:
  explicit StoppedSnapshot(std::unique_ptr<store::SqliteStore> store) : store_(std::move(store)) {}
  ~StoppedSnapshot() override { (void)store_->RemoveSnapshot(); }  // Else the next start does.

 private:
  const std::unique_ptr<store::SqliteStore> store_;
};

}  // namespace

Result<std::unique_ptr<store::Walkable>> OpenForReading(const std::string& directory) {
  TL_TRY_ASSIGN(auto store, store::SqliteStore::Open(OptionsFor(directory)));
  // Places in segments stay good for a walk that is stopped and goes on another time.
  TL_TRY(store->SealAll(NowUnixNs()));
  return std::unique_ptr<store::Walkable>(std::move(store));
}

Result<std::unique_ptr<Store>> OpenForAppending(const std::string& directory) {
  store::SqliteStore::Options options = OptionsFor(directory);
  // The note of how far an import is must not outlive what it is a note of.
  options.full_durability = true;
  TL_TRY_ASSIGN(auto store, store::SqliteStore::Open(std::move(options)));
  return std::unique_ptr<Store>(std::move(store));
}

Result<StoreCopy> OpenCopy(const std::string& directory) {
  TL_TRY_ASSIGN(auto copy, store::sql::DataCopy::Make(directory));
  store::SqliteStore::Options options;
  options.directory = copy.path();
  options.hot_bytes = UINT32_MAX;  // Whatever the gateway has: of memory only what is used counts.
  auto store = store::SqliteStore::Open(std::move(options));
  if (!store) return copy.Named(store.error());
  return StoreCopy{.copy = std::move(copy), .store = std::move(*store)};
}

Result<std::unique_ptr<OpenedSnapshot>> OpenSnapshot(const std::string& directory) {
  TL_TRY_ASSIGN(auto store, store::SqliteStore::Open(OptionsFor(directory)));
  const std::uint64_t now = NowUnixNs();
  TL_TRY(store->SealAll(now));
  if (auto written = store->WriteSnapshot(now, now); !written) {
    (void)store->RemoveSnapshot();
    return written.error();
  }
  return std::unique_ptr<OpenedSnapshot>(std::make_unique<StoppedSnapshot>(std::move(store)));
}

}  // namespace throughline::gateway
