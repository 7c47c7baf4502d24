// Puts a checked data directory right, as far as that is possible without inventing data.
//
// Nothing that holds records is ever deleted: what is taken out goes to DIR/hurt/. What can be read
// of a hurt segment, and of a hurt tail up to its first damaged request, becomes a new segment. The
// catalog changes in one step, so that a repair that is cut off can be run again.
#pragma once

#include <string>
#include <vector>

#include "store/care/check.h"

namespace throughline::store::care {

// Gives what was done, a line each. The caller holds the lock, and `report` is what Check said
// under it. kDataLoss: it has findings that nothing here cures; nothing was done.
Result<std::vector<std::string>> Repair(const std::string& directory, const Report& report,
                                        const Work& work);

}  // namespace throughline::store::care
