// Whether two samples differ by more than chance, and how sure one must be when much is tested.
//
// Both tests go stratum by stratum, so that another mix of requests is no difference; both take
// nothing for granted about distributions, and depend on order alone, never on scale. p values are
// two-sided. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace throughline {

struct TestResult {
  double p = 1;
  // What p would be at the most extreme outcome that the sizes of the samples (and ties) allow.
  double least_p = 1;
  bool more = false;  // In the candidate: longer, or more often.
};

// Ranks of two samples in each stratum: the Wilcoxon rank-sum test, combined as van Elteren (1960)
// does, corrected for ties. By the normal distribution, which for few values errs to the safe side.
class RankTest {
 public:
  // Both sorted.
  void Add(std::span<const double> baseline, std::span<const double> candidate);
  TestResult Result() const;

 private:
  double excess_ = 0;    // Of the candidate's weighted rank sums, over what chance gives.
  double variance_ = 0;  // Of it.
  double most_ = 0;      // That excess_ could be.
};

// How many of each sample have something: the exact test of the common odds ratio of 2x2 tables
// (Cochran, Mantel and Haenszel's margins; of one stratum it is Fisher's). Exact where the count
// varies little, else by the normal distribution with a correction for continuity.
class ShareTest {
 public:
  static constexpr double kExactVariance = 400;

  // So many of `of` cases have it.
  struct Count {
    std::uint64_t has = 0;
    std::uint64_t of = 0;
  };
  void Add(Count baseline, Count candidate);
  TestResult Result() const;

 private:
  struct Table {
    double baseline = 0;   // Cases.
    double candidate = 0;  // Cases.
    double has = 0;        // Of both.
  };
  std::vector<Table> tables_;
  double found_ = 0;  // In the candidate.
  double expected_ = 0;
  double variance_ = 0;
};

// By how much each p is to be multiplied, so that among all tests of one comparison a wrong
// finding is no likelier than `level`: Bonferroni's correction, as sharpened by Tarone (1990). A
// test that could not have found anything, however the samples had come out, does not count. At
// least 1.
std::uint64_t CorrectionOf(std::span<const TestResult> tests, double level);

// The z that a two-sided p stands for; p in (0, 1].
double ZOf(double p);

}  // namespace throughline
