// What enriching adds to one record, whatever the record's format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "logs/enrich.h"

namespace throughline::logs {

enum class TraceField : std::uint8_t {
  kId,
  kSpanId,
  kState,
  kService,
  kOperation,
  kDurationNs,
  kError,
  kSampled,
  kUrl
};
inline constexpr std::size_t kTraceFields = 9;

// "trace.id", "span.id", "trace.state", ...
std::string_view TraceFieldName(TraceField field);

// One field with its value: text, or an integer, or a truth.
struct AddedField {
  TraceField field = TraceField::kId;
  enum class Type : std::uint8_t { kText, kInteger, kBool } type = Type::kText;
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;

  std::string_view name() const { return TraceFieldName(field); }
  // The value as text, whatever its type.
  std::string ValueText() const;
};

// Says what to add to the records of one request. Views options and lookup, which must outlive it.
class TraceFields {
 public:
  TraceFields(const EnrichOptions& options, const TraceLookup& lookup);

  // The fields for a record with the ids of `line`, less those that a name in `existing` has taken
  // (also inside a map called "trace" or "span"). `malformed` says why its id is none; with neither
  // an id nor a reason there is nothing to add. Valid until the next call.
  std::span<const AddedField> For(const LogLine& line, std::string_view malformed,
                                  std::span<const Attribute> existing);

 private:
  void Collect(const LogLine& line);
  void Text(TraceField field, std::string text);
  void Bool(TraceField field, bool value);
  bool Wanted(TraceField field) const {
    return wanted_[static_cast<std::size_t>(field)] && !taken_[static_cast<std::size_t>(field)];
  }
  void FindTaken(std::span<const Attribute> existing);
  std::string Url(TraceId trace_id) const;

  const EnrichOptions& options_;
  const TraceLookup& lookup_;
  bool wanted_[kTraceFields] = {};
  bool taken_[kTraceFields] = {};
  std::vector<AddedField> added_;
};

// As members of a JSON object, with a comma before each and, where `first`, not before the first.
// With `as_text` every value is a string.
void AppendJsonMembers(std::span<const AddedField> fields, bool first, bool as_text,
                       std::string& out);

// The bytes of a body with insertions and replacements, front to back.
class Splice {
 public:
  explicit Splice(std::string_view bytes) : bytes_(bytes) { out_.reserve(bytes.size()); }

  // Writes `text` in the place of the `length` bytes at `at`, which points into the body.
  void Replace(const char* at, std::size_t length, std::string_view text) {
    const auto offset = static_cast<std::size_t>(at - bytes_.data());
    out_.append(bytes_.substr(done_, offset - done_)).append(text);
    done_ = offset + length;
  }
  void Insert(const char* at, std::string_view text) { Replace(at, 0, text); }
  std::string Finish() {
    out_.append(bytes_.substr(done_));
    return std::move(out_);
  }

 private:
  std::string_view bytes_;
  std::string out_;
  std::size_t done_ = 0;  // Of bytes_.
};

// The batch that records are read into, one after the other, and its memory.
class ScratchBatch {
 public:
  // Empty; what the last call gave is gone.
  Batch& Fresh();

 private:
  Batch batch_;
};

}  // namespace throughline::logs
