// Opens a data directory for the commands that work on it while no gateway runs.
#pragma once

#include <memory>
#include <string>

#include "correlate/result.h"
#include "correlate/store.h"
#include "store/walk.h"

namespace throughline::gateway {

// Both fail while a gateway, or another command, has the directory.
Result<std::unique_ptr<store::Walkable>> OpenForReading(const std::string& directory);
Result<std::unique_ptr<Store>> OpenForAppending(const std::string& directory);

}  // namespace throughline::gateway
