// How well the records of a range hang together, by service: the doctor's figures.
//
// A CoverageMeter is filled from batches in any order and any cut, then closed; the same records
// give the same figures whatever the order was, unless a limit was met. It counts a retry once. A
// span, a line and an exemplar count for the service that they state themselves; decision records
// (decision.h) do not count. What they say of the configuration of senders is coverage_advice.h's
// business. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "correlate/analysis/link_health.h"
#include "correlate/analysis/name_table.h"
#include "correlate/analysis/skew.h"
#include "correlate/batch.h"
#include "correlate/ids.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline {

inline constexpr std::size_t kSpellings = static_cast<std::size_t>(Spelling::kBytes) + 1;

struct ServiceCoverage {
  std::string service;   // Empty: none was stated.
  std::string language;  // telemetry.sdk.language; of several the first by name; empty: not stated.
  std::uint64_t spans = 0;
  std::uint64_t spans_with_lines = 0;        // A line of the service, or of none, names the span.
  std::uint64_t spans_of_logged_traces = 0;  // Those, and where one of the service names the trace.
  std::uint64_t lines = 0;                   // Those without an id: where they are stored.
  std::uint64_t lines_with_ids = 0;
  std::uint64_t short_ids = 0;  // Lines whose id has 64 bits.
  // By what stands around a line: the labels of a stream of Loki's, or OTLP's resource.
  std::uint64_t stream_lines = 0;
  std::uint64_t resource_lines = 0;
  std::uint64_t label_ids = 0;  // Lines whose id is a label of their stream.
  std::array<std::uint64_t, kSpellings> spellings = {};  // Of the ids of lines, where it shows.
  std::uint64_t exemplars = 0;  // Those without an id: where they are stored.
  std::uint64_t exemplars_with_ids = 0;
  LinkCountsByKind links = {};  // The states of what the service names.
};

// True for what stands where no name was configured: "", "unknown_service", "unknown_service:java"
// (OpenTelemetry, Resource SDK, "SDK-provided resource attributes").
bool IsUnnamedService(std::string_view service);

struct Coverage {
  std::vector<ServiceCoverage> services;  // By name.
  std::vector<HostSkew> skew;             // Of all hosts, whatever service was asked for.
  // Of ids that cannot be read, the latest.
  std::vector<LinkSample> unreadable;
  std::uint64_t unchecked = 0;  // Links whose states were not looked up.
  bool complete = true;
  std::string incomplete_reason = {};  // "limit", or what the one who gave the records says.
};

class CoverageMeter {
 public:
  struct Limits {
    std::size_t spans = 500'000;    // Distinct ones; while they come, twice as many.
    std::size_t records = 500'000;  // Lines and exemplars.
    std::size_t services = 10'000;  // Further ones are one, "(other)".
  };

  // Only what `service` names, where one is given. Effective times in `range`.
  CoverageMeter(const TimeRange& range, const std::optional<std::string>& service,
                std::uint64_t hash_seed)
      : CoverageMeter(range, service, hash_seed, Limits()) {}
  CoverageMeter(const TimeRange& range, const std::optional<std::string>& service,
                std::uint64_t hash_seed, const Limits& limits);

  // Keeps no view of the batch.
  void Add(const Batch& batch);
  // More would not be taken: the answer is incomplete.
  bool full() const { return full_ || links_.full(); }

  // `states` as LinkCounter::Close takes them.
  Result<Coverage> Close(const LinkCounter::States& states) &&;

 private:
  // A span, or what a line names, which may have no span id.
  struct Place {
    std::uint32_t service = 0;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::uint64_t span = 0;
    auto operator<=>(const Place&) const = default;
  };
  class Names;

  void AddSpan(const Span& span, const Batch& batch);
  void AddLine(const LogLine& line, const Batch& batch);
  void AddExemplar(const Exemplar& exemplar, const Batch& batch);
  // Where the record counts; nullptr: it does not.
  ServiceCoverage* Take(std::string_view service, std::uint64_t time_unix_ns,
                        std::uint64_t identity);
  ServiceCoverage& Of(std::uint32_t service);
  void Name(std::uint32_t service, const LogLine& line);
  bool Wants(std::string_view service, std::uint64_t time_unix_ns) const;
  void CountSpans();

  const TimeRange range_;
  const std::optional<std::string> service_;
  const Limits limits_;
  LinkCounter links_;
  SkewMeter skew_;
  NameTable services_;
  std::vector<ServiceCoverage> counts_;     // By number in services_.
  std::unordered_set<std::uint64_t> seen_;  // Identities of lines and exemplars.
  std::vector<Place> spans_;                // With retries.
  std::vector<Place> named_;                // By lines; at most limits_.records.
  bool full_ = false;
};

}  // namespace throughline
