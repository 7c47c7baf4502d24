#include "api/query/selector.h"

#include <string>

#include <gtest/gtest.h>

namespace throughline::api::query {
namespace {

std::string Text(const Selector& selector) {
  std::string text = selector.metric;
  for (const Matcher& matcher : selector.matchers) {
    constexpr const char* kOps[] = {"=", "!=", "=~", "!~"};
    text += "|" + matcher.key + kOps[static_cast<int>(matcher.op)] + matcher.value;
  }
  return text;
}

TEST(ParseSelector, Reads) {
  struct Case {
    const char* selector;
    std::string text;
  };
  const Case kCases[] = {
      {"up", "up"},
      {" up ", "up"},
      {"a:b_c9", "a:b_c9"},
      {"http.server.duration", "http.server.duration"},
      {"up{}", "up"},
      {"{}", ""},
      {R"(m{a="x",b!="y",c=~"z.*",d!~"w"})", "m|a=x|b!=y|c=~z.*|d!~w"},
      {R"(m { a = "x" , })", "m|a=x"},
      {R"({__name__="m",a="x"})", "m|a=x"},
      {R"({__name__=~"m.*"})", "|__name__=~m.*"},
      {R"({"http.server.duration", "http.route"="/x"})", "http.server.duration|http.route=/x"},
      {R"(m{http.route="/x"})", "m|http.route=/x"},
      {R"(m{a='it\'s "x"'})", "m|a=it's \"x\""},
      {R"(m{a="\n\t\\\x41\101\u00e9\U0001F600"})", "m|a=\n\t\\AA\xc3\xa9\xf0\x9f\x98\x80"},
      {"m{a=`\\d+`}", "m|a=\\d+"},
      {R"(m{a=""})", "m|a="},
      {"m{a=\"\xc3\xa9\"}", "m|a=\xc3\xa9"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.selector);
    const auto selector = ParseSelector(test.selector);
    ASSERT_TRUE(selector.has_value()) << selector.error().message;
    EXPECT_EQ(Text(*selector), test.text);
  }
}

TEST(ParseSelector, RefusesWithThePlace) {
  struct Case {
    std::string selector;
    const char* message;
  };
  const Case kCases[] = {
      {"", "selector, byte 0: want a metric name or {"},
      {"9a", "selector, byte 0: want a metric name or {"},
      {"m x", "selector, byte 2: want nothing after the selector"},
      {"m{", "selector, byte 2: want a label name"},
      {"m{}[5m]", "selector, byte 3: want nothing after the selector"},
      {"m{,}", "selector, byte 2: want a label name"},
      {"m{a}", "selector, byte 3: want =, !=, =~ or !~"},
      {"m{a=x}", "selector, byte 4: want a quoted value"},
      {"m{a=\"x\"", "selector, byte 7: want , or }"},
      {"m{a=\"x", "selector, byte 6: want the closing quote"},
      {"m{a=\"\\q\"}", "selector, byte 7: unknown escape"},
      {"m{a=\"\\x4\"}", "selector, byte 9: want 2 digits in an escape"},
      {"m{a=\"\\ud800\"}", "selector, byte 11: escape out of range"},
      {"m{a=\"\\777\"}", "selector, byte 9: escape out of range"},
      {"m{a=\"\\", "selector, byte 6: unknown escape"},
      {"m{=\"x\"}", "selector, byte 2: want a label name"},
      {"m{__name__=\"n\"}", "selector, byte 14: want one metric name"},
      {"m{\"n\"}", "selector, byte 5: want one metric name"},
      {"m{a=\"x\" b=\"y\"}", "selector, byte 8: want , or }"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.selector);
    const auto selector = ParseSelector(test.selector);
    ASSERT_FALSE(selector.has_value());
    EXPECT_EQ(selector.error().message, test.message);
  }
}

TEST(ParseSelector, TakesABoundedNumberOfMatchers) {
  const auto with = [](std::size_t count) {
    std::string text = "m{";
    for (std::size_t i = 0; i < count; ++i) text += "a=\"x\",";
    return ParseSelector(text + "}");
  };
  EXPECT_TRUE(with(kMaxMatchers).has_value());
  EXPECT_FALSE(with(kMaxMatchers + 1).has_value());
}

TEST(ParseSelector, TruncatedAnywhereItAnswers) {
  const std::string whole = R"(m{a="x\n\u00e9",b=~'y',"c"!="z"})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // In an allocation of its own, so that a read past the end is seen.
    const std::string part(whole, 0, size);
    EXPECT_EQ(ParseSelector(part).has_value(), size == 1) << part;
  }
}

}  // namespace
}  // namespace throughline::api::query
