// The filter of text: what is there is never ruled out, and most of what is not there is.
#include "store/segment/text_filter.h"

#include <gtest/gtest.h>

#include <string>

#include "correlate/trace_id.h"
#include "tests/store/random_records.h"

namespace throughline::store::segment {
namespace {

std::string RandomLine(Random& random) {
  constexpr const char* kTexts[] = {"request served", "cache miss, reading through",
                                    "order state changed", "slow upstream answer"};
  return std::string("msg=\"") + random.Of(kTexts) +
         "\" path=/api/v1/orders duration_ms=" + std::to_string(random.Below(900)) + " tenant=t" +
         std::to_string(random.Below(200)) + " order_id=" + std::to_string(random.Below(9'000'000));
}

TEST(TextFilter, WhateverStandsInABodyMayBeThere) {
  Random random(1);
  TextGatherer gatherer;
  for (const std::size_t count : {1U, 3U, 40U, 500U}) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < count; ++i) {
      lines.push_back(RandomLine(random));
      gatherer.Add(lines.back());
    }
    const std::string filter = gatherer.TakeFilter();
    for (const std::string& line : lines) {
      for (std::size_t size = 1; size < 20; ++size) {
        const std::size_t at = random.Below(line.size() - size);
        EXPECT_TRUE(TextNeedle(line.substr(at, size)).MayBeIn(filter)) << line.substr(at, size);
      }
    }
  }
}

// A needle may begin, end, or lie in an id that is left out, or span it.
TEST(TextFilter, IdsThatAreLeftOutAreFoundAllTheSame) {
  Random random(2);
  for (int round = 0; round < 200; ++round) {
    TextGatherer gatherer;
    const std::string trace = ToHex(TraceId{random.engine()(), random.engine()()});
    const std::string span = ToHex(SpanId{random.engine()()});
    const std::string before = round % 3 == 0 ? "" : "abc trace=";
    const std::string between = round % 5 == 0 ? "" : " span=";
    const std::string text = before + trace + between + span + (round % 2 == 0 ? "" : "f order=77");
    gatherer.Add(text, {{before.size(), 32}, {before.size() + 32 + between.size(), 16}});
    const std::string filter = gatherer.TakeFilter();
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const std::size_t size : {4U, 5U, 9U, 40U}) {
        EXPECT_TRUE(TextNeedle(text.substr(at, size)).MayBeIn(filter)) << text.substr(at, size);
      }
    }
    EXPECT_FALSE(TextNeedle("NullPointerException").MayBeIn(filter));
    // Digits that end, and are too few for an id.
    EXPECT_FALSE(TextNeedle("=4711471 ").MayBeIn(filter));
    EXPECT_TRUE(TextNeedle("4711471").MayBeIn(filter));
  }
}

TEST(TextFilter, MostOfWhatIsNotThereIsRuledOut) {
  Random random(3);
  TextGatherer gatherer;
  std::size_t bytes = 0;
  int passed = 0;
  constexpr int kBlocks = 50;
  constexpr int kNeedles = 20;
  for (int block = 0; block < kBlocks; ++block) {
    for (int i = 0; i < 128; ++i) gatherer.Add(RandomLine(random));
    const std::string filter = gatherer.TakeFilter();
    bytes += filter.size();
    for (int i = 0; i < kNeedles; ++i) {
      const TextNeedle needle("order_id=" + std::to_string(9'000'000 + random.Below(999'999)));
      passed += needle.MayBeIn(filter) ? 1 : 0;
    }
    EXPECT_FALSE(TextNeedle("connection refused").MayBeIn(filter));
  }
  EXPECT_LT(passed, kBlocks * kNeedles / 10);
  EXPECT_LE(bytes / kBlocks, 520U);
}

TEST(TextFilter, ShortNeedlesRuleNothingOutAndNoBodiesHaveNothing) {
  EXPECT_FALSE(TextNeedle("abc").rules_out());
  EXPECT_TRUE(TextNeedle("abcd").rules_out());
  TextGatherer gatherer;
  EXPECT_EQ(gatherer.TakeFilter(), "");
  EXPECT_FALSE(TextNeedle("abcd").MayBeIn(""));
  gatherer.Add("abc");
  const std::string filter = gatherer.TakeFilter();
  EXPECT_TRUE(TextNeedle("abc").MayBeIn(filter));
  EXPECT_FALSE(TextNeedle("abcd").MayBeIn(filter));
  EXPECT_TRUE(TextNeedle("abcd").MayBeIn("damaged"));
}

}  // namespace
}  // namespace throughline::store::segment
