// Identities of what was sealed lately, as a file (format.md): a retry is recognised after a
// restart too. Not synced: without it, or with a damaged one, a retry is stored again, and answers
// show it once all the same.
#pragma once

#include <string>

#include "correlate/result.h"
#include "store/sqlite/hash_set.h"

namespace throughline::store::sqlite {

// `path` must not exist.
Result<void> WriteSeen(const std::string& path, const char* vfs, const IdentitySet& identities);
// Inserts what the file holds.
Result<void> ReadSeen(const std::string& path, const char* vfs, IdentitySet& to);

}  // namespace throughline::store::sqlite
