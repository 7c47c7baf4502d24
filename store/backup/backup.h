// Brings a backup to what a snapshot holds.
//
// A backup is a directory with segments and the catalog that lists them: a data directory without
// tails, which `fsck` can check and `restore` reads. Segments come first, under their own names;
// then the catalog takes the place of the old one in one step; then goes what the new one does not
// list. So the directory is a whole backup at every instant from the first one on, and a backup
// that was stopped, by whatever, goes on where it was. What is there already is not copied again: a
// segment never changes, and a half one never has its name.
#pragma once

#include <string>

#include "correlate/result.h"
#include "store/backup/file_copy.h"

namespace throughline::store::backup {

// `source` is a snapshot (snapshots.h), whose owner keeps it meanwhile. `target` is made where it
// is not there; its lock is held meanwhile.
//
// kConflict: `target` is something else, or the backup of another store. kDataLoss: a segment is
// damaged, or the catalog of either. kUnavailable: either disk, the snapshot is gone, another
// process works on `target`, or stopped. The backup that was there is whole after all of these.
Result<Copied> Backup(const std::string& source, const std::string& target, const Options& options);

}  // namespace throughline::store::backup
