#include "correlate/metric_pattern.h"

#include <gtest/gtest.h>

namespace throughline {
namespace {

TEST(MetricPattern, Matches) {
  struct Case {
    const char* pattern;
    const char* metric;
    bool matches;
  };
  const Case cases[] = {
      {"a.b", "a.b", true},    {"a.b", "a_b", true},
      {"a_b", "a.b", true},    {"a/b", "a-b", true},
      {"a.b", "a.bc", false},  {"a.b", "a", false},
      {"a.b", "A.b", false},   {"a.b*", "a.b", true},
      {"a.b*", "a_bc", true},  {"a.b.*", "a_b_c_total", true},
      {"a.b.*", "a.b", false}, {"*", "", true},
      {"*", "x", true},        {"a:b", "a_b", false},
  };
  for (const Case& test : cases) {
    const auto pattern = MetricPattern::Parse(test.pattern);
    ASSERT_TRUE(pattern) << test.pattern;
    EXPECT_EQ(pattern->Matches(test.metric), test.matches) << test.pattern << " " << test.metric;
  }
}

TEST(MetricPattern, WhatIsNone) {
  for (const char* text : {"", "**", "a*b", "*a"}) {
    const auto pattern = MetricPattern::Parse(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_EQ(pattern.error().code, Errc::kInvalidArgument);
  }
}

}  // namespace
}  // namespace throughline
