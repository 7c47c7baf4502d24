// What the spans of two selections do: which calls, log lines, errors and exceptions are in more,
// or in fewer, of the traces that have such a span. Internal to compare.cc.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/analysis/compare.h"
#include "correlate/analysis/compare_records.h"
#include "correlate/analysis/compare_statistics.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

class FeatureComparer {
 public:
  explicit FeatureComparer(const ComparedRecords& records) : records_(records) {}

  void Test();
  void AddTests(std::vector<TestResult>& tests) const;
  // Into errors, calls and logs. Keeps those alone that are sure.
  void Tell(const Surety& surety, Comparison& out);
  // After Tell: errors became more.
  bool got_worse() const;

 private:
  struct FeatureShares {
    std::uint32_t context = 0;
    std::uint32_t feature = 0;
    TestResult test;
    Pair has = {};
    Pair of = {};
    std::vector<std::uint32_t> traces;             // Of the side that is told of; sorted.
    std::map<std::uint32_t, std::uint32_t> below;  // Services that fail further down: traces.
  };

  const RecordedTraces& all() const { return records_.all; }
  void CountFeatures(std::vector<Pair>& cells, std::vector<Pair>& pairs) const;
  bool IsTested(const FeatureKey& feature, std::uint32_t context) const;
  bool IsWorse(const FeatureShares& feature) const;
  std::uint32_t ServiceOf(std::uint32_t span) const;
  std::uint32_t ContextOf(std::uint32_t span) const;
  template <typename Visit>
  void EachFeature(std::uint32_t span, Visit visit) const;
  void GatherTraces();
  void TakeSpan(std::size_t side, std::uint32_t t, std::uint32_t i,
                const std::vector<std::pair<std::uint32_t, std::uint32_t>>& failing);
  std::string_view CauseOf(const FeatureShares& feature) const;
  bool HasOwnFault(std::uint32_t service) const;
  ComparedFeature Told(const FeatureShares& feature, const Surety& surety) const;

  const ComparedRecords& records_;
  std::vector<FeatureShares> features_;  // After Tell: those that are sure.
  std::map<std::uint32_t, std::vector<FeatureShares*>> by_context_;
  std::map<std::uint32_t, std::set<std::uint32_t>> failing_;  // By context: features of trouble.
};

}  // namespace throughline
