// Which exemplars stay in a capped answer.
#include "api/prometheus/strata.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace throughline::api::prometheus {
namespace {

Exemplar Of(double value) {
  Exemplar exemplar;
  exemplar.number = value;
  return exemplar;
}

TEST(Strata, AreQuartersOfAnOctaveOrBuckets) {
  EXPECT_EQ(StratumOf(Of(1.0)), StratumOf(Of(1.18)));
  EXPECT_LT(StratumOf(Of(1.18)), StratumOf(Of(1.2)));
  EXPECT_LT(StratumOf(Of(-2)), StratumOf(Of(-1)));
  EXPECT_LT(StratumOf(Of(-1)), StratumOf(Of(0)));
  EXPECT_LT(StratumOf(Of(0)), StratumOf(Of(1e-300)));
  EXPECT_LT(StratumOf(Of(std::nan(""))), StratumOf(Of(-1e300)));
  Exemplar bucket = Of(0.3);
  bucket.has_le = true;
  bucket.le = 0.5;
  bucket.metric_type = MetricType::kExponentialHistogram;
  EXPECT_NE(StratumOf(bucket), 0.5);
  bucket.metric_type = MetricType::kHistogram;
  EXPECT_EQ(StratumOf(bucket), 0.5);
}

TEST(Strata, NoStratumIsLostBeforeAnotherHoldsTwo) {
  // A thousand fast ones, newer than three slow ones.
  std::vector<StratumItem> items;
  for (std::uint64_t i = 0; i < 1000; ++i) items.push_back({1, 10'000 - i, 0.1});
  for (std::uint64_t i = 0; i < 3; ++i) items.push_back({1, 9'000 - i, 5.0});
  const auto chosen = ChooseByStrata(items, 4, 1'000'000);
  EXPECT_EQ(chosen, (std::vector<std::uint32_t>{0, 1, 1000, 1001}));
  const auto two = ChooseByStrata(items, 2, 1'000'000);
  EXPECT_EQ(two, (std::vector<std::uint32_t>{0, 1000}));
}

TEST(Strata, EverySeriesAndEveryStepHasItsOwn) {
  const std::vector<StratumItem> items = {
      {1, 25, 1}, {1, 24, 1}, {2, 23, 1}, {1, 15, 1}, {1, 14, 1}};
  EXPECT_EQ(ChooseByStrata(items, 3, 10), (std::vector<std::uint32_t>{0, 2, 3}));
}

TEST(Strata, StepsGrowUntilTheLowestStratumHasRoom) {
  // A slow one in each of a hundred steps, and one fast one, the oldest.
  std::vector<StratumItem> items;
  for (std::uint64_t i = 0; i < 100; ++i) items.push_back({1, 2000 - 10 * i, 8});
  items.push_back({1, 900, 0.5});
  const auto chosen = ChooseByStrata(items, 10, 10);
  EXPECT_EQ(chosen.size(), 10U);
  EXPECT_EQ(chosen.back(), 100U);
}

TEST(Strata, AllStayWhereThereIsRoom) {
  const std::vector<StratumItem> items = {{1, 2, 1}, {1, 1, 1}};
  EXPECT_EQ(ChooseByStrata(items, 2, 1).size(), 2U);
  EXPECT_TRUE(ChooseByStrata({}, 2, 1).empty());
}

}  // namespace
}  // namespace throughline::api::prometheus
