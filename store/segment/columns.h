// The columns of a block (format.md): values of one field behind each other, all columns of a group
// compressed together as one frame.
//
// Writers collect; Put* appends the frame. A Frame is one inflated again; what it does not hold
// reads as nothing, so that damage never crashes a reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"
#include "store/sqlite/record_bytes.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace throughline::store::segment {

using sqlite::Cursor;

inline void AppendVarint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
}
// Small for numbers near zero on either side, modulo 2^64.
inline std::uint64_t ZigZag(std::uint64_t difference) {
  return (difference << 1U) ^ (0 - (difference >> 63U));
}
inline std::uint64_t UnZigZag(std::uint64_t value) { return (value >> 1U) ^ (0 - (value & 1U)); }

// Differences of times. Few senders have a clock of nanoseconds: where all are multiples of
// 10^3, 10^6 or 10^9, they are written in that unit.
class TimeColumn {
 public:
  void Add(std::uint64_t difference) { differences_.push_back(difference); }
  // Takes the column's bytes; the column is empty then.
  std::string Take();

 private:
  std::vector<std::uint64_t> differences_;
};

class TimeReader {
 public:
  explicit TimeReader(std::string_view column);
  std::uint64_t Next() { return UnZigZag(cursor_.Varint()) * unit_; }

 private:
  Cursor cursor_;
  std::uint64_t unit_ = 1;
};

// Compresses one frame after the other; costly to make, so kept. One thread.
class FrameWriter {
 public:
  FrameWriter();
  ~FrameWriter();
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  // Starts a frame; its columns come in ascending order of `id`. Empty ones are left out.
  void Begin();
  void Add(std::uint32_t id, std::string_view column);
  // Appends the frame. `level` is zstd's.
  void Put(int level, std::string& out);

 private:
  ZSTD_CCtx_s* const context_;
  std::string directory_;
  std::string columns_;
  std::uint32_t count_ = 0;
  std::uint32_t last_id_ = 0;
};

// More than any frame that is written has inflated.
inline constexpr std::size_t kFrameBytesAtMost = std::size_t{1} << 30U;

class Frame {
 public:
  // Inflates the frame that `cursor` stands at, and moves it behind. kDataLoss: damaged.
  static Result<Frame> Read(Cursor& cursor);
  // Moves `cursor` behind a frame without looking at it.
  static void Skip(Cursor& cursor);

  std::string_view Column(std::uint32_t id) const;

 private:
  std::unique_ptr<char[]> bytes_;
  // Sorted by id.
  struct Entry {
    std::uint32_t id = 0;
    std::string_view column;
  };
  std::vector<Entry> entries_;
};

}  // namespace throughline::store::segment
