// The catalog of a snapshot or a backup, which has to be whole.
#pragma once

#include <string>

#include "correlate/result.h"
#include "store/sqlite/catalog.h"

namespace throughline::store::backup {

// kNotFound: there is none. kDataLoss: it is damaged, of a newer version, or no catalog.
Result<sqlite::CatalogContent> ReadWholeCatalog(const std::string& directory);

}  // namespace throughline::store::backup
