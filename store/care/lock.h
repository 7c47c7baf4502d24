// The lock of a data directory, for commands that work on one without opening its store.
#pragma once

#include <string>

#include "correlate/result.h"
#include "store/sqlite/catalog.h"

namespace throughline::store::care {

// The directory must be there. kUnavailable: another process holds it; the message says which,
// where the system tells.
Result<sqlite::DirectoryLock> TakeLock(const std::string& directory);

}  // namespace throughline::store::care
