#include "gateway/open_store.h"

#include "store/sqlite/sqlite_store.h"

namespace throughline::gateway {

Result<std::unique_ptr<store::Walkable>> OpenForReading(const std::string& directory) {
  return Error{Errc::kUnsupported,
               "walking what is stored in " + directory + " is not available yet"};
}

Result<std::unique_ptr<Store>> OpenForAppending(const std::string& directory) {
  store::SqliteStore::Options options;
  options.directory = directory;
  // The note of how far an import is must not outlive what it is a note of.
  options.full_durability = true;
  TL_TRY_ASSIGN(auto store, store::SqliteStore::Open(std::move(options)));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace throughline::gateway
