// Records as bytes (format.md): what the memtable holds and the tail file keeps.
//
// RecordWriter puts the records of one batch behind each other, interning what repeats. RecordView
// reads the fixed part of one record in place; RecordReader turns whole records into those of a
// Batch, whose views point into the dictionary and the record.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "store/sqlite/batch_parts.h"
#include "store/sqlite/dictionary.h"

namespace throughline::store::sqlite {

enum class RecordKind : std::uint8_t { kSpan = 1, kLine = 2, kExemplar = 3, kGauges = 4 };

inline constexpr std::size_t kFixedBytes = 60;

// The fixed part of a record, in place. Gauges have a shorter one (gauge_record.h), of which only
// size and kind are here.
class RecordView {
 public:
  explicit RecordView(const char* at) : at_(at) {}

  std::uint32_t size() const { return Load<std::uint32_t>(0); }
  std::uint32_t next() const { return Load<std::uint32_t>(4); }
  RecordKind kind() const { return static_cast<RecordKind>(at_[8]); }
  TraceId trace_id() const {
    return {.high = Load<std::uint64_t>(12), .low = Load<std::uint64_t>(20)};
  }
  SpanId span_id() const { return {.value = Load<std::uint64_t>(28)}; }
  std::uint64_t identity() const { return Load<std::uint64_t>(36); }
  // Start of a span, time of a line or an exemplar, as sent.
  std::uint64_t time_unix_ns() const { return Load<std::uint64_t>(44); }
  // Lines only.
  std::uint64_t observed_unix_ns() const { return Load<std::uint64_t>(52); }

  const char* data() const { return at_; }

 private:
  template <typename T>
  T Load(std::size_t offset) const {
    T value;
    std::memcpy(&value, at_ + offset, sizeof value);
    return value;
  }
  const char* at_;
};

// What the store must know of a record that it just wrote, to link and to count it.
struct Written {
  std::uint32_t service = kNotInterned;  // Ids of the dictionary.
  std::uint32_t name = kNotInterned;     // Of a span.
};

class RecordWriter {
 public:
  RecordWriter(Dictionary& dictionary, const Batch& batch);

  // An upper bound of the bytes that the record takes.
  std::size_t Bound(const Span& span) const;
  std::size_t Bound(const LogLine& line) const;
  std::size_t Bound(const Exemplar& exemplar) const;
  // Upper bound of what the batch may add to the dictionary.
  std::size_t DictionaryBound() const;

  // Writes at `to` and returns the size.
  std::size_t Write(const Span& span, char* to, Written& written);
  std::size_t Write(const LogLine& line, char* to, Written& written);
  std::size_t Write(const Exemplar& exemplar, char* to, Written& written);

  // Pieces, for gauge_record.h.
  const Batch& batch() const { return batch_; }
  char* PutAttributes(Range range, char* to);
  std::uint32_t ResourceId(std::uint32_t index);
  std::uint32_t ServiceId(std::uint32_t index);
  std::uint32_t TextId(std::string_view text) {
    return text.empty() ? kNotInterned : dictionary_.Intern(text);
  }
  std::string& scratch() { return scratch_; }

 private:
  std::size_t AttributesBound(Range range) const;
  char* PutEvents(const Span& span, char* to);
  char* PutLinks(const Span& span, char* to);
  std::uint32_t ScopeId(std::uint32_t index);

  Dictionary& dictionary_;
  const Batch& batch_;
  // By index of the batch; kNotInterned: not asked for yet.
  std::vector<std::uint32_t> resource_ids_;
  std::vector<std::uint32_t> service_ids_;
  std::vector<std::uint32_t> scope_ids_;
  std::string scratch_;
};

class Cursor;  // record_bytes.h.

// Reads records of one snapshot into one Batch. What the bytes do not hold is left out: what is
// stored was checked on the way in, and damage must not crash a reader.
class RecordReader {
 public:
  RecordReader(const Dictionary& dictionary, Batch& batch)
      : dictionary_(dictionary), batch_(batch), parts_(batch) {}
  // With a seed for identities to be computed (batch_parts.h).
  RecordReader(const Dictionary& dictionary, Batch& batch, std::uint64_t seed)
      : dictionary_(dictionary), batch_(batch), parts_(batch, seed) {}

  // Appends the record to batch.spans, logs or exemplars.
  void Read(RecordView record, std::uint64_t arrival_unix_ns);

  // Pieces, for gauge_record.h.
  Range Attributes(Cursor& cursor);
  std::uint32_t ResourceIndex(Cursor& cursor);

 private:
  void ReadSpan(RecordView record, std::uint64_t arrival_unix_ns);
  void ReadLine(RecordView record, std::uint64_t arrival_unix_ns);
  void ReadExemplar(RecordView record, std::uint64_t arrival_unix_ns);
  // Of a string's number in a record.
  std::string_view Text(std::uint64_t string) const;
  std::uint32_t ScopeIndex(std::uint64_t string);
  void ReadEvents(Cursor& cursor, Span& span);
  void ReadLinks(Cursor& cursor, Span& span);

  const Dictionary& dictionary_;
  Batch& batch_;
  BatchParts parts_;
};

}  // namespace throughline::store::sqlite
