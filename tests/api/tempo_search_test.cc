// Tempo's search and tags, as files; parameters and bounds.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/tempo/columns.h"
#include "api/tempo/handlers.h"
#include "tests/api/products.h"
#include "tests/api/shop.h"

namespace throughline::api {
namespace {

using store::Sample;
using store::SampleSpan;
using testing::HasSubstr;
using testing::Not;

// Around kArrival, in seconds.
constexpr char kRange[] = "&start=1749999000&end=1750000000";

std::vector<ProductCall> Calls() {
  const auto search = [](const char* name, const std::string& query) {
    return ProductCall{name, tempo::Search, "/api/search?" + query + kRange};
  };
  const auto values = [](const char* name, const std::string& tag, const std::string& query = {}) {
    return ProductCall{name, tempo::TagValuesV2, "/api/v2/search/tag/" + tag + "/values?" + query,
                       tag};
  };
  return {
      search("search_everything", "q={}&limit=20&spss=3"),
      search("search_service_and_name",
             "q={resource.service.name=\"front\" %26%26 name=\"POST /buy\"}"),
      search("search_select",
             "q={status=error} | select(resource.service.name, span.http.response.status_code, "
             "span.cart.items, event.exception.type, nestedSetParent)&spss=10"),
      search("search_by", "q={} | by(resource.service.name) | count() > 1"),
      search("search_structural", "q={kind=client} >> {span:name=\"call bank\"}"),
      search("search_tags", "tags=service.name=pay error=true name=\"POST /charge\""),
      search("search_nothing", "q={name=\"nothing\"}"),
      search("search_parse_error", "q={ name error }"),
      search("search_metrics_function", "q={} | rate()"),
      {"tags_v2", tempo::TagsV2, "/api/v2/search/tags?limit=5000"},
      {"tags_v2_scope", tempo::TagsV2, "/api/v2/search/tags?scope=resource"},
      {"tags_v1", tempo::TagsV1, "/api/search/tags"},
      values("values_service", "resource.service.name", "limit=5000&tag=resource.service.name"),
      values("values_name_filtered", "name", "q={resource.service.name=\"pay\"}"),
      values("values_half_query", "name", "q={resource.service.name=\"pay\" %26%26 span.x= }"),
      values("values_int", "span.http.response.status_code"),
      values("values_status", "status"),
      values("values_root", "trace:rootName"),
      values("values_unscoped", ".cart.items"),
      values("values_bad_tag", "nonsense"),
      {"values_v1", tempo::TagValuesV1, "/api/search/tag/service.name/values", "service.name"},
  };
}

// Tests write the query as people see it.
ProductCall Decoded(ProductCall call) {
  for (std::size_t at = 0; (at = call.target.find("%26", at)) != std::string::npos;) {
    call.target.replace(at, 3, "\x01");
  }
  return call;
}

Response AskDecoded(const Shop& shop, const ProductCall& call) {
  const ProductCall decoded = Decoded(call);
  const std::size_t mark = std::min(decoded.target.find('?'), decoded.target.size() - 1);
  Request request = MakeRequest(std::string_view(decoded.target).substr(mark + 1), call.capture);
  for (auto& [name, value] : request.query) {
    std::replace(value.begin(), value.end(), '\x01', '&');
  }
  return shop.Call(call.handler, request);
}

class TempoSearchTest : public testing::TestWithParam<ProductCall> {};

TEST_P(TempoSearchTest, IsAsInItsFile) {
  ExpectGoldenCall("tempo", GetParam(), AskDecoded(Shop(), GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Calls, TempoSearchTest, testing::ValuesIn(Calls()),
                         [](const auto& test) { return std::string(test.param.name); });

Response Search(const Shop& shop, const std::string& query) {
  return AskDecoded(shop, {"", tempo::Search, "/api/search?" + query});
}

std::size_t Count(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; ++at) ++count;
  return count;
}

TEST(TempoSearch, TakesTimesAsTheyAreSent) {
  const Shop shop;
  for (const char* range : {"", "&start=1749999000&end=1750000000",
                            "&start=1749999000000000000&end=1750000000000000000",
                            "&start=&end=", "&start=0&end=0", "&end=1749999880"}) {
    EXPECT_THAT(Search(shop, "q={name=\"POST /buy\"}" + std::string(range)).body,
                HasSubstr(ToHex(kBuy)))
        << range;
  }
  EXPECT_THAT(Search(shop, "q={}&start=1&end=2").body, HasSubstr("\"traces\":[]"));
  const Response reversed = Search(shop, "q={}&start=20&end=10");
  EXPECT_EQ(reversed.status, 400);
  EXPECT_EQ(reversed.body, "start is after end\n");
  EXPECT_EQ(Search(shop, "q={}&start=soon").status, 400);
}

TEST(TempoSearch, AnEndInWholeSecondsIsTheEndOfThatSecond) {
  Sample sample;
  sample.Add(SampleSpan{.trace = kBuy, .span = {1}, .start = kArrival + 900 * kMs});
  Shop shop({sample.Finish()});
  shop.now_unix_ns = kArrival + 950 * kMs;
  EXPECT_THAT(Search(shop, "q={}&start=1749999999&end=1750000000").body, HasSubstr(ToHex(kBuy)));
}

TEST(TempoSearch, BoundsTracesAndSpans) {
  Sample sample;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    for (std::uint64_t span = 1; span <= 5; ++span) {
      sample.Add(SampleSpan{.trace = {i, i}, .span = {span}, .start = kArrival + i});
    }
  }
  Shop shop({sample.Finish()});
  const auto traces = [&](const std::string& query) {
    return Count(Search(shop, query).body, "\"traceID\"");
  };
  EXPECT_EQ(traces("q={}"), 20U);
  EXPECT_EQ(traces("q={}&limit=0"), 20U);
  EXPECT_EQ(traces("q={}&limit=25"), 25U);
  EXPECT_EQ(traces("q={}&limit=100000"), 30U);
  EXPECT_EQ(Search(shop, "q={}&limit=-1").status, 400);
  EXPECT_EQ(Search(shop, "q={}&spss=x").body, "spss: want a whole number\n");
  EXPECT_EQ(Count(Search(shop, "q={}&limit=1").body, "\"spanID\""), 3U);
  EXPECT_EQ(Count(Search(shop, "q={}&limit=1&spss=0").body, "\"spanID\""), 3U);
  EXPECT_EQ(Count(Search(shop, "q={}&limit=1&spss=4").body, "\"spanID\""), 4U);
  EXPECT_THAT(Search(shop, "q={}&limit=1").body, HasSubstr("\"matched\":5"));
  shop.settings.max_limit = 7;
  EXPECT_EQ(traces("q={}&limit=25"), 7U);
}

TEST(TempoSearch, SaysWhatItWasCutBy) {
  Shop shop;
  shop.settings.query_traces = 2;
  const Response bounded = Search(shop, std::string("q={name=~\"none\"}") + kRange);
  EXPECT_EQ(bounded.status, 200);
  EXPECT_THAT(bounded.body, HasSubstr(R"("completedJobs":0,"totalJobs":1)"));
  ASSERT_EQ(bounded.headers.size(), 1U);
  EXPECT_EQ(bounded.headers[0].first, "X-Throughline-Incomplete");
  EXPECT_EQ(bounded.headers[0].second, "more than 2 traces (limits.query_traces)");

  Request request = MakeRequest("q={}&start=1749999000&end=1750000000", {});
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  const Response late = shop.Call(tempo::Search, request);
  EXPECT_EQ(late.status, 200);
  ASSERT_EQ(late.headers.size(), 1U);
  EXPECT_THAT(late.headers[0].second, HasSubstr("limits.lookup_deadline"));
}

TEST(TempoSearch, WalksOverManyPages) {
  Sample sample;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    sample.Add(SampleSpan{
        .trace = {i, i}, .span = {1}, .start = kArrival + i, .attributes = {{"even", i % 2 == 0}}});
  }
  const Shop shop({sample.Finish()});
  // Decided on each trace, and the first page has one.
  const std::string body = Search(shop, "q={span:id != \"x\" %26%26 !.even}&limit=1").body;
  EXPECT_THAT(body, HasSubstr(ToHex(TraceId{199, 199})));
  EXPECT_THAT(Search(shop, "q={rootName = \"none\"}&limit=1").body,
              HasSubstr("\"inspectedTraces\":200"));
}

// The data source's parser takes one type a column.
TEST(TempoSearch, AColumnHasOneType) {
  Sample sample;
  sample.Add(SampleSpan{.trace = kBuy, .span = {1}, .attributes = {{"a", 1}, {"b", 1}}});
  sample.Add(SampleSpan{.trace = kBuy, .span = {2}, .attributes = {{"a", 1.5}, {"b", "x"}}});
  const std::string body = Search(Shop({sample.Finish()}), "q={} | select(.a, .b)").body;
  EXPECT_THAT(body, HasSubstr(R"({"key":"a","value":{"doubleValue":1}})"));
  EXPECT_THAT(body, HasSubstr(R"({"key":"a","value":{"doubleValue":1.5}})"));
  EXPECT_THAT(body, HasSubstr(R"({"key":"b","value":{"stringValue":"1"}})"));
  EXPECT_THAT(body, HasSubstr(R"({"key":"b","value":{"stringValue":"x"}})"));
}

TEST(TempoSearch, TagsOfTheOlderSearch) {
  const Shop shop;
  const auto found = [&](const std::string& tags) {
    return Count(Search(shop, tags + kRange).body, ToHex(kBuy)) == 1;
  };
  EXPECT_TRUE(found("tags=http.response.status_code=502"));
  EXPECT_TRUE(found("tags=http.request.method=POST gift=false"));
  EXPECT_TRUE(found("tags=status.code=error root.service.name=front"));
  EXPECT_FALSE(found("tags=root.service.name=pay"));
  EXPECT_TRUE(found("tags=name=\"call bank\""));
  EXPECT_TRUE(found("minDuration=5s&maxDuration=6s"));
  EXPECT_FALSE(found("minDuration=6s"));
  EXPECT_EQ(Search(shop, "tags=name").body, "invalid tags: byte 0: want key=value\n");
  EXPECT_EQ(Search(shop, "tags=name=\"x").body, "invalid tags: byte 4: want the closing quote\n");
  EXPECT_THAT(Search(shop, "minDuration=fast").body, HasSubstr("minDuration: want"));
}

TEST(TempoTags, AreBounded) {
  Sample sample;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    sample.Add(SampleSpan{
        .trace = {i, i},
        .span = {1},
        .start = kArrival + i,
        .attributes = {{"key" + std::to_string(10 + i), "value"}, {"same", std::to_string(i)}}});
  }
  Shop shop({sample.Finish()});
  const auto ask = [&](const std::string& query) {
    return AskDecoded(shop, {"", tempo::TagsV2, "/api/v2/search/tags?scope=span&" + query});
  };
  EXPECT_EQ(Count(ask("").body, "\"key"), 20U);
  EXPECT_EQ(Count(ask("limit=5").body, "\"key"), 4U);  // And "same".
  EXPECT_EQ(ask("limit=x").status, 400);
  const auto values = [&](const std::string& query) {
    return AskDecoded(shop, {"", tempo::TagValuesV2, "/?" + query, "span.same"});
  };
  EXPECT_EQ(Count(values("").body, "\"type\""), 20U);
  EXPECT_EQ(Count(values("limit=5").body, "\"type\""), 5U);
  shop.settings.tag_traces = 3;  // The newest.
  EXPECT_EQ(Count(ask("").body, "\"key"), 3U);
  EXPECT_THAT(ask("").body, HasSubstr("key30"));
  EXPECT_EQ(Count(values("").body, "\"type\""), 3U);
  ASSERT_EQ(values("").headers.size(), 1U);
  EXPECT_EQ(values("").headers[0].second, "more than 3 traces (limits.tag_traces)");
}

TEST(TempoTags, UnknownScope) {
  const Response response = AskDecoded(Shop(), {"", tempo::TagsV2, "/?scope=galaxy"});
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("scope: want one of"));
}

TEST(DurationTextTest, InTheLargestUnit) {
  EXPECT_EQ(tempo::DurationText(1'500'000'000), "1.5s");
  EXPECT_EQ(tempo::DurationText(250'000'000), "250ms");
  EXPECT_EQ(tempo::DurationText(1'500), "1.5us");
  EXPECT_EQ(tempo::DurationText(7), "7ns");
  EXPECT_EQ(tempo::DurationText(0), "0ns");
}

}  // namespace
}  // namespace throughline::api
