// Makes a data directory of a backup.
//
// The first thing written is DATA/restoring: the backup's catalog under another name. While it is
// there no store opens the directory, and fsck says so. Segments come next; then `restoring`
// becomes the catalog, in one step. A restore that was stopped, by whatever, goes on where it was.
#pragma once

#include <string>
#include <vector>

#include "correlate/result.h"
#include "store/backup/file_copy.h"
#include "store/sqlite/catalog.h"

namespace throughline::store::backup {

// A backup, and what is wrong with it.
struct Checked {
  sqlite::CatalogContent content;
  std::vector<care::Finding> findings;  // Of segments: one that is hurt may have several.
};

// Whether all that the catalog lists is there, with its size and hash. kNotFound: there is no
// backup. kConflict: a data directory with tails. kDataLoss: its catalog cannot be read.
// kUnavailable: stopped. The caller holds its lock, where it can be had.
Result<Checked> CheckBackup(const std::string& directory, const Options& options);

// Takes both locks; that of a backup on a disk that cannot be written is not needed.
//
// kConflict: `data` holds a store already. kDataLoss, and those of CheckBackup: the backup is
// damaged, and on_damage has said where; nothing was written. kUnavailable: either disk, another
// process has either, or stopped.
Result<Copied> Restore(const std::string& backup, const std::string& data, const Options& options);

// Bytes that Restore reads, for progress. 0: it cannot tell.
std::uint64_t BytesToRestore(const std::string& backup);

}  // namespace throughline::store::backup
