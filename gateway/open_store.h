// Opens a data directory for the commands that work on it while no gateway runs.
#pragma once

#include <memory>
#include <string>

#include "correlate/result.h"
#include "correlate/store.h"
#include "store/walk.h"

namespace throughline::gateway {

// All fail while a gateway, or another command, has the directory.
Result<std::unique_ptr<store::Walkable>> OpenForReading(const std::string& directory);
Result<std::unique_ptr<Store>> OpenForAppending(const std::string& directory);

// Seals all that is stored, and makes DIR/snapshot (store/backup/snapshots.h), which goes with
// this.
class OpenedSnapshot {
 public:
  virtual ~OpenedSnapshot() = default;
};
Result<std::unique_ptr<OpenedSnapshot>> OpenSnapshot(const std::string& directory);

}  // namespace throughline::gateway
