#include "correlate/analysis/explain_attributes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>

#include "correlate/analysis/explain_statistics.h"

namespace throughline {
namespace {

constexpr double kLeastZ = 3;
constexpr double kLeastShareChange = 0.1;
constexpr double kFalseAlarms = 0.05;  // Of all attributes tested together.

// The z that one of `tests` true chances exceeds in kFalseAlarms of all cases.
double LeastZ(std::size_t tests) {
  const double wanted = kFalseAlarms / static_cast<double>(std::max<std::size_t>(tests, 1));
  double low = 0;
  double high = 40;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) > wanted ? low : high) = middle;
  }
  return std::max(kLeastZ, high);
}

struct Counts {
  double n0 = 0, n1 = 0;
};
struct With {
  double k0 = 0, k1 = 0;
};

class Tester {
 public:
  Tester(const RecordedTraces& traces, std::string_view service)
      : traces_(traces), service_(service) {}

  void Add(TraceWindow window, std::span<const std::uint32_t> deviating) {
    for (std::uint32_t t = window.first; t < window.last; ++t) {
      AddTrace(t, std::binary_search(deviating.begin(), deviating.end(), t));
    }
  }

  std::vector<AttributeShare> Result() const {
    std::vector<AttributeShare> found;
    const double least = LeastZ(with_.size());
    for (const auto& [attribute, strata] : with_) {
      StratifiedTest test;
      double k0 = 0;
      double k1 = 0;
      for (const auto& [stratum, counts] : strata_) {
        const auto at = strata.find(stratum);
        const With with = at == strata.end() ? With{} : at->second;
        test.Add(counts.n0, with.k0, counts.n1, with.k1);
        k0 += with.k0;
        k1 += with.k1;
      }
      const Deviation deviation = test.Result();
      if (deviation.z < least || deviation.share < kLeastShareChange) continue;
      found.push_back({attribute, total_.n1 > 0 ? k1 / total_.n1 : 0,
                       total_.n0 > 0 ? k0 / total_.n0 : 0, deviation.z});
    }
    std::sort(found.begin(), found.end(), [this](const auto& a, const auto& b) {
      if (a.z != b.z) return a.z > b.z;
      return NameOf(a.attribute) < NameOf(b.attribute);
    });
    return found;
  }

 private:
  std::tuple<std::string_view, std::string_view> NameOf(std::uint32_t attribute) const {
    const AttributeKey& key = traces_.attributes.At(attribute);
    return {traces_.names.At(key.key), traces_.names.At(key.value)};
  }

  void AddTrace(std::uint32_t t, bool deviates) {
    const TraceRecord& trace = traces_.traces[t];
    for (std::uint32_t i = trace.spans.begin; i < trace.spans.begin + trace.spans.count; ++i) {
      const SpanRecord& span = traces_.spans[i];
      if (traces_.ServiceOf(span) != service_) continue;
      Counts& counts = strata_[trace.trace_class];
      (deviates ? counts.n1 : counts.n0) += 1;
      (deviates ? total_.n1 : total_.n0) += 1;
      const auto has = [&](std::uint32_t attribute) {
        if (traces_.wide_keys.contains(traces_.attributes.At(attribute).key)) return;
        With& with = with_[attribute][trace.trace_class];
        (deviates ? with.k1 : with.k0) += 1;
      };
      for (const std::uint32_t attribute : traces_.resources[span.resource].attributes) {
        has(attribute);
      }
      const Range own = span.attributes;
      for (std::uint32_t a = own.begin; a < own.begin + own.count; ++a) {
        has(traces_.attributes_of[a]);
      }
    }
  }

  const RecordedTraces& traces_;
  const std::string_view service_;
  std::map<std::uint32_t, Counts> strata_;  // By class.
  Counts total_;
  std::unordered_map<std::uint32_t, std::map<std::uint32_t, With>> with_;  // By attribute, class.
};

}  // namespace

std::vector<AttributeShare> FindAttributes(const RecordedTraces& traces, std::string_view service,
                                           TraceWindow window,
                                           std::span<const TraceWindow> baseline,
                                           std::span<const std::uint32_t> deviating) {
  Tester tester(traces, service);
  tester.Add(window, deviating);
  for (const TraceWindow& part : baseline) tester.Add(part, {});
  return tester.Result();
}

}  // namespace throughline
