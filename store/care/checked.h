// Which segments a check that was stopped had found whole, so that the next one does not read them
// again.
//
// Kept in DATA/fsck.state between the two. A sealed file is never changed: one of the same size and
// time of change, whose row in the catalog has the same hash, is taken for the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "correlate/result.h"
#include "store/care/check_segment.h"
#include "store/segment/segment_info.h"
#include "wire/json_cursor.h"

namespace throughline::store::care {

inline constexpr std::string_view kCheckedFile = "fsck.state";

class Checked {
 public:
  // Nothing is known where the state is missing or cannot be understood.
  static Checked Load(const std::string& directory);

  // What CheckSegment said of a segment that it found whole; absent: it is to be checked.
  std::optional<SegmentFacts> FactsOf(const std::string& name,
                                      const segment::SegmentInfo& row) const;
  // It was found whole, and is what `row` says.
  void Add(const std::string& name, const segment::SegmentInfo& row, const SegmentFacts& facts);
  std::size_t size() const { return files_.size(); }

  Result<void> Save() const;
  // For who is done: the next check reads all.
  Result<void> Remove() const;

 private:
  struct File {
    std::uint64_t bytes = 0;
    std::uint64_t changed_unix_ns = 0;
    std::uint64_t hash = 0;
    bool has_seed = false;
    std::uint64_t hash_seed = 0;
    std::uint32_t most_tenant = 0;
  };
  explicit Checked(std::string directory) : directory_(std::move(directory)) {}
  std::string StatePath() const { return directory_ + '/' + std::string(kCheckedFile); }
  bool Parse(std::string_view text);
  void ParseFile(wire::JsonCursor& json);

  std::string directory_;
  std::map<std::string, File, std::less<>> files_;  // By name.
};

}  // namespace throughline::store::care
