// Where following of files stands, on disk: DIR/follow.json.
//
// Written as a whole to a file beside it, which then takes its name: after a crash there is the old
// state or the new one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"

namespace throughline::gateway {

struct FollowedFile {
  std::string path;  // By which it was found first.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t id = 0;           // Its own for ever; a truncated file gets another.
  std::uint64_t offset = 0;       // Of what is not committed yet: the begin of a line.
  bool skipping = false;          // The offset stands inside a line whose rest is left out.
  std::uint64_t print = 0;        // A hash of its first bytes: device and inode are used again.
  std::uint64_t print_bytes = 0;  // How many that were.
};

struct FollowState {
  std::uint64_t next_id = 1;
  std::vector<std::string> patterns;  // As of the last run.
  std::vector<FollowedFile> files;
};

std::string FollowStateText(const FollowState& state);
// kDataLoss: it is none.
Result<FollowState> ParseFollowState(std::string_view text);

// kNotFound: there is none yet. kDataLoss: it cannot be read.
Result<FollowState> ReadFollowState(const std::string& path);
// kUnavailable: it cannot be written.
Result<void> WriteFollowState(const FollowState& state, const std::string& path);

}  // namespace throughline::gateway
