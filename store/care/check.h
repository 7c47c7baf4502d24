// Checks a whole data directory that no process has open: what `throughline fsck` says.
//
// Nothing is changed. The caller holds the lock (lock.h). One that was stopped goes on with what
// it had found (checked.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/care/check_catalog.h"
#include "store/care/check_segment.h"
#include "store/care/check_tail.h"
#include "store/care/checked.h"
#include "store/care/finding.h"

namespace throughline::store::care {

struct Report {
  std::vector<Finding> findings;
  CatalogFacts catalog;
  std::map<std::string, SegmentFacts> segments;  // By file: all that are there.
  std::vector<TailFacts> tails;                  // That the next start replays; by number.
  std::vector<std::string> missing;              // Segments that the catalog has.
  std::vector<std::string> strays;  // Nobody's; the next start removes them, or never looks.
  std::uint32_t most_tenant = 0;
  // What was looked at.
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::size_t known_segments = 0;  // That were not read: an earlier check had found them whole.
};

// Segments that `checked` knows are not read, and those that are found whole are added to it; null:
// all are read. An error: it could not be checked, or was stopped.
Result<Report> Check(const std::string& directory, const Work& work, Checked* checked = nullptr);
// Bytes of the files that Check looks at, for progress.
std::uint64_t BytesToCheck(const std::string& directory);

}  // namespace throughline::store::care
