// Reads a catalog without trust: as much as it says, and what is wrong with it.
#pragma once

#include <string>
#include <vector>

#include "store/care/finding.h"
#include "store/sqlite/catalog.h"

namespace throughline::store::care {

struct CatalogFacts {
  sqlite::CatalogContent content;  // What can be read.
  bool is_there = false;
  bool has_seed = false;
  bool is_newer = false;
  bool is_foreign = false;  // Another program's: left alone.
  // It has to be written anew: some of it cannot be read. What it does not say of segments is to be
  // taken from them.
  bool is_hurt = false;
};

CatalogFacts CheckCatalog(const std::string& directory, std::vector<Finding>& findings);

// What a catalog says, of a database that is one.
Result<sqlite::CatalogContent> ReadCatalog(sqlite::Database& db);

}  // namespace throughline::store::care
