// Takes the log records of one request into a batch, or refuses them one by one: what all formats
// share once a record's fields are read.
//
// Not thread-safe; the batch, the options and `decoded` must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::logs {

// How the records of a format are named and told apart.
struct LineStyle {
  std::string_view name;    // "line": the reason of a rejection is "line 3: ...", counted from 0.
  std::string_view plural;  // "lines"
  FoundBy field = FoundBy::kField;  // What found_by says of an id from an attribute.
  // Whether a record without a time is its content (a retry in another request is the same record)
  // if it has attributes. If not, its request and its place there identify it.
  bool attributes_identify = false;
};
inline constexpr LineStyle kOtlpRecord{.name = "log record",
                                       .plural = "log records",
                                       .field = FoundBy::kKey,
                                       .attributes_identify = true};

class LineFinisher {
 public:
  // `request` is the inflated body, from which lines without a time draw their identity.
  LineFinisher(std::string_view request, const DecodeOptions& options, Batch& batch,
               Decoded& decoded, const LineStyle& style = kOtlpRecord)
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

  // Appends the line with its service (the resource's where that states one) and identity. With a
  // trace id it is linked by its field, else LinkLine looks, with `source`; a line that stays
  // without is counted unlinked, and appended only with options.keep_unlinked. `repaired` says what
  // had to be repaired ("trace_id was repaired"); empty: nothing.
  void Accept(LogLine& line, std::string_view repaired, std::span<const Attribute> source = {});

  // The same for a line that its sender has named: `name`, a hash, and its content identify it,
  // whatever the request.
  void AcceptNamed(LogLine& line, std::uint64_t name);

 private:
  bool Link(LogLine& line, std::string_view repaired, std::span<const Attribute> source);
  void Append(LogLine& line, std::uint64_t identity);
  std::uint64_t IdentityFor(LogLine& line);

  std::string_view request_;
  const DecodeOptions& options_;
  Batch& batch_;
  Decoded& decoded_;
  LineStyle style_;
  std::size_t attributes_ = 0;
  std::uint64_t request_hash_ = 0;
  bool request_hashed_ = false;
};

}  // namespace throughline::logs
