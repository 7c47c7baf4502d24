#include "store/segment/columns.h"

#include <zstd.h>

#include <algorithm>

#include "correlate/check.h"

namespace throughline::store::segment {
namespace {

constexpr std::uint64_t kUnits[] = {1, 1'000, 1'000'000, 1'000'000'000};

Error Damaged() { return {Errc::kDataLoss, "a block is damaged"}; }

// Costly to make: one a thread.
ZSTD_DCtx_s* Inflater() {
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }
  };
  static thread_local const std::unique_ptr<ZSTD_DCtx_s, Free> context(ZSTD_createDCtx());
  return context.get();
}

}  // namespace

std::string TimeColumn::Take() {
  std::size_t unit = std::size(kUnits) - 1;
  for (const std::uint64_t difference : differences_) {
    const auto number = static_cast<std::int64_t>(difference);
    while (unit > 0 && number % static_cast<std::int64_t>(kUnits[unit]) != 0) --unit;
    if (unit == 0) break;
  }
  std::string out;
  out.reserve(differences_.size() * 4 + 1);
  out += static_cast<char>(unit);
  for (const std::uint64_t difference : differences_) {
    const auto number = static_cast<std::int64_t>(difference);
    const std::int64_t units =
        unit == 0 ? number : number / static_cast<std::int64_t>(kUnits[unit]);
    AppendVarint(ZigZag(static_cast<std::uint64_t>(units)), out);
  }
  differences_.clear();
  return out;
}

TimeReader::TimeReader(std::string_view column) : cursor_(column) {
  const auto unit = static_cast<unsigned char>(cursor_.Fixed<char>());
  unit_ = unit < std::size(kUnits) ? kUnits[unit] : 1;
}

FrameWriter::FrameWriter() : context_(ZSTD_createCCtx()) { TL_CHECK(context_ != nullptr); }

FrameWriter::~FrameWriter() { ZSTD_freeCCtx(context_); }

void FrameWriter::Begin() {
  directory_.clear();
  columns_.clear();
  count_ = 0;
  last_id_ = 0;
}

void FrameWriter::Add(std::uint32_t id, std::string_view column) {
  if (column.empty()) return;
  AppendVarint(id - last_id_, directory_);
  AppendVarint(column.size(), directory_);
  last_id_ = id;
  ++count_;
  columns_ += column;
}

void FrameWriter::Put(int level, std::string& out) {
  std::string raw;
  AppendVarint(count_, raw);
  raw += directory_;
  raw += columns_;
  std::string compressed(ZSTD_compressBound(raw.size()), '\0');
  const std::size_t size = ZSTD_compressCCtx(context_, compressed.data(), compressed.size(),
                                             raw.data(), raw.size(), level);
  TL_CHECK(!ZSTD_isError(size));
  AppendVarint(raw.size(), out);
  AppendVarint(size, out);
  out.append(compressed.data(), size);
}

Result<Frame> Frame::Read(Cursor& cursor) {
  const std::uint64_t size = cursor.Varint();
  const std::string_view compressed = cursor.Bytes();
  // The frame knows its size too: a claim that it does not confirm allocates nothing.
  if (size > kFrameBytesAtMost ||
      ZSTD_getFrameContentSize(compressed.data(), compressed.size()) != size) {
    return Damaged();
  }
  Frame frame;
  frame.bytes_ = std::make_unique_for_overwrite<char[]>(size);
  const std::size_t inflated = ZSTD_decompressDCtx(Inflater(), frame.bytes_.get(), size,
                                                   compressed.data(), compressed.size());
  if (ZSTD_isError(inflated) || inflated != size) return Damaged();
  Cursor directory(frame.bytes_.get(), frame.bytes_.get() + size);
  const std::uint64_t count = directory.Varint();
  std::uint32_t id = 0;
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t i = 0; i < count && !directory.done(); ++i) {
    id += static_cast<std::uint32_t>(directory.Varint());
    frame.entries_.push_back({.id = id, .column = {}});
    sizes.push_back(directory.Varint());
  }
  const char* at = directory.at();
  const char* const end = frame.bytes_.get() + size;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > static_cast<std::size_t>(end - at)) return Damaged();
    frame.entries_[i].column = {at, sizes[i]};
    at += sizes[i];
  }
  return frame;
}

void Frame::Skip(Cursor& cursor) {
  cursor.Varint();
  cursor.Bytes();
}

std::string_view Frame::Column(std::uint32_t id) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), id,
                       [](const Entry& entry, std::uint32_t wanted) { return entry.id < wanted; });
  return found != entries_.end() && found->id == id ? found->column : std::string_view();
}

}  // namespace throughline::store::segment
