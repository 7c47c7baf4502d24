// The targets that files name, read again when the files change.
//
// A file that cannot be read keeps the groups that it last gave, so that a half-written one costs
// nothing; one that is gone takes its groups with it. Not thread-safe. Blocks on the file system.
// Source: Prometheus, docs/configuration/configuration.md, "file_sd_config".
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gateway/scrape/job.h"

namespace throughline::gateway::scrape {

class FileDiscovery {
 public:
  static constexpr std::size_t kFileBytes = 4UL << 20U;  // Of one file; larger ones are not read.

  explicit FileDiscovery(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  // Looks at every file that matches, and reads those that changed. True: groups() may differ.
  bool Refresh();

  // Of all files, in the order of their paths.
  std::vector<TargetGroup> groups() const;

  // Why files could not be read by the last Refresh: "targets.yml:3: ...".
  const std::vector<std::string>& errors() const { return errors_; }

 private:
  // What of a file changes when it is written or replaced.
  struct Stamp {
    std::int64_t modified_ns = 0;
    off_t size = 0;
    ino_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct File {
    Stamp stamp;
    bool good = false;  // Its last version could be read.
    std::vector<TargetGroup> groups;
  };

  bool Read(const std::string& path, File& file);

  const std::vector<std::string> patterns_;
  std::map<std::string, File> files_;  // By path.
  std::vector<std::string> errors_;
};

}  // namespace throughline::gateway::scrape
