// Which answer when: parameters, errors, states and bounds of the calls of /api/v1.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/links/handlers.h"
#include "spans/otlp.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"

namespace throughline::api {
namespace {

using store::Sample;
using store::SampleExemplar;
using store::SampleLine;
using store::SampleLink;
using store::SampleSpan;
using testing::HasSubstr;
using testing::Not;

struct Call {
  const char* name;
  Shop::Handler handler;
  std::string query;
  int status;
  std::string in_body;
  std::string capture = {};
};

class CallTest : public testing::TestWithParam<Call> {};

TEST_P(CallTest, StatusAndWords) {
  const Call& call = GetParam();
  const Response response = Shop().Get(call.handler, call.query, call.capture);
  EXPECT_EQ(response.status, call.status) << response.body;
  EXPECT_THAT(response.body, HasSubstr(call.in_body));
  EXPECT_EQ(response.content_type,
            call.status == 200 ? "application/json" : "application/problem+json");
}

const std::string kBuyHex = "0af7651916cd43dd8448eb211c80319c";

INSTANTIATE_TEST_SUITE_P(
    Parameters, CallTest,
    testing::Values(
        Call{"UnknownName", links::FindTraces, "sevice=pay", 400, "parameter sevice: not a param"},
        Call{"UnknownNameOfServices", links::Services, "limit=1", 400, "parameter limit"},
        Call{"GivenTwice", links::FindTraces, "service=a&service=b", 400, "service: want it once"},
        Call{"LimitZero", links::FindTraces, "limit=0", 400, "limit: want 1 to 10000"},
        Call{"LimitOver", links::FindLogs, "limit=10001", 400, "limit: want 1 to 10000"},
        Call{"LimitAtMost", links::FindLogs, "limit=10000", 200, "\"complete\":true"},
        Call{"LimitNegative", links::FindLogs, "limit=-1", 400, "limit"},
        Call{"LimitEmpty", links::FindExemplars, "limit=", 400, "limit"},
        Call{"BadStart", links::FindTraces, "start=yesterday", 400, "start: want RFC 3339"},
        Call{"BadEnd", links::FindLogs, "end=2025-02-30T00:00:00Z", 400, "end: want RFC 3339"},
        Call{"StartAfterEnd", links::FindLogs, "start=now&end=now-1h", 400, "before end"},
        Call{"BadStatus", links::FindTraces, "status=bad", 400, "want one of unset, ok, error"},
        Call{"BadHas", links::FindTraces, "has=logs,errors", 400, "list of logs, exemplars, error"},
        Call{"BadOrder", links::FindTraces, "order=best", 400, "want one of newest, duration"},
        Call{"BadDuration", links::FindTraces, "min_duration=fast", 400, "such as 250ms"},
        Call{"BadSeverity", links::FindLogs, "severity=loud", 400, "severity: want trace"},
        Call{"SeverityNumber", links::FindLogs, "severity=17", 200, "buy failed"},
        Call{"SeverityInCapitals", links::FindLogs, "severity=ERROR", 200, "buy failed"},
        Call{"SeverityOver", links::FindLogs, "severity=25", 400, "severity"},
        Call{"BadLogTraceId", links::FindLogs, "trace_id=zzz", 400, "parameter trace_id"},
        Call{"BadLinkedOnly", links::FindLogs, "linked_only=yes", 400, "false, true"},
        Call{"BadMatch", links::FindExemplars, "match={a=1}", 400, "match: selector, byte 3"},
        Call{"BadRegex", links::FindExemplars, "match={a=~\"(\"}", 400, "invalid_argument"},
        Call{"BadNumber", links::FindExemplars, "min_value=high", 400, "min_value: want a number"},
        Call{"NotANumber", links::FindExemplars, "le=nan", 400, "le: want a number"},
        Call{"Infinity", links::FindExemplars, "le=%2BInf", 400, "le: want a number"},
        Call{"InfinityDecoded", links::FindExemplars, "le=+Inf", 200, "\"exemplars\":[]"},
        Call{"BadMetric", links::FindGauges, "metric=a*b", 400, "no pattern of metrics"},
        Call{"AnyMetric", links::FindGauges, "metric=*", 200, "k8s.pod.cpu.usage"},
        Call{"GaugeLimit", links::FindGauges, "limit=0", 400, "limit: want 1 to 10000"},
        Call{"BadCursor", links::FindTraces, "cursor=!!!", 400, "cursor"},
        Call{"BadInclude", links::GetTrace, "include=all", 400, "include: want a comma", kBuyHex},
        Call{"BadFormat", links::GetTrace, "format=xml", 400, "format: want one of", kBuyHex},
        Call{"BadHint", links::GetTrace, "start=x", 400, "start: want RFC", kBuyHex},
        Call{"WaitIsTheGateways", links::GetTrace, "wait=5s&complete=1", 200, "\"live\"", kBuyHex},
        Call{"WaitOfLocate", links::Locate, "wait=5s", 200, "\"live\"", kBuyHex},
        Call{"HintsNeverExclude", links::GetTrace, "start=1&end=2", 200, "\"live\"", kBuyHex},
        Call{"EmptyTextIsAbsent", links::FindTraces, "service=&operation=&cursor=", 200, kBuyHex}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Ids, CallTest,
    testing::Values(
        Call{"Hex", links::GetTrace, "", 200, "\"spelling\":\"hex32\"", kBuyHex},
        Call{"LowHalf", links::GetTrace, "", 200, kBuyHex, "8448eb211c80319c"},
        Call{"HighHalfIsNoLink", links::GetTrace, "", 404, "never_seen", "0af7651916cd43dd"},
        Call{"Decimal", links::GetTrace, "", 200, kBuyHex, "9532127138774266268"},
        Call{"Nothing", links::GetTrace, "", 404, "\"state\":\"never_seen\"", std::string(32, '7')},
        Call{"LocateNothing", links::Locate, "", 404, "\"state\":\"never_seen\"",
             std::string(32, '7')},
        Call{"Malformed", links::GetTrace, "", 400, "\"state\":\"malformed\"", "no-id"},
        Call{"LocateMalformed", links::Locate, "", 400, "\"state\":\"malformed\"", "no-id"},
        Call{"AllZero", links::GetTrace, "", 400, "\"state\":\"malformed\"", std::string(32, '0')},
        Call{"Ambiguous", links::GetTrace, "", 409, "\"state\":\"ambiguous\"", "5555555555555555"},
        Call{"AmbiguousIsLocated", links::Locate, "", 200, "\"state\":\"ambiguous\"",
             "5555555555555555"},
        Call{"LogsOfNothing", links::FindLogs, "trace_id=" + std::string(32, '7'), 200,
             "\"logs\":[]"},
        Call{"LogsOfALongGoneHour", links::FindLogs, "start=1&end=2&trace_id=" + kBuyHex, 200,
             "buy failed"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(GetTrace, StateFollowsTheAgeOfALine) {
  Shop shop;
  const std::string id = ToHex(kOnlyLines);
  EXPECT_THAT(shop.Get(links::GetTrace, "", id).body, HasSubstr("\"state\":\"pending\""));
  EXPECT_THAT(shop.Get(links::GetTrace, "", id).body, HasSubstr("still arriving"));
  shop.now_unix_ns = kArrival + kMinute;
  const Response later = shop.Get(links::GetTrace, "", id);
  EXPECT_EQ(later.status, 200);
  EXPECT_THAT(later.body, HasSubstr("\"state\":\"never_seen\""));
  EXPECT_THAT(later.body, HasSubstr("\"complete\":true"));
}

TEST(GetTrace, WhatTheSenderDroppedIsSampledOut) {
  Sample sample;
  sample.From({{"service.name", "a"}});
  sample.Add(SampleLine{.trace = kNowhere, .sampled = Sampled::kNo});
  const Shop shop({sample.Finish()});
  EXPECT_THAT(shop.Get(links::GetTrace, "", ToHex(kNowhere)).body,
              HasSubstr("\"state\":\"sampled_out\""));
}

TEST(ClockSkew, IsShownAndWidensTheWindowOfLocate) {
  const auto shop = [](std::uint64_t ahead) {
    Sample sample;
    sample.From({{"service.name", "a"}, {"host.name", "web-1"}});
    sample.Add(SampleSpan{
        .trace = kBuy, .span = {1}, .start = kArrival, .duration = 100 * kMs, .kind = 3});
    sample.From({{"service.name", "b"}, {"host.name", "web-2"}});
    sample.Add(SampleSpan{.trace = kBuy,
                          .span = {2},
                          .parent = {1},
                          .start = kArrival + 10 * kMs + ahead,
                          .duration = 80 * kMs});
    return Shop({sample.Finish()});
  };
  EXPECT_THAT(shop(200 * kMs).Get(links::GetTrace, "include=integrity", kBuyHex).body,
              HasSubstr(R"("skew":[{"from":"web-1","to":"web-2","offset_ns":200000000,)"
                        R"("bound_ns":10000000,"pairs":1}])"));
  EXPECT_THAT(shop(200 * kMs).Get(links::Locate, "", kBuyHex).body,
              HasSubstr("\"widened_ns\":210000000"));
  // Within the bound the clocks may agree.
  EXPECT_THAT(shop(9 * kMs).Get(links::Locate, "", kBuyHex).body, HasSubstr("\"widened_ns\":0}"));
  const std::uint64_t days = 72 * 3600 * store::kSecond;
  EXPECT_THAT(shop(days).Get(links::Locate, "", kBuyHex).body,
              HasSubstr("\"widened_ns\":86400000000000}"));
}

TEST(GetTrace, IsOfOneTenant) {
  const Shop shop;
  Request request = MakeRequest({}, kBuyHex);
  request.scope.tenant = "other";
  EXPECT_EQ(shop.Call(links::GetTrace, request).status, 404);
}

TEST(GetTrace, LooksUpABoundedNumberOfLinkedTraces) {
  Sample sample;
  sample.From({{"service.name", "a"}});
  SampleSpan span{.trace = kBuy, .span = {1}};
  for (std::uint64_t i = 1; i <= 200; ++i) span.links.push_back(SampleLink{{i, i}, {1}});
  sample.Add(span);
  const std::string body =
      Shop({sample.Finish()}).Get(links::GetTrace, "include=spans", kBuyHex).body;
  std::size_t looked_up = 0;
  for (std::size_t at = 0; (at = body.find("never_seen", at)) != body.npos; ++at) ++looked_up;
  EXPECT_EQ(looked_up, 64U);
  EXPECT_THAT(body, HasSubstr("\"span_id\":\"0000000000000001\",\"state\":null"));
}

// What an OTLP answer says, sent to an empty gateway, gives the same spans.
TEST(GetTrace, OtlpSaysTheSame) {
  const Shop shop;
  for (const TraceId id : {kBuy, kShort}) {
    const Response otlp = shop.Get(links::GetTrace, "format=otlp", ToHex(id));
    ASSERT_EQ(otlp.status, 200);
    EXPECT_EQ(otlp.content_type, "application/protobuf");
    auto batch = std::make_shared<Batch>();
    batch->body = Body::Of(otlp.body);
    const auto decoded = spans::DecodeOtlp(batch->body.view(), DecodeOptions(), *batch);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(decoded->rejected + decoded->dropped_links, 0U);
    const Shop again({batch});
    // No lines came along, so the linked trace that only has lines is not known there.
    std::string want = shop.Get(links::GetTrace, "include=spans,integrity", ToHex(id)).body;
    for (std::size_t at = 0; (at = want.find("\"pending\"", at)) != want.npos;) {
      want.replace(at, 9, "\"never_seen\"");
    }
    EXPECT_EQ(again.Get(links::GetTrace, "include=spans,integrity", ToHex(id)).body, want);
  }
}

TEST(GetTrace, OtlpByAcceptHeader) {
  Request request = MakeRequest({}, kBuyHex);
  request.headers.emplace_back("accept", "application/protobuf");
  EXPECT_EQ(Shop().Call(links::GetTrace, request).content_type, "application/protobuf");
  request.query.emplace_back("format", "json");
  EXPECT_EQ(Shop().Call(links::GetTrace, request).content_type, "application/json");
}

TEST(Lists, CursorsLeadThroughAll) {
  const Shop shop;
  struct List {
    Shop::Handler handler;
    std::string query;
    std::size_t pages;
  };
  for (const List& list : {List{links::FindTraces, "limit=1&end=1750000000", 4},
                           List{links::FindLogs, "limit=1&end=1750000000", 4},
                           List{links::FindExemplars, "limit=1&end=1750000000", 2},
                           List{links::FindGauges, "limit=1&end=1750000000", 3}}) {
    std::string cursor;
    std::vector<std::string> pages;
    while (pages.size() < 10) {
      const std::string body = shop.Get(list.handler, list.query + "&cursor=" + cursor).body;
      EXPECT_THAT(pages, Not(testing::Contains(body)));
      pages.push_back(body);
      const std::size_t at = body.find("\"cursor\":\"");
      if (at == body.npos) break;
      cursor = body.substr(at + 10, body.find('"', at + 10) - at - 10);
    }
    EXPECT_EQ(pages.size(), list.pages) << list.query;
  }
}

TEST(FindTraces, WithoutRangeIsTheLastHour) {
  Shop shop;
  shop.now_unix_ns = kArrival + 50 * kMinute;
  EXPECT_THAT(shop.Get(links::FindTraces).body, HasSubstr(kBuyHex));
  shop.now_unix_ns = kArrival + 59 * kMinute;
  EXPECT_THAT(shop.Get(links::FindTraces).body, Not(HasSubstr(kBuyHex)));
}

struct BadBody {
  const char* name;
  std::string body;
  int status;
  std::string in_body;
};

class ResolveBodyTest : public testing::TestWithParam<BadBody> {};

TEST_P(ResolveBodyTest, Status) {
  Shop shop;
  shop.settings.resolve_items = 3;
  const Response response = shop.Post(links::Resolve, GetParam().body);
  EXPECT_EQ(response.status, GetParam().status) << response.body;
  EXPECT_THAT(response.body, HasSubstr(GetParam().in_body));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, ResolveBodyTest,
    testing::Values(
        BadBody{"Empty", "", 400, "body: "}, BadBody{"NoJson", "{\"ids\":[", 400, "body: "},
        BadBody{"NoObject", "[]", 400, "want an object"},
        BadBody{"IdsNoArray", R"({"ids":"x"})", 400, "ids: want an array of strings"},
        BadBody{"LineNoString", R"({"lines":["x",7]})", 400, "lines[1]: want a string"},
        BadBody{"UnknownMember", R"({"line":["x"]})", 400, "unknown member line"},
        BadBody{"Nothing", "{}", 200, R"({"ids":[],"lines":[],"complete":true})"},
        BadBody{"AtTheLimit", R"({"ids":["1"],"lines":["a","b"]})", 200, "complete"},
        BadBody{"OverTheLimit", R"({"ids":["1","2","3","4"]})", 413, "more than 3 items"},
        BadBody{"OverTogether", R"({"ids":["1","2"],"lines":["3","4"]})", 413, "more than 3"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Resolve, SaysThatTheDeadlineCame) {
  const Shop shop;
  Request request = MakeRequest({}, {});
  request.body = Body::Of(R"({"ids":["1234567890abcdef"],"lines":["x"]})");
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  const Response response = shop.Call(links::Resolve, request);
  EXPECT_EQ(response.body,
            R"({"ids":[],"lines":[],"complete":false,"incomplete_reason":"timeout"})");
}

TEST(Locate, WindowAndHostsComeFromAllRecords) {
  Sample sample;
  sample.From({{"service.name", "a"}, {"k8s.node.name", "n1"}});
  sample.Add(SampleLine{.trace = kBuy, .time = kArrival - kMinute});
  sample.From({{"service.name", "b"}, {"host.name", "h1"}});
  sample.Add(SampleSpan{.trace = kBuy, .span = {1}, .start = kArrival, .duration = kMs});
  sample.From({{"service.name", "c"}, {"k8s.pod.name", "p1"}});
  sample.Add(SampleExemplar{.trace = kBuy, .time = kArrival + kMinute});
  Shop shop({sample.Finish()});
  shop.settings.locate_padding_ns = 7;
  const std::string body = shop.Get(links::Locate, "", kBuyHex).body;
  EXPECT_THAT(body, HasSubstr("\"first_unix_nano\":\"" + std::to_string(kArrival - kMinute)));
  EXPECT_THAT(body, HasSubstr("\"last_unix_nano\":\"" + std::to_string(kArrival + kMinute)));
  EXPECT_THAT(body, HasSubstr("\"end_unix_nano\":\"" + std::to_string(kArrival + kMinute + 7)));
  EXPECT_THAT(body, HasSubstr(R"("services":["a","b","c"],"hosts":["h1","n1","p1"])"));
  EXPECT_THAT(body, HasSubstr(R"("counts":{"spans":1,"logs":1,"exemplars":1})"));
}

}  // namespace
}  // namespace throughline::api
