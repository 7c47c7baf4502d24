// Reads the records of a block (format.md) into batches.
//
// Only the groups that are asked for are inflated. What is damaged reads as less or as nothing;
// never past the block. A reader belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "store/segment/columns.h"
#include "store/segment/strings.h"
#include "store/sqlite/record.h"

namespace throughline::store::segment {

class BlockReader {
 public:
  // `block` and `strings` must outlive the reader.
  static Result<BlockReader> Open(std::string_view block, Strings& strings);

  std::size_t trace_count() const { return trace_count_; }
  // Records of one kind, as the block says.
  std::size_t record_count(sqlite::RecordKind kind) const {
    return groups_[static_cast<std::size_t>(kind) - 1].records;
  }
  TraceId IdOf(std::size_t trace) const;
  std::uint32_t TenantOf(std::size_t trace) const;
  // The traces of a tenant whose ids have this low half: [first, last).
  std::pair<std::size_t, std::size_t> WithLow(std::uint32_t tenant, std::uint64_t low) const;

  // Records of one kind of a trace. kDataLoss: the group is damaged.
  Result<std::uint64_t> CountOf(sqlite::RecordKind kind, std::size_t trace) const;
  // Appends the records of one kind of the traces [first, last) to the batch. With `identities`
  // they have theirs, which costs hashing all that they hold; without, the identities are zero.
  // kDataLoss: the group is damaged.
  Result<void> Read(sqlite::RecordKind kind, std::size_t first, std::size_t last, bool identities,
                    Batch& to) const;

 private:
  BlockReader(std::string_view block, Strings& strings) : block_(block), strings_(&strings) {}

  std::string_view block_;
  Strings* strings_;
  std::size_t trace_count_ = 0;
  struct Run {
    std::uint32_t tenant = 0;
    std::size_t end = 0;  // Of its traces.
  };
  std::vector<Run> runs_;
  const char* ids_ = nullptr;
  std::vector<std::uint32_t> span_counts_;
  struct Group {
    std::uint32_t records = 0;
    const char* frame = nullptr;
  };
  const char* span_ids_ = nullptr;
  Group groups_[3];
};

}  // namespace throughline::store::segment
