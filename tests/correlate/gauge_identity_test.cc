// The identity of gauge points: a series and ten seconds.
#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/identity.h"

namespace throughline {
namespace {

constexpr std::uint64_t kSeed = 42;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Range Put(const Pairs& pairs, Batch& batch) {
  const Range range{static_cast<std::uint32_t>(batch.attributes.size()),
                    static_cast<std::uint32_t>(pairs.size())};
  for (const auto& [key, text] : pairs) {
    batch.attributes.push_back(MakeStringAttribute(key, text, kSeed, batch.arena));
  }
  return range;
}

std::uint64_t Identity(std::string_view metric, const Pairs& resource, const Pairs& labels,
                       std::uint64_t time_unix_ns, std::uint64_t seed = kSeed) {
  Batch batch;
  Resource from;
  from.attributes = Put(resource, batch);
  batch.resources.push_back(from);
  GaugePoint point;
  point.time_unix_ns = time_unix_ns;
  point.metric = metric;
  point.resource = 0;
  point.labels = Put(labels, batch);
  return IdentityOf(point, batch, seed);
}

TEST(GaugeIdentity, IsOfTheSeriesAndTenSeconds) {
  const Pairs pod = {{"pod", "a"}, {"node", "n"}};
  const Pairs labels = {{"cpu", "0"}, {"mode", "user"}};
  const std::uint64_t identity = Identity("m", pod, labels, 20 * kGaugeStepNs);
  EXPECT_EQ(Identity("m", pod, labels, 21 * kGaugeStepNs - 1), identity);
  EXPECT_EQ(Identity("m", {pod[1], pod[0]}, {labels[1], labels[0]}, 20 * kGaugeStepNs), identity);
  EXPECT_NE(Identity("m", pod, labels, 21 * kGaugeStepNs), identity);
  EXPECT_NE(Identity("m", pod, labels, 20 * kGaugeStepNs - 1), identity);
  EXPECT_NE(Identity("n", pod, labels, 20 * kGaugeStepNs), identity);
  EXPECT_NE(Identity("m", pod, {labels[0]}, 20 * kGaugeStepNs), identity);
  EXPECT_NE(Identity("m", {pod[0]}, labels, 20 * kGaugeStepNs), identity);
  EXPECT_NE(Identity("m", pod, labels, 20 * kGaugeStepNs, 43), identity);
}

TEST(GaugeIdentity, SeriesAndIdentityFollowFromEachOther) {
  for (const std::uint64_t time : {std::uint64_t{0}, kGaugeStepNs, UINT64_MAX}) {
    const std::uint64_t identity = Identity("m", {{"pod", "a"}}, {}, time);
    const std::uint64_t series = GaugeSeriesOf(identity, time, kSeed);
    EXPECT_EQ(GaugeIdentityOf(series, time, kSeed), identity);
    EXPECT_EQ(GaugeSeriesOf(Identity("m", {{"pod", "a"}}, {}, 77), 77, kSeed), series);
  }
}

// The low bits are a place in a hash table: no choice of times may crowd one, seed unknown.
TEST(GaugeIdentity, TimesSpreadOverTheLowBits) {
  constexpr std::uint64_t kPoints = 1U << 16U;
  for (const std::uint64_t stride :
       {std::uint64_t{1}, std::uint64_t{1} << 12U, std::uint64_t{360}, std::uint64_t{8640}}) {
    for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{0x9e3779b97f4a7c15}}) {
      std::vector<std::uint32_t> places(kPoints);
      for (std::uint64_t i = 0; i < kPoints; ++i) {
        ++places[GaugeIdentityOf(0, i * stride * kGaugeStepNs, seed) % kPoints];
      }
      EXPECT_LT(*std::max_element(places.begin(), places.end()), 20U) << stride << " " << seed;
    }
  }
}

}  // namespace
}  // namespace throughline
