// The tests of a comparison, against figures worked out by hand.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/analysis/compare_statistics.h"

namespace throughline {
namespace {

TestResult Ranks(std::vector<double> baseline, std::vector<double> candidate) {
  std::sort(baseline.begin(), baseline.end());
  std::sort(candidate.begin(), candidate.end());
  RankTest test;
  test.Add(baseline, candidate);
  return test.Result();
}

TEST(RankTest, IsWilcoxonsByTheNormalDistribution) {
  // Ranks of the candidate 3, 5, 6: their sum 14, expected 10.5, variance 5.25.
  const TestResult result = Ranks({1, 2, 4}, {3, 5, 6});
  EXPECT_NEAR(result.p, std::erfc(3.5 / std::sqrt(5.25) / std::sqrt(2.0)), 1e-12);
  // At most 15.
  EXPECT_NEAR(result.least_p, std::erfc(4.5 / std::sqrt(5.25) / std::sqrt(2.0)), 1e-12);
  EXPECT_TRUE(result.more);
  EXPECT_FALSE(Ranks({3, 5, 6}, {1, 2, 4}).more);
  EXPECT_EQ(Ranks({3, 5, 6}, {1, 2, 4}).p, result.p);
}

TEST(RankTest, TiesTakeTheirMiddleRankAndLessVariance) {
  // Ranks 1.5 1.5 and 3.5 3.5; the candidate has 1.5 + 3.5 of 5 expected.
  EXPECT_EQ(Ranks({1, 2}, {1, 2}).p, 1);
  // All equal: nothing can be said.
  EXPECT_EQ(Ranks({1, 1, 1}, {1, 1, 1}).least_p, 1);
  EXPECT_EQ(Ranks({}, {1, 2}).p, 1);
}

TEST(RankTest, AnotherMixOfStrataIsNoDifference) {
  RankTest test;  // Each stratum is alike; the candidate has more of the slow one.
  std::vector<double> fast = {1, 2, 3, 4};
  std::vector<double> slow = {100, 200, 300, 400};
  std::vector<double> more_slow = {100, 100, 200, 200, 300, 300, 400, 400};
  test.Add(fast, std::vector<double>{2, 3});
  test.Add(slow, more_slow);
  EXPECT_NEAR(test.Result().p, 1, 1e-9);
}

TestResult Shares(ShareTest::Count baseline, ShareTest::Count candidate) {
  ShareTest test;
  test.Add(baseline, candidate);
  return test.Result();
}

TEST(ShareTest, OfOneTableIsFishers) {
  // The lady who tastes tea: 3 of 4 and 1 of 4. One tail is (16 + 1) / 70.
  const TestResult tea = Shares({1, 4}, {3, 4});
  EXPECT_NEAR(tea.p, 2 * 17.0 / 70, 1e-12);
  EXPECT_NEAR(tea.least_p, 2 * 1.0 / 70, 1e-12);
  EXPECT_TRUE(tea.more);
  EXPECT_FALSE(Shares({3, 4}, {1, 4}).more);
  // 5 of 5 that fail, of 500 before none: 1 / C(505, 5).
  double ways = 1;
  for (int i = 0; i < 5; ++i) ways *= (505.0 - i) / (i + 1);
  EXPECT_NEAR(Shares({0, 500}, {5, 5}).p * ways, 2, 1e-6);
}

TEST(ShareTest, WhatCouldNotBeOtherwiseSaysNothing) {
  EXPECT_EQ(Shares({4, 4}, {9, 9}).least_p, 1);
  EXPECT_EQ(Shares({0, 4}, {0, 9}).least_p, 1);
  EXPECT_EQ(Shares({0, 0}, {9, 9}).least_p, 1);
}

TEST(ShareTest, AnotherMixOfStrataIsNoDifference) {
  // In one stratum half have it, in the other a tenth; the candidate has more of the first.
  ShareTest test;
  test.Add({10, 20}, {100, 200});
  test.Add({20, 200}, {2, 20});
  EXPECT_GT(test.Result().p, 0.9);
  EXPECT_LT(Shares({30, 220}, {102, 220}).p, 1e-9);
}

TEST(ShareTest, TheNormalDistributionTakesOverWhereItIsGoodEnough) {
  // Just below and just above the variance at which the exact distribution is left.
  const TestResult exact = Shares({820, 1600}, {730, 1600});
  const TestResult normal = Shares({860, 1680}, {770, 1680});
  EXPECT_GT(exact.least_p, -1);
  EXPECT_LT(exact.p, 0.01);
  EXPECT_LT(normal.p, 0.01);
  EXPECT_NEAR(std::log(exact.p / normal.p), 0, 0.5);
}

TEST(ShareTest, IsRarelyWrongAboutEqualShares) {
  std::mt19937_64 random(1);
  int wrong = 0;
  constexpr int kTries = 20'000;
  for (int i = 0; i < kTries; ++i) {
    ShareTest test;
    for (int stratum = 0; stratum < 2; ++stratum) {
      std::binomial_distribution<std::uint64_t> few(300, stratum == 0 ? 0.01 : 0.3);
      std::binomial_distribution<std::uint64_t> more(40, stratum == 0 ? 0.01 : 0.3);
      test.Add({few(random), 300}, {more(random), 40});
    }
    if (test.Result().p <= 0.01) ++wrong;
  }
  EXPECT_LE(wrong, kTries / 100);
  EXPECT_GT(wrong, 0);
}

TEST(CorrectionOf, CountsOnlyTestsThatCouldHaveFoundSomething) {
  std::vector<TestResult> tests(100, TestResult{.p = 0.5, .least_p = 1e-9, .more = false});
  EXPECT_EQ(CorrectionOf(tests, 0.01), 100U);
  tests.resize(1000, TestResult{.p = 0.5, .least_p = 0.2, .more = false});
  EXPECT_EQ(CorrectionOf(tests, 0.01), 100U);
  // These reach level / 100, so all must count.
  tests.resize(1100, TestResult{.p = 0.5, .least_p = 1e-5, .more = false});
  EXPECT_EQ(CorrectionOf(tests, 0.01), 200U);
  EXPECT_EQ(CorrectionOf({}, 0.01), 1U);
}

TEST(ZOf, IsTheInverse) {
  EXPECT_NEAR(ZOf(0.05), 1.959964, 1e-6);
  EXPECT_NEAR(ZOf(1), 0, 1e-9);
}

}  // namespace
}  // namespace throughline
