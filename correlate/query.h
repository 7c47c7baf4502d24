// What can be asked of a store. Query languages are parsed at the edge and become these.
//
// Pages: `limit` (at least 1) bounds the items, and the cursor leads on; a page that ends at its
// limit is complete. `complete` is false only where the search itself was cut ("deadline"): then
// items may be missing anywhere, and there is no cursor. A cursor names a place in the order, so it
// stays good while records come and go. It belongs to one query; another list refuses it with
// kInvalidArgument, as does a regular expression that is none.
//
// Which trace: ids with the same low half and different known high halves are different traces.
// What carries only the low half belongs to each of them; where no high half is known, it is the
// trace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "correlate/batch.h"
#include "correlate/link.h"
#include "correlate/trace_id.h"

namespace throughline {

// Effective times, both ends inclusive.
struct TimeRange {
  std::uint64_t start_unix_ns = 0;
  std::uint64_t end_unix_ns = UINT64_MAX;

  bool Contains(std::uint64_t unix_ns) const {
    return unix_ns >= start_unix_ns && unix_ns <= end_unix_ns;
  }
};

// A condition on an attribute or a label, on ValueText of the value. A key that is absent matches
// as the empty text, as in PromQL.
struct Matcher {
  enum class Op { kEqual, kNotEqual, kRegex, kNotRegex };
  std::string key;
  Op op = Op::kEqual;
  std::string value;  // A regular expression (RE2 syntax, anchored) for the last two.
};

struct TraceQuery {
  // One span of the trace satisfies all of these, its time included. So a trace without spans is
  // never found.
  TimeRange time;  // Of the span's start.
  std::optional<std::string> service;
  std::optional<std::string> operation;
  std::vector<Matcher> attributes;  // Of the span, else of its resource.
  std::optional<std::uint32_t> status_code;
  std::optional<std::uint64_t> min_duration_ns;
  std::optional<std::uint64_t> max_duration_ns;
  // The trace as a whole has these. Answers summarize the whole trace.
  bool has_logs = false;
  bool has_exemplars = false;
  bool has_error = false;
  // By (start of the trace, id) or (duration, start, id), descending.
  enum class Order { kNewest, kDuration } order = Order::kNewest;
  std::size_t limit = 20;
  std::string cursor;  // Of an earlier answer to the same query; empty: from the start.
};

struct LogQuery {
  TimeRange time;
  std::optional<TraceId> trace_id;
  // Stated; for lines that state none, that of the span they name, or, where they name none that is
  // here, that of their trace's root.
  std::optional<std::string> service;
  std::uint32_t min_severity_number = 0;
  std::string contains;             // In ValueText of the body; case-sensitive; empty: any.
  std::vector<Matcher> attributes;  // Of the line, else of its resource.
  bool linked_only = true;
  std::size_t limit = 100;
  std::string cursor;
  // By (effective time, span id, identity), ascending, or, with newest_first, descending.
  bool newest_first = false;
};

struct ExemplarQuery {
  TimeRange time;
  // Exact, or its Prometheus spelling ('.' and other odd characters as '_'), with or without the
  // suffixes of unit and type (_seconds, _total, _bucket); empty: any.
  std::string metric;
  // Of the point, else the exemplar's own, else the resource's; keys exact, or in their Prometheus
  // spelling. `service` and `service_name` are the service. Where no label has the name: `le` is
  // the bound, `job` the service (behind "namespace/"), `instance` the service.instance.id.
  // `__name__` is every name that `metric` would find.
  std::vector<Matcher> labels;
  std::optional<double> min_value;  // Inclusive, both; NaN is in no range.
  std::optional<double> max_value;
  std::optional<double> le;
  std::size_t limit = 100;
  std::string cursor;  // By (effective time, span id, identity), descending: newest first.
};

struct GaugeQuery {
  TimeRange time = {};
  // A MetricPattern: a name, or a prefix followed by '*', in any spelling; empty: any.
  std::string metric = {};
  std::optional<std::string> service = {};  // Stated.
  std::size_t limit = 100;
  std::string cursor = {};  // By (effective time, identity), descending: newest first.
};

// A trace in one line. Owned text: summaries outlive the snapshot they were made from.
struct TraceSummary {
  TraceId trace_id;
  std::string root_service;
  std::string root_operation;
  SpanId root_span_id;
  std::uint64_t start_unix_ns =
      0;  // Effective, of the earliest span; of the earliest record where there is no span.
  std::uint64_t end_unix_ns = 0;
  std::uint64_t duration_ns = 0;      // end - start.
  std::uint64_t error_count = 0;      // Spans with status error.
  std::vector<std::string> services;  // Sorted.
  std::vector<std::string> versions;  // service.version of the resources; sorted.
  LinkEvidence evidence;              // Its counts are the summary's span, log and exemplar counts.
};

// Of the traces behind one 64-bit spelling an answer names at most so many, the lowest ids first.
// Real ones are two or three; a hostile sender can make any number.
inline constexpr std::size_t kMaxMatches = 100;

struct TraceRecords {
  // The distinct traces that the id names. One: `records` holds all that links to it, in no order,
  // without duplicates. Several (a 64-bit spelling): ambiguous, `records` is empty. None: nothing.
  std::vector<TraceId> matches;
  Batch records;
  bool complete = true;
  std::string incomplete_reason;  // "limit", "deadline".
  LinkEvidence evidence;          // Of `records`, so of the kinds that were asked for.
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::string cursor;  // Empty: this was the last page.
  bool complete = true;
  std::string incomplete_reason;
};

// Lines, exemplars or gauge points in answer order, with the records that carry them.
struct RecordPage {
  Batch records;
  std::string cursor;
  bool complete = true;
  std::string incomplete_reason;
};

// All records of a range, for what works on whole windows.
struct VisitQuery {
  TimeRange time = {};
  bool spans = true;
  bool logs = true;
  bool exemplars = true;
};

struct Visited {
  bool complete = true;
  std::string incomplete_reason;  // "deadline", "damaged"; "limit": the visitor said so.
};

// Gauge points are not counted: those of pods seldom state a service.
struct ServiceInfo {
  std::string service;
  std::uint64_t span_count = 0;
  std::uint64_t error_count = 0;
  std::uint64_t log_count = 0;
  std::uint64_t exemplar_count = 0;
};

struct OperationInfo {
  std::string operation;
  std::uint32_t kind = 0;
  std::uint64_t span_count = 0;
  std::uint64_t error_count = 0;
};

}  // namespace throughline
