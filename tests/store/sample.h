// Builds batches for tests: a record a call, with the fields that matter named at the place.
//
//   Sample sample;
//   sample.From({{"service.name", "pay"}});
//   sample.Add(SampleSpan{.trace = kTrace, .span = {1}, .name = "charge"});
//   store.Append({{.batch = sample.Finish(), .arrival_unix_ns = kNow}});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/batch.h"
#include "correlate/scope.h"

namespace throughline::store {

inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint64_t kHour = 3600 * kSecond;
inline constexpr std::uint64_t kNow = 1'750'000'000 * kSecond;  // Any moment; tests' arrival.

inline Scope AsTenant(std::string tenant) {
  Scope scope;
  scope.tenant = std::move(tenant);
  return scope;
}

// A value of any type of attribute, from what C++ writes.
class SampleValue {
 public:
  SampleValue(const char* text);         // NOLINT(google-explicit-constructor)
  SampleValue(std::string_view text);    // NOLINT(google-explicit-constructor)
  SampleValue(const std::string& text);  // NOLINT(google-explicit-constructor)
  SampleValue(int value);                // NOLINT(google-explicit-constructor)
  SampleValue(double value);             // NOLINT(google-explicit-constructor)
  SampleValue(bool value);               // NOLINT(google-explicit-constructor)
  static SampleValue Array(const std::vector<SampleValue>& items);

  const std::string& any_value() const { return any_value_; }

 private:
  SampleValue() = default;
  std::string any_value_;
};

using SampleAttributes = std::vector<std::pair<std::string, SampleValue>>;

struct SampleEvent {
  std::string name;
  std::uint64_t time = kNow;
  SampleAttributes attributes = {};
};

struct SampleLink {
  TraceId trace;
  SpanId span;
  SampleAttributes attributes = {};
};

// Times are unix ns.
struct SampleSpan {
  TraceId trace;
  SpanId span;
  SpanId parent = {};
  std::uint64_t start = kNow;
  std::uint64_t duration = kSecond;
  std::string name = "operation";
  std::uint32_t kind = 2;
  std::uint32_t status = 0;
  SampleAttributes attributes = {};
  std::vector<SampleEvent> events = {};
  std::vector<SampleLink> links = {};
  std::string status_message = {};
  std::string trace_state = {};
};

struct SampleLine {
  TraceId trace = {};
  SpanId span = {};
  std::uint64_t time = kNow;
  std::uint64_t observed = 0;
  SampleValue body = "a line";
  std::uint32_t severity = 9;
  SampleAttributes attributes = {};
  Sampled sampled = Sampled::kUnknown;
  FoundBy found_by = FoundBy::kField;
  std::vector<RelatedId> related = {};
  std::optional<std::string> service = {};  // Absent: that of the resource.
  std::string event_name = {};
};

struct SampleExemplar {
  TraceId trace = {};
  SpanId span = {};
  std::uint64_t time = kNow;
  std::string metric = "latency";
  std::string unit = {};
  MetricType type = MetricType::kHistogram;
  double value = 1;
  std::optional<double> le = {};
  SampleAttributes labels = {};
  SampleAttributes attributes = {};
};

struct SampleGauge {
  std::uint64_t time = kNow;
  std::string metric = "container.cpu.usage";
  std::string unit = {};
  MetricType type = MetricType::kGauge;
  double value = 1;
  SampleAttributes labels = {};
  std::optional<std::string> service = {};  // Absent: that of the resource.
};

// The seed of samples that are given none. A suite over stores that check it sets their own.
inline std::uint64_t sample_hash_seed = 42;

class Sample {
 public:
  Sample() : Sample(sample_hash_seed) {}
  explicit Sample(std::uint64_t hash_seed);

  // The resource (and with `scope`, the scope) of what is added from here on.
  Sample& From(const SampleAttributes& resource, std::string_view scope = {});
  Sample& Add(const SampleSpan& span);
  Sample& Add(const SampleLine& line);
  Sample& Add(const SampleExemplar& exemplar);
  Sample& Add(const SampleGauge& gauge);

  // The batch, with the identities that a decoder gives. The sample is empty then.
  std::shared_ptr<const Batch> Finish();

 private:
  Range Put(const SampleAttributes& attributes);
  std::string_view Text(std::string_view text) { return batch_->arena.Copy(text); }

  std::uint64_t hash_seed_;
  std::shared_ptr<Batch> batch_;
  std::uint32_t resource_ = kNoIndex;
  std::uint32_t scope_ = kNoIndex;
};

}  // namespace throughline::store
