// What links to an id, in all parts of a view.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/segment/segment.h"
#include "store/sqlite/search.h"

namespace throughline::store::sqlite {

// Why an answer is incomplete.
inline constexpr const char* kLimitReason = "limit";
inline constexpr const char* kDeadlineReason = "deadline";
inline constexpr const char* kDamagedReason = "damaged";

class FoundTrace {
 public:
  // The view must outlive it.
  FoundTrace(const View& view, TraceId id);

  // See TraceRecords::matches.
  const std::vector<TraceId>& matches() const { return matches_; }
  bool was_damaged() const { return damaged_; }

  struct Kinds {
    bool spans = true;
    bool logs = true;
    bool exemplars = true;
  };
  // Appends the records that link to `match`, each once, at most `limit`. Why some are missing;
  // empty: none is.
  std::string Read(TraceId match, Kinds kinds, std::size_t limit, Batch& to) const;

 private:
  struct Hot {
    const Memtable::Snapshot* snapshot = nullptr;
    std::vector<Memtable::Snapshot::Trace> traces;
  };

  const View& view_;
  std::vector<Hot> hot_;
  std::vector<std::unique_ptr<segment::SealedTrace>> sealed_;
  std::vector<TraceId> matches_;
  bool damaged_ = false;
};

}  // namespace throughline::store::sqlite
