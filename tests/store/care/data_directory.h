// A data directory for tests of its care: two segments and a tail, of two tenants, with every kind
// of record; and ways to hurt it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/sqlite/sqlite_store.h"

namespace throughline::store::care {

class DataDirectory {
 public:
  DataDirectory();
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string PathOf(const std::string& file) const { return path_ + '/' + file; }

  // Fills it, and closes it.
  void Fill();
  std::unique_ptr<SqliteStore> Open(const std::string& directory) const;
  // Appends batch `number` of tenant "default", or of "other".
  static void Append(SqliteStore& store, std::uint64_t number);

  void Flip(const std::string& file, std::uint64_t offset, unsigned mask = 1) const;
  std::uint64_t SizeOf(const std::string& file) const;
  void Edit(const std::string& file, const std::string& sql) const;
  // Puts everything back as it was after Fill.
  void Restore() const;

  // All answers of the store in a directory, as text; "cannot open: …".
  std::string Answers(const std::string& directory) const;
  std::string Answers() const { return Answers(path_); }

 private:
  std::string path_;
  std::string kept_;
};

}  // namespace throughline::store::care
