// What SQLite itself says of a database.
#pragma once

#include <string>

#include "store/sqlite/database.h"

namespace throughline::store::care {

// The first of what PRAGMA integrity_check finds, and how many there are; empty: all is well.
std::string IntegrityProblem(sqlite::Database& db);

}  // namespace throughline::store::care
