#include "store/segment/block_reader.h"

#include <iterator>

#include "store/segment/group_reader.h"

namespace throughline::store::segment {
namespace {

using sqlite::RecordKind;

Error Damaged() { return {Errc::kDataLoss, "a block is damaged"}; }

}  // namespace

Result<BlockReader> BlockReader::Open(std::string_view block, Strings& strings) {
  BlockReader reader(block, strings);
  Cursor cursor(block);
  const std::uint64_t count = cursor.Varint();
  if (count == 0 || count > block.size() / 16) return Damaged();
  reader.trace_count_ = count;
  for (std::size_t end = 0; end < count && !cursor.done();) {
    const auto tenant = static_cast<std::uint32_t>(cursor.Varint());
    const std::uint64_t traces = cursor.Varint();
    if (traces == 0 || traces > count - end) return Damaged();
    end += traces;
    reader.runs_.push_back({.tenant = tenant, .end = end});
  }
  const auto take = [&](std::size_t bytes) {
    if (static_cast<std::size_t>(cursor.end() - cursor.at()) < bytes) return std::string_view();
    return cursor.Take(bytes);
  };
  reader.ids_ = take(16 * count).data();
  if (reader.ids_ == nullptr) return Damaged();
  std::uint64_t spans = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t of_trace = cursor.Varint();
    if (of_trace > block.size()) return Damaged();
    reader.span_counts_.push_back(static_cast<std::uint32_t>(of_trace));
    spans += of_trace;
  }
  for (std::size_t i = 0; i < std::size(reader.groups_); ++i) {
    Group& group = reader.groups_[i];
    const std::uint64_t records = cursor.Varint();
    // Where the spans were removed their ids are left: lines and exemplars name them by place.
    if (i == 0 && records != spans && records != 0) return Damaged();
    if (i == 0 && spans > 0) {
      if (spans > block.size() / 8) return Damaged();
      reader.span_ids_ = take(8 * spans).data();
      if (reader.span_ids_ == nullptr) return Damaged();
    }
    if (records == 0) continue;
    if (records > UINT32_MAX) return Damaged();
    group.records = static_cast<std::uint32_t>(records);
    group.frame = cursor.at();
    Frame::Skip(cursor);
  }
  return reader;
}

TraceId BlockReader::IdOf(std::size_t trace) const {
  return {.high = NumberAt(ids_ + 16 * trace + 8), .low = NumberAt(ids_ + 16 * trace)};
}

std::uint32_t BlockReader::TenantOf(std::size_t trace) const {
  for (const Run& run : runs_) {
    if (trace < run.end) return run.tenant;
  }
  return 0;
}

std::pair<std::size_t, std::size_t> BlockReader::WithLow(std::uint32_t tenant,
                                                         std::uint64_t low) const {
  std::size_t begin = 0;
  for (const Run& run : runs_) {
    if (run.tenant != tenant) {
      begin = run.end;
      continue;
    }
    std::size_t first = begin;
    std::size_t last = run.end;
    while (first < last) {
      const std::size_t middle = first + (last - first) / 2;
      if (NumberAt(ids_ + 16 * middle) < low) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    while (last < run.end && NumberAt(ids_ + 16 * last) == low) ++last;
    return {first, last};
  }
  return {0, 0};
}

Result<std::uint64_t> BlockReader::CountOf(RecordKind kind, std::size_t trace) const {
  const Group& group = groups_[static_cast<std::size_t>(kind) - 1];
  if (group.records == 0) return 0;
  if (kind == RecordKind::kSpan) return span_counts_[trace];
  Cursor cursor(group.frame, block_.data() + block_.size());
  TL_TRY_ASSIGN(const Frame frame, Frame::Read(cursor));
  Cursor counts(frame.Column(kCounts));
  for (std::size_t i = 0; i < trace; ++i) counts.Varint();
  return counts.Varint();
}

Result<void> BlockReader::Read(RecordKind kind, std::size_t first, std::size_t last,
                               bool identities, Batch& to) const {
  const std::size_t group_index = static_cast<std::size_t>(kind) - 1;
  const Group& group = groups_[group_index];
  if (group.records == 0 || first >= last) return {};
  Cursor cursor(group.frame, block_.data() + block_.size());
  TL_TRY_ASSIGN(const Frame frame, Frame::Read(cursor));
  GroupReader reader(frame, *strings_, identities, to);
  const std::size_t spans_before = to.spans.size();
  const std::size_t logs_before = to.logs.size();
  const std::size_t exemplars_before = to.exemplars.size();
  const char* span_ids = span_ids_;
  for (std::size_t trace = 0; trace < last && !reader.done(); ++trace) {
    const std::size_t spans = span_counts_[trace];
    reader.BeginTrace(IdOf(trace), span_ids, spans, trace >= first);
    if (kind == RecordKind::kSpan) {
      for (std::size_t i = 0; i < spans && !reader.done(); ++i) reader.ReadSpan(i);
    } else {
      for (std::uint64_t left = reader.NextCount(); left > 0 && !reader.done(); --left) {
        kind == RecordKind::kLine ? reader.ReadLine() : reader.ReadExemplar();
      }
    }
    span_ids += 8 * spans;
  }
  if (!strings_->TakeDamage()) return {};
  // Records with holes would look whole, and have other identities.
  to.spans.resize(spans_before);
  to.logs.resize(logs_before);
  to.exemplars.resize(exemplars_before);
  return Damaged();
}

}  // namespace throughline::store::segment
