// Records and summaries as the JSON of /api/v1 (docs/api.md, "Shapes").
//
// Attributes become objects sorted by key; of equal keys the first as sent stays. Integers beyond
// +-2^53 are decimal strings, NaN and infinities strings, bytes {"base64": ...}. Durations beyond
// 2^53 ns (104 days) are given as 2^53 - 1, so that every reader can hold them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/analysis/line_placement.h"
#include "correlate/analysis/skew.h"
#include "correlate/batch.h"
#include "correlate/ids.h"
#include "correlate/link.h"
#include "correlate/query.h"
#include "wire/json_writer.h"

namespace throughline::api::links {

void WriteValue(wire::JsonWriter& json, std::string_view any_value);
void WriteAttributes(wire::JsonWriter& json, std::span<const Attribute> attributes);

// Lower-case hex in quotes; null where there is none.
void WriteId(wire::JsonWriter& json, TraceId id);
void WriteId(wire::JsonWriter& json, SpanId id);

// A time twice: `nano_key` as a decimal string, `iso_key` as ISO 8601.
void WriteTime(wire::JsonWriter& json, std::string_view nano_key, std::string_view iso_key,
               std::uint64_t unix_ns);
void WriteDuration(wire::JsonWriter& json, std::uint64_t duration_ns);
// An integer, as a string beyond +-2^53.
void WriteInteger(wire::JsonWriter& json, std::int64_t value);
// true, false, or null where nobody said.
void WriteSampled(wire::JsonWriter& json, Sampled sampled);

std::string_view FoundByName(FoundBy found_by);
// Enumerations are open: numbers without a name are given as decimal text.
std::string KindName(std::uint32_t kind);
std::string StatusName(std::uint32_t status_code);
// "info" for all four grades of info; 0 is "unspecified".
std::string SeverityName(std::uint32_t severity_number);

// The members of a summary, without braces.
void WriteSummaryMembers(wire::JsonWriter& json, const TraceSummary& summary);
// Null where there is none.
void WriteSummary(wire::JsonWriter& json, const TraceSummary* summary);

// "state" and "reason".
void WriteLink(wire::JsonWriter& json, const Link& link);

// { from, to, offset_ns, bound_ns, pairs }
void WriteSkew(wire::JsonWriter& json, const HostSkew& skew);

// "complete", and where it is false "incomplete_reason". The store says "deadline", the API
// "timeout".
void WriteCompleteness(wire::JsonWriter& json, bool complete, std::string_view reason);
// "cursor", null after the last page.
void WriteCursor(wire::JsonWriter& json, std::string_view cursor);

// Writes the records of one batch; what many records share is rendered once.
class RecordWriter {
 public:
  // The state of a linked trace; nullopt: not looked up (too many).
  using LinkStates = std::function<std::optional<LinkState>(TraceId)>;

  // `batch` must outlive it.
  RecordWriter(wire::JsonWriter& json, const Batch& batch);

  void WriteSpan(const Span& span, const LinkStates& states);
  // With `with_trace_id` for lists of more than one trace.
  void WriteLine(const PlacedLine& placed, bool with_trace_id);
  // The members of an exemplar, without braces and without its trace id.
  void WriteExemplarMembers(const Exemplar& exemplar);
  void WriteGauge(const GaugePoint& point);

 private:
  void WriteResource(std::uint32_t resource);
  void WriteScope(std::uint32_t scope);
  void WriteEvents(const Span& span);
  void WriteLinks(const Span& span, const LinkStates& states);

  wire::JsonWriter& json_;
  const Batch& batch_;
  std::vector<std::string> resources_;  // Rendered, by index; empty: not yet.
};

}  // namespace throughline::api::links
