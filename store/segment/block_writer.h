// Turns the records of whole traces into one block (format.md).
//
//   writer.BeginTrace(tenant, id);
//   writer.Add(record, arrival) ...           // In the order of arrival, of any kind.
//   if (writer.is_full()) block = writer.Finish();
//
// Records come as the memtable has them. A block ends at the end of a trace, unless the trace is
// larger than a block may be.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "correlate/batch.h"
#include "store/segment/columns.h"
#include "store/segment/dictionary_writer.h"
#include "store/segment/tag_filter.h"
#include "store/segment/text_filter.h"
#include "store/sqlite/record.h"

namespace throughline::store::segment {

// Columns of a group by their number in the frame; those of keys come behind, from kFirstKey on.
enum Column : std::uint32_t {
  kCounts,    // Records of each trace; those of spans stand before the groups.
  kHeads,     // What many records have in common.
  kTimes,     // Start or time, from that of the record before in the trace.
  kArrivals,  // From that of the record before in the block.
  kMore,      // Durations of spans; observed times of lines.
  kParents,   // Of spans: the place of the parent. Lines and exemplars: of their span.
  kEscapes,   // Ids that are at no place, and identities that cannot be computed.
  kTexts,     // Bodies of lines; values of exemplars.
  kRest,      // What few records have.
  kFirstKey
};

// How an attribute's value stands in the column of its key; else the rank of a string, and so many.
inline constexpr std::uint32_t kInline = 0;
inline constexpr std::uint32_t kOwnTraceId = 1;  // The record's trace id in hex, as a string.
inline constexpr std::uint32_t kOwnSpanId = 2;
inline constexpr std::uint32_t kFirstRank = 3;

// In a head of a line.
inline constexpr unsigned kObservedStored = 1;

// What searches ask for, of a record that was added. Ids are the memtable's.
struct SpanKeys {
  std::uint32_t service = sqlite::kNotInterned;
  std::uint32_t name = sqlite::kNotInterned;
  std::uint32_t kind = 0;
  std::uint32_t status_code = 0;
  std::uint64_t duration_ns = 0;
};
struct LineKeys {
  std::uint32_t service = sqlite::kNotInterned;
  std::uint32_t severity_number = 0;
};
struct ExemplarKeys {
  std::uint32_t metric = sqlite::kNotInterned;
  std::uint32_t unit = sqlite::kNotInterned;
  unsigned type = 0;
  double value = 0;
};

class BlockWriter {
 public:
  BlockWriter(DictionaryWriter& strings, TagGatherer& tags, TextGatherer& text)
      : strings_(strings), tags_(tags), text_(text) {}

  void BeginTrace(std::uint32_t tenant, TraceId id);
  SpanKeys AddSpan(sqlite::RecordView record, std::uint64_t arrival_unix_ns);
  LineKeys AddLine(sqlite::RecordView record, std::uint64_t arrival_unix_ns);
  ExemplarKeys AddExemplar(sqlite::RecordView record, std::uint64_t arrival_unix_ns);

  bool is_empty() const { return records_ == 0; }
  // Worth a block.
  bool is_full() const { return records_ >= kRecords || raw_bytes_ >= kRawBytes; }
  // Must end even inside a trace.
  bool is_over() const { return records_ >= 4 * kRecords || raw_bytes_ >= 8 * kRawBytes; }
  std::size_t records() const { return records_; }
  // The block; the writer is empty then.
  std::string Finish();
  // Of the block that was finished last.
  struct First {
    std::uint32_t tenant = 0;
    TraceId id;
  };
  First first() const { return first_; }

 private:
  static constexpr std::size_t kRecords = 128;
  static constexpr std::size_t kRawBytes = 96U << 10U;  // About; before compression.
  static constexpr int kLevel = 1;

  // One kind of record.
  struct Group {
    std::uint32_t records = 0;        // Of the block,
    std::uint32_t trace_records = 0;  // of the trace at hand.
    std::uint64_t last_time = 0;
    std::uint64_t last_arrival = 0;
    std::string ids;  // Span ids, of spans.
    std::string counts;
    std::string heads;
    TimeColumn times;
    TimeColumn arrivals;
    TimeColumn more;
    std::string parents;
    std::string escapes;
    std::string texts;
    std::string rest;
    std::vector<std::string> keys;  // By key.
    std::vector<std::uint32_t> used_keys;
  };

  void EndTrace();
  void AddCommon(std::uint64_t time, std::uint64_t arrival, Group& group);
  // The place of a span in the trace at hand, from 1; 0: none.
  std::uint32_t PlaceOf(std::uint64_t span_id) const;
  void PutPlace(std::uint64_t span_id, Group& group);
  // Returns the memtable's id.
  std::uint32_t PutHeadString(Cursor& cursor);
  // Values go to their keys' columns, keys to the head.
  void PutAttributes(Cursor& cursor, sqlite::RecordKind kind, std::uint64_t span_id, Group& group);
  void PutValue(std::string_view key_value, std::uint64_t span_id, Group& group);
  void PutKey(std::uint32_t key);
  // What few records have, with its strings.
  void PutRestString(Cursor& cursor, std::string& rest);
  void PutRestAttributes(Cursor& cursor, std::string& rest);
  void PutBody(std::string_view body, std::uint64_t span_id, std::string& texts);
  // What of a body can be searched for, but for what was cut out of it.
  void NoteText(std::string_view body);
  std::string& KeyColumn(std::uint32_t key, Group& group);
  void PutGroup(Group& group, std::string& out);

  DictionaryWriter& strings_;
  TagGatherer& tags_;
  TextGatherer& text_;
  std::vector<TextGatherer::Cut> cuts_;  // Of the body at hand.
  FrameWriter frame_;
  std::vector<First> traces_;
  First first_;
  std::string trace_hex_;  // Of the trace at hand.
  std::vector<std::uint64_t> span_ids_;
  std::unordered_map<std::uint64_t, std::uint32_t> places_;  // Of large traces.
  std::string head_;
  std::string keys_;  // Of the head at hand.
  std::uint32_t key_count_ = 0;
  std::array<Group, 3> groups_;
  std::size_t records_ = 0;
  std::size_t raw_bytes_ = 0;
};

}  // namespace throughline::store::segment
