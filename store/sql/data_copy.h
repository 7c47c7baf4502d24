// What a data directory holds at one moment, though a gateway may be using it: a private directory
// that a store can be opened on.
//
// Catalog and tails are copied, segments, which never change, are linked to. Nothing is locked and
// nothing in the data directory is touched. What makes it hold together:
//
// - A tail's log only grows, and what stands in front of it does not change: any beginning of it is
//   a tail of some moment. SQLite takes it up to its last whole commit.
// - The catalog is read again after it was copied, and copied again if it changed.
// - Tails come first. One that is sealed meanwhile is in the catalog as a segment; what is in a
//   tail's rows of tenants was in the catalog before.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "correlate/result.h"

namespace throughline::store::sql {

class DataCopy {
 public:
  // kNotFound: `directory` is no data directory. kUnavailable: it does not hold still, or there is
  // no room for the copy.
  static Result<DataCopy> Make(const std::string& directory);
  DataCopy(DataCopy&& other) noexcept;
  DataCopy& operator=(DataCopy&& other) noexcept;
  ~DataCopy();  // Removes it.

  const std::string& path() const { return path_; }
  // False: a segment went that it links to.
  bool IsWhole() const;
  // The error, with the names of the files that were copied.
  Error Named(Error error) const;

 private:
  DataCopy(std::string directory, std::string path)
      : directory_(std::move(directory)), path_(std::move(path)) {}
  Result<void> CopyTails();
  // False: it changed meanwhile.
  Result<bool> CopyCatalog();
  Result<void> LinkSegments();

  std::string directory_;
  std::string path_;                   // Empty: moved away.
  std::vector<std::string> segments_;  // Names.
};

}  // namespace throughline::store::sql
