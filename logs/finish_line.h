// Takes the log records of one request into a batch, or refuses them one by one: what the doors
// share once a record's fields are read.
//
// Not thread-safe; the batch, the options and `decoded` must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::logs {

// What differs from door to door.
struct LineStyle {
  std::string_view noun = "log record";  // In reasons: "log record 3: ...".
  FoundBy field = FoundBy::kKey;         // Of a line whose id LinkLine finds in a field.
  // A line without a time is known by its content if it has attributes; false: never, since equal
  // lines of one request are still different lines.
  bool known_by_attributes = true;
  // What tells two requests of equal bytes apart where nobody repeats a request: its arrival. 0:
  // nothing, equal requests are one.
  std::uint64_t occasion = 0;
};
inline constexpr LineStyle kOtlpRecords;
inline constexpr LineStyle kPlainLines = {
    .noun = "line", .field = FoundBy::kField, .known_by_attributes = false, .occasion = 0};

class LineFinisher {
 public:
  // `request` is the inflated body, from which lines without a time draw their identity.
  LineFinisher(std::string_view request, const DecodeOptions& options, Batch& batch,
               Decoded& decoded, const LineStyle& style = kOtlpRecords)
      : request_(request), options_(options), batch_(batch), decoded_(decoded), style_(style) {}

  // Counts one more record received. False: over options.records_per_request.
  bool Begin() {
    attributes_ = batch_.attributes.size();
    return ++decoded_.received <= options_.records_per_request;
  }
  Error TooMany() const;

  // Counts the record rejected and removes the attributes appended since Begin. The reason becomes
  // "log record 3: trace_id has 5 bytes, want 16", counted from 0.
  void Reject(std::string_view problem);

  // Appends the line with its service (the resource's where it has one) and identity. With a trace
  // id it is linked by its field, else LinkLine looks; a line that stays without is counted
  // unlinked, and appended only with options.keep_unlinked. `repaired` says what had to be repaired
  // ("trace_id was repaired"); empty: nothing.
  void Accept(LogLine& line, std::string_view repaired);

 private:
  std::string Named(std::string_view text) const;
  std::uint64_t IdentityFor(const LogLine& line);

  std::string_view request_;
  const DecodeOptions& options_;
  Batch& batch_;
  Decoded& decoded_;
  const LineStyle style_;
  std::size_t attributes_ = 0;
  std::uint64_t request_hash_ = 0;
  bool request_hashed_ = false;
};

}  // namespace throughline::logs
