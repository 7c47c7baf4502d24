// Reads one kind of record, trace by trace, from the columns of its group in a block (format.md).
//
//   GroupReader reader(frame, strings, true, batch);
//   for each trace: reader.BeginTrace(id, ...); reader.ReadSpan(0); ...
//
// What is damaged reads as nothing. One thread; for BlockReader.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "correlate/batch.h"
#include "store/segment/block_writer.h"
#include "store/segment/columns.h"
#include "store/segment/strings.h"
#include "store/sqlite/batch_parts.h"

namespace throughline::store::segment {

inline std::uint64_t NumberAt(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Strings of one record's place, or of another: the rows that one column reads are near each other.
class ColumnStrings {
 public:
  std::string_view At(std::uint32_t id, Strings& strings) {
    if (!row_.Holds(id)) row_ = strings.RowOf(StringSpace::kStrings, id);
    return row_.At(id);
  }

 private:
  StringRow row_;
};

class GroupReader {
 public:
  GroupReader(const Frame& frame, Strings& strings, bool identities, Batch& to)
      : frame_(frame),
        strings_(strings),
        identities_(identities),
        to_(to),
        parts_(identities ? sqlite::BatchParts(to, strings.hash_seed()) : sqlite::BatchParts(to)),
        counts_(frame.Column(kCounts)),
        heads_(frame.Column(kHeads)),
        times_(frame.Column(kTimes)),
        arrivals_(frame.Column(kArrivals)),
        more_(frame.Column(kMore)),
        places_(frame.Column(kParents)),
        escapes_(frame.Column(kEscapes)),
        texts_(frame.Column(kTexts)),
        rest_(frame.Column(kRest)) {}

  std::uint64_t NextCount() { return counts_.Varint(); }
  bool done() const { return heads_.done(); }

  // `span_ids`: those of the trace. `keep` false: only moves on.
  void BeginTrace(TraceId id, const char* span_ids, std::size_t span_count, bool keep) {
    id_ = id;
    span_ids_ = span_ids;
    span_count_ = span_count;
    keep_ = keep;
    if (keep) hex_ = ToHex(id);
  }
  void ReadSpan(std::size_t place);
  void ReadLine();
  void ReadExemplar();

 private:
  struct KeyColumn {
    Cursor values{std::string_view()};
    const Strings::Key* key = nullptr;
    ColumnStrings row;
  };
  // A head, taken apart once.
  struct Head {
    unsigned flags[4] = {};
    std::uint64_t kind = 0;  // Or the severity number.
    std::uint64_t status = 0;
    std::uint64_t span_flags = 0;  // Or those of the line.
    double le = 0;
    // Numbers of strings, id + 1.
    std::uint64_t name = 0;  // Or severity text, or metric.
    std::uint64_t unit = 0;
    std::uint64_t resource = 0;
    std::uint64_t service = 0;
    std::uint64_t scope = 0;
    std::uint64_t event_name = 0;
    std::uint64_t own_service = 0;
    std::vector<KeyColumn*> keys;
    std::vector<KeyColumn*> more_keys;
    std::uint32_t resource_index = kNoIndex;  // In the batch; once one was read.
    std::uint32_t scope_index = kNoIndex;
    bool has_indexes = false;
    std::string_view name_text;  // In the arena.
  };

  const Head& NextHead(sqlite::RecordKind kind);
  Head& HeadOf(std::uint32_t id, sqlite::RecordKind kind);
  void ParseSpanHead(Cursor cursor, Head& head);
  void ParseLineHead(Cursor cursor, Head& head);
  void ParseExemplarHead(Cursor cursor, Head& head);
  void ParseKeys(Cursor& cursor, std::vector<KeyColumn*>& keys);
  void Resolve(bool has_resource, bool has_scope, Head& head);

  std::string_view Text(std::uint64_t string) {
    if (string == 0) return {};
    return to_.arena.Copy(strings_.Text(static_cast<std::uint32_t>(string - 1)));
  }
  SpanId NextPlace();
  Range Attributes(const std::vector<KeyColumn*>& keys, SpanId span_id);
  Attribute Value(KeyColumn& column, SpanId span_id);
  Attribute Remade(std::string_view key, std::string_view any_value) {
    return MakeAttribute(key, any_value, strings_.hash_seed(), to_.arena);
  }
  Range RestAttributes();
  std::string_view NextBody(SpanId span_id);
  void ReadEvents(Span& span);
  void ReadLinks(Span& span);

  const Frame& frame_;
  Strings& strings_;
  const bool identities_;
  Batch& to_;
  sqlite::BatchParts parts_;
  Cursor counts_;
  Cursor heads_;
  TimeReader times_;
  TimeReader arrivals_;
  TimeReader more_;
  Cursor places_;
  Cursor escapes_;
  Cursor texts_;
  Cursor rest_;
  std::unordered_map<std::uint32_t, KeyColumn> keys_;
  std::unordered_map<std::uint32_t, Head> parsed_;
  // In front of parsed_: records have few heads.
  static constexpr std::size_t kRecentHeads = 64;
  struct Recent {
    std::uint32_t id = 0;
    Head* head = nullptr;
  };
  Recent recent_[kRecentHeads];
  StringRow heads_row_;

  TraceId id_;
  std::string hex_;
  const char* span_ids_ = nullptr;
  std::size_t span_count_ = 0;
  bool keep_ = false;
  std::uint64_t time_ = 0;
  std::uint64_t arrival_ = 0;
};

}  // namespace throughline::store::segment
