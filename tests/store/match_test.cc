// The pure parts that stores share: cursors, inferred services, times.
#include "store/match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "correlate/record_time.h"
#include "store/cursor.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

using testing::ElementsAre;

TEST(CursorTest, ComesBackAsItWas) {
  const SortKey keys[] = {{0, 0, 0, 0}, {1, 2, 3, 4}, {UINT64_MAX, 0, UINT64_MAX, 1ULL << 63U}};
  for (const SortKey& key : keys) {
    const std::string text = EncodeCursor(CursorKind::kLines, key);
    EXPECT_EQ(
        text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        std::string::npos);
    const auto decoded = DecodeCursor(CursorKind::kLines, text);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, key);
    EXPECT_FALSE(DecodeCursor(CursorKind::kNewestLines, text));
    for (std::size_t i = 1; i < text.size(); ++i) {
      EXPECT_FALSE(DecodeCursor(CursorKind::kLines, text.substr(0, i)));
    }
    EXPECT_FALSE(DecodeCursor(CursorKind::kLines, text + "A"));
    std::string broken = text;
    broken[5] = '=';
    EXPECT_FALSE(DecodeCursor(CursorKind::kLines, broken));
  }
  EXPECT_FALSE(DecodeCursor(CursorKind::kLines, "")->has_value());
}

TEST(CursorTest, PagesAreCutInOrder) {
  const auto keys = [](const std::vector<Keyed>& items) {
    std::vector<std::uint64_t> firsts;
    for (const Keyed& item : items) firsts.push_back(item.key[0]);
    return firsts;
  };
  const std::vector<Keyed> all{{{3}, 0}, {{1}, 1}, {{4}, 2}, {{2}, 3}};
  auto items = all;
  const std::string cursor = CutPage(CursorKind::kLines, std::nullopt, 3, items);
  EXPECT_THAT(keys(items), ElementsAre(1, 2, 3));
  EXPECT_EQ(items[0].index, 1U);
  items = all;
  EXPECT_EQ(CutPage(CursorKind::kLines, *DecodeCursor(CursorKind::kLines, cursor), 3, items), "");
  EXPECT_THAT(keys(items), ElementsAre(4));
  items = all;
  EXPECT_EQ(CutPage(CursorKind::kNewestLines, std::nullopt, 4, items), "");
  EXPECT_THAT(keys(items), ElementsAre(4, 3, 2, 1));
}

TEST(MatchTest, InferredServices) {
  const TraceId trace{.high = 1, .low = 1};
  const auto batch = Sample()
                         .From({{"service.name", "root"}})
                         .Add(SampleSpan{.trace = trace, .span = {1}})
                         .From({{"service.name", "client"}})
                         .Add(SampleSpan{.trace = trace, .span = {2}, .parent = {1}, .kind = 3})
                         .From({{"service.name", "server"}})
                         .Add(SampleSpan{.trace = trace, .span = {2}, .parent = {1}, .kind = 2})
                         .Finish();
  EXPECT_TRUE(InferredServiceIs("root", {}, *batch));
  EXPECT_TRUE(InferredServiceIs("root", {1}, *batch));
  EXPECT_TRUE(InferredServiceIs("client", {2}, *batch));
  EXPECT_TRUE(InferredServiceIs("server", {2}, *batch));
  EXPECT_FALSE(InferredServiceIs("root", {2}, *batch));
  EXPECT_TRUE(InferredServiceIs("root", {9}, *batch));
  EXPECT_FALSE(InferredServiceIs("root", {}, Batch()));
  EXPECT_TRUE(InferredServiceIs("", {}, Batch()));
}

TEST(MatchTest, QueriesAreBounded) {
  TraceQuery query;
  query.attributes.assign(kMaxMatchers, {"key", Matcher::Op::kEqual, "value"});
  EXPECT_TRUE(SpanMatch::Compile(query));
  query.attributes.push_back(query.attributes.front());
  EXPECT_FALSE(SpanMatch::Compile(query));
  Matcher matcher{"key", Matcher::Op::kRegex, std::string(kMaxRegexBytes, 'a')};
  EXPECT_TRUE(CompiledMatcher::Compile(matcher));
  matcher.value += 'a';
  EXPECT_FALSE(CompiledMatcher::Compile(matcher));
  matcher.op = Matcher::Op::kEqual;
  EXPECT_TRUE(CompiledMatcher::Compile(matcher));
}

TEST(MatchTest, ARegexMatchesAnyBytes) {
  const auto dots = CompiledMatcher::Compile({"key", Matcher::Op::kRegex, "a.b"});
  ASSERT_TRUE(dots);
  EXPECT_TRUE(dots->Matches("a\nb"));
  EXPECT_FALSE(dots->Matches("a\nbc"));
}

TEST(RecordTimeTest, EndsNeverOverflow) {
  Span span;
  span.arrival_unix_ns = kNow;
  span.end_unix_ns = 99;  // No start: no duration.
  EXPECT_EQ(EndOf(span), kNow);
  span.start_unix_ns = kNow;
  span.end_unix_ns = kNow - 1;
  EXPECT_EQ(EndOf(span), kNow);
  span.start_unix_ns = 1;  // Cannot be; the duration still counts.
  span.end_unix_ns = UINT64_MAX;
  EXPECT_EQ(EndOf(span), UINT64_MAX);
}

}  // namespace
}  // namespace throughline::store
