// Opens a data directory for the commands that work on it without a gateway.
#pragma once

#include <memory>
#include <string>

#include "correlate/result.h"
#include "correlate/store.h"
#include "store/sql/data_copy.h"
#include "store/sqlite/sqlite_store.h"
#include "store/walk.h"

namespace throughline::gateway {

// These fail while a gateway, or another command, has the directory.
Result<std::unique_ptr<store::Walkable>> OpenForReading(const std::string& directory);
Result<std::unique_ptr<Store>> OpenForAppending(const std::string& directory);

// What the directory holds now, to be read. A gateway may have it; it is left as it is.
struct StoreCopy {
  store::sql::DataCopy copy;  // First: goes after the store.
  std::shared_ptr<const store::SqliteStore> store;
};
Result<StoreCopy> OpenCopy(const std::string& directory);

// Seals all that is stored, and makes DIR/snapshot (store/backup/snapshots.h), which goes with
// this. Fails as the first two do.
class OpenedSnapshot {
 public:
  virtual ~OpenedSnapshot() = default;
};
Result<std::unique_ptr<OpenedSnapshot>> OpenSnapshot(const std::string& directory);

}  // namespace throughline::gateway
