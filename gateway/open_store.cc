#include "gateway/open_store.h"

#include "gateway/time_argument.h"

namespace throughline::gateway {
namespace {

// Whatever the size, and nothing is dropped meanwhile.
store::SqliteStore::Options OptionsFor(const std::string& directory) {
  store::SqliteStore::Options options;
  options.directory = directory;
  options.seal_bytes = 64U << 20U;
  options.seal_in_append = true;
  return options;
}

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
  auto store = store::SqliteStore::Open(std::move(options));
  if (!store) return copy.Named(store.error());
  return StoreCopy{.copy = std::move(copy), .store = std::move(*store)};
}

}  // namespace throughline::gateway
