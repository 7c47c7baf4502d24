#include "store/segment/search_columns.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <tuple>

#include "store/sqlite/record.h"

namespace throughline::store::segment {
namespace {

// Columns of a part.
enum : std::uint32_t { kTimes, kDurations, kValues, kNames, kEntryNames, kLowBlocks, kHighBlocks };

constexpr int kLevel = 1;

double ValueOf(const SearchEntry& entry, std::uint32_t record_kind) {
  switch (static_cast<sqlite::RecordKind>(record_kind)) {
    case sqlite::RecordKind::kSpan: return static_cast<double>(entry.duration_ns);
    case sqlite::RecordKind::kLine: return entry.status;
    default: return entry.value;
  }
}

}  // namespace

SearchBounds BoundsOf(const SearchEntry* entries, std::size_t count, std::uint32_t record_kind) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  SearchBounds bounds{.least = kInfinity, .most = -kInfinity};
  for (std::size_t i = 0; i < count; ++i) {
    bounds.first_unix_ns = std::min(bounds.first_unix_ns, entries[i].time_unix_ns);
    bounds.last_unix_ns = std::max(bounds.last_unix_ns, entries[i].time_unix_ns);
    const double value = ValueOf(entries[i], record_kind);
    // NaN is in no range that is asked for, so it bounds none.
    if (std::isnan(value)) continue;
    bounds.least = std::min(bounds.least, value);
    bounds.most = std::max(bounds.most, value);
  }
  // A duration of 2^53 ns and more is rounded.
  bounds.least = std::nextafter(bounds.least, -kInfinity);
  bounds.most = std::nextafter(bounds.most, kInfinity);
  return bounds;
}

void PutPart(const SearchEntry* entries, std::size_t count, FrameWriter& frame, std::string& out) {
  TimeColumn times;
  TimeColumn durations;
  std::string values;
  std::string names;
  std::string entry_names;
  std::string low_blocks;
  std::string high_blocks;
  // (name, kind, status) are few together: a number each.
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t> known;
  std::uint64_t last = 0;
  bool has_durations = false;
  bool has_values = false;
  for (std::size_t i = 0; i < count; ++i) {
    const SearchEntry& entry = entries[i];
    times.Add(entry.time_unix_ns - last);
    last = entry.time_unix_ns;
    has_durations = has_durations || entry.duration_ns != 0;
    durations.Add(entry.duration_ns);
    has_values = has_values || entry.value != 0;
    char value[sizeof entry.value];
    std::memcpy(value, &entry.value, sizeof value);
    values.append(value, sizeof value);
    const auto [found, is_new] = known.try_emplace({entry.name, entry.kind, entry.status},
                                                   static_cast<std::uint32_t>(known.size()));
    if (is_new) {
      AppendVarint(entry.name, names);
      AppendVarint(entry.kind, names);
      AppendVarint(entry.status, names);
    }
    AppendVarint(found->second, entry_names);
    low_blocks += static_cast<char>(entry.block & 0xffU);
    AppendVarint(entry.block >> 8U, high_blocks);
  }
  AppendVarint(count, out);
  frame.Begin();
  frame.Add(kTimes, times.Take());
  if (has_durations) frame.Add(kDurations, durations.Take());
  if (has_values) frame.Add(kValues, values);
  frame.Add(kNames, names);
  frame.Add(kEntryNames, entry_names);
  frame.Add(kLowBlocks, low_blocks);
  frame.Add(kHighBlocks, high_blocks);
  frame.Put(kLevel, out);
}

Result<std::vector<SearchEntry>> ReadPart(std::string_view part) {
  Cursor cursor(part);
  const std::uint64_t count = cursor.Varint();
  if (count > kPartRecords) return Error{Errc::kDataLoss, "a part of the search is damaged"};
  TL_TRY_ASSIGN(const Frame frame, Frame::Read(cursor));
  struct Name {
    std::uint32_t name = 0;
    std::uint32_t kind = 0;
    std::uint32_t status = 0;
  };
  std::vector<Name> names;
  for (Cursor column(frame.Column(kNames)); !column.done();) {
    Name name;
    name.name = static_cast<std::uint32_t>(column.Varint());
    name.kind = static_cast<std::uint32_t>(column.Varint());
    name.status = static_cast<std::uint32_t>(column.Varint());
    names.push_back(name);
  }
  TimeReader times(frame.Column(kTimes));
  TimeReader durations(frame.Column(kDurations));
  Cursor values(frame.Column(kValues));
  Cursor entry_names(frame.Column(kEntryNames));
  Cursor low_blocks(frame.Column(kLowBlocks));
  Cursor high_blocks(frame.Column(kHighBlocks));
  std::vector<SearchEntry> entries(count);
  std::uint64_t time = 0;
  for (SearchEntry& entry : entries) {
    time += times.Next();
    entry.time_unix_ns = time;
    entry.duration_ns = durations.Next();
    entry.value = values.Fixed<double>();
    const std::uint64_t name = entry_names.Varint();
    if (name < names.size()) {
      entry.name = names[name].name;
      entry.kind = names[name].kind;
      entry.status = names[name].status;
    }
    entry.block = static_cast<unsigned char>(low_blocks.Fixed<char>()) |
                  static_cast<std::uint32_t>(high_blocks.Varint() << 8U);
  }
  return entries;
}

}  // namespace throughline::store::segment
