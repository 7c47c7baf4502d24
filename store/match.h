// Whether one record satisfies a query: the predicates that all stores share.
//
// Each is made once per query, where bad regular expressions are refused, and is pure from then on:
// safe from several threads. They keep copies of what they need of the query. Records are those of
// a store: with their arrival, from which effective times follow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace re2 {
class RE2;
}

namespace throughline::store {

inline constexpr std::size_t kMaxMatchers = 100;            // In one query.
inline constexpr std::size_t kMaxRegexBytes = 4096;         // Of one expression's text.
inline constexpr std::int64_t kRegexMemoryBytes = 1 << 20;  // Of one expression, compiled.

// One Matcher, ready to use.
class CompiledMatcher {
 public:
  // kInvalidArgument: no regular expression of RE2's, or too large a one.
  static Result<CompiledMatcher> Compile(const Matcher& matcher);

  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }
  // The condition as it stands, negation included.
  bool Matches(std::string_view text) const { return Accepts(text) != negative_; }
  // The parts, for keys that have several texts.
  bool negative() const { return negative_; }
  bool Accepts(std::string_view text) const;

 private:
  std::string key_;
  std::string value_;
  bool negative_ = false;
  std::shared_ptr<const re2::RE2> regex_;  // Null: plain equality.
};

using CompiledMatchers = std::vector<CompiledMatcher>;
Result<CompiledMatchers> CompileMatchers(const std::vector<Matcher>& matchers);

// The span's own conditions in a TraceQuery.
class SpanMatch {
 public:
  static Result<SpanMatch> Compile(const TraceQuery& query);
  bool Matches(const Span& span, const Batch& batch) const;

 private:
  TimeRange time_;
  std::optional<std::string> service_;
  std::optional<std::string> operation_;
  std::optional<std::uint32_t> status_code_;
  std::uint64_t min_duration_ns_ = 0;
  std::uint64_t max_duration_ns_ = UINT64_MAX;
  CompiledMatchers attributes_;
};

// The trace's conditions in a TraceQuery; the summary is of the whole trace.
bool TraceMatches(const TraceQuery& query, const TraceSummary& summary);

// A LogQuery. A line that states no service is left to its trace: where NeedsTrace says so, the
// store must ask InferredServiceIs as well.
class LineMatch {
 public:
  static Result<LineMatch> Compile(const LogQuery& query);
  // Everything but an inferred service.
  bool Matches(const LogLine& line, const Batch& batch) const;
  bool NeedsTrace(const LogLine& line) const { return service_ && line.service.empty(); }

 private:
  TimeRange time_;
  std::optional<TraceId> trace_id_;
  std::optional<std::string> service_;
  std::uint32_t min_severity_number_ = 0;
  std::string contains_;
  bool linked_only_ = true;
  CompiledMatchers attributes_;
};

// Whether a line without a service of its own, with this span id, belongs to `service` by its
// trace: to the service of the span that it names, or, where it names none that is here, to that of
// the trace's root. `trace` holds the spans of the trace; several may have the same id, and any of
// them counts.
bool InferredServiceIs(std::string_view service, SpanId span_id, const Batch& trace);

class ExemplarMatch {
 public:
  static Result<ExemplarMatch> Compile(const ExemplarQuery& query);
  bool Matches(const Exemplar& exemplar, const Batch& batch) const;

 private:
  TimeRange time_;
  std::string metric_;
  std::optional<double> min_value_;
  std::optional<double> max_value_;
  std::optional<double> le_;
  CompiledMatchers labels_;
};

class GaugeMatch {
 public:
  static Result<GaugeMatch> Compile(const GaugeQuery& query);
  // What all points of a series have in common: its metric and its stated service.
  bool MatchesSeries(std::string_view metric, std::string_view service) const;
  bool Matches(const GaugePoint& point) const;

 private:
  TimeRange time_;
  std::string metric_;
  std::optional<std::string> service_;
};

}  // namespace throughline::store
