#include "store/backup/read_catalog.h"

#include <utility>
#include <vector>

#include "store/care/check_catalog.h"
#include "store/sqlite/file_names.h"

namespace throughline::store::backup {

Result<sqlite::CatalogContent> ReadWholeCatalog(const std::string& directory) {
  std::vector<care::Finding> findings;
  care::CatalogFacts facts = care::CheckCatalog(directory, findings);
  if (!facts.is_there) {
    return Error{Errc::kNotFound, directory + " has no " + std::string(sqlite::kCatalogFile)};
  }
  if (!findings.empty()) {
    return Error{Errc::kDataLoss, "damaged: " + directory + '/' + care::Line(findings.front())};
  }
  return std::move(facts.content);
}

}  // namespace throughline::store::backup
