// GET /coverage: what is wrong is said with the line to change, and what is not known is said too.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/grafana_provisioning.h"
#include "api/links/handlers.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"

namespace throughline::api {
namespace {

using store::kNow;
using store::Sample;
using store::SampleExemplar;
using store::SampleLine;
using store::SampleSpan;
using testing::HasSubstr;
using testing::Not;

constexpr char kHour[] = "end=1750000000&start=now-1h";
constexpr std::uint64_t kRequests = 12;

// A front whose logger was not told, a payment service without a name on a host whose clock is
// ahead, and a mailer whose lines name traces that it sends nowhere.
Batches Sick() {
  Sample sample;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const TraceId trace{7, i + 1};
    const std::uint64_t start = kNow - kMinute + i * 1000 * kMs;
    sample.From(
        {{"service.name", "front"}, {"telemetry.sdk.language", "python"}, {"host.name", "web-1"}});
    sample.Add(
        SampleSpan{.trace = trace, .span = {1}, .start = start, .duration = 100 * kMs, .kind = 3});
    sample.Add(SampleLine{.time = start, .body = "sold"});
    sample.Add(SampleExemplar{.trace = {8, i + 1}, .time = start});
    sample.From({{"service.name", "unknown_service:java"}, {"host.name", "pay-1"}});
    sample.Add(SampleSpan{.trace = trace,
                          .span = {2},
                          .parent = {1},
                          .start = start + 400 * kMs,
                          .duration = 80 * kMs});
    sample.Add(SampleLine{
        .trace = trace, .span = {2}, .time = start, .body = "paid", .found_by = FoundBy::kField});
    sample.From({{"app", "mail"}, {"trace_id", ToHex(TraceId{9, i + 1})}});
    sample.Add(SampleLine{.trace = {9, i + 1}, .time = start, .body = "sent", .service = "mail"});
  }
  sample.From({{"service.name", "front"}});
  sample.Add(SampleLine{.time = kNow - kMinute, .attributes = {{"trace_id", "0xyz"}}});
  return {sample.Finish()};
}

// So late that nothing is pending.
class SickShop : public Shop {
 public:
  SickShop() : Shop(Sick()) { now_unix_ns += 10 * kMinute; }
};

TEST(Coverage, SaysWhatIsWrong) {
  SickShop shop;
  shop.settings.unlinked_kept = true;
  const Response answer = shop.Get(links::FindCoverage, kHour);
  ASSERT_EQ(answer.status, 200) << answer.body;
  ExpectGolden("coverage_sick.json", Indented(answer.body));
}

TEST(Coverage, DoesNotSayWhatCannotBeKnown) {
  const Response answer = SickShop().Get(links::FindCoverage, kHour);
  EXPECT_THAT(answer.body, HasSubstr("\"unknown\":[\"which share of lines"));
  EXPECT_THAT(answer.body, Not(HasSubstr("lines_without_ids")));
  EXPECT_THAT(answer.body, Not(HasSubstr("\"share_with_ids\":0")));
  EXPECT_THAT(answer.body, Not(HasSubstr("\"share_with_ids\":1")));
}

TEST(Coverage, SaysWhatItDidNotLookUp) {
  SickShop shop;
  shop.settings.health_lookups = 10;
  const Response answer = shop.Get(links::FindCoverage, kHour);
  EXPECT_THAT(answer.body, HasSubstr("\"complete\":false,\"incomplete_reason\":\"limit\""));
  EXPECT_THAT(answer.body, HasSubstr("the states of 14 links: not looked up"));
  shop.settings.health_lookups = 1000;
  shop.settings.max_limit = 1;
  EXPECT_THAT(shop.Get(links::FindCoverage, kHour).body, HasSubstr("\"complete\":false"));
}

TEST(Coverage, OfAServiceIsItsOwn) {
  const Response answer = SickShop().Get(links::FindCoverage, std::string(kHour) + "&service=mail");
  EXPECT_THAT(answer.body, HasSubstr("\"fault\":\"lines_without_spans\""));
  EXPECT_THAT(answer.body, Not(HasSubstr("\"service\":\"front\"")));
}

TEST(Coverage, ProvisionsGrafanaWithTheGatewaysUrl) {
  const Shop shop;
  Request request = MakeRequest("format=grafana-provisioning", {});
  request.base_url = "http://gw.example:4380";
  const Response answer = shop.Call(links::FindCoverage, request);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/yaml");
  EXPECT_EQ(answer.body, *GrafanaProvisioning("http://gw.example:4380"));
  request = MakeRequest("format=grafana-provisioning&url=https://other", {});
  EXPECT_EQ(shop.Call(links::FindCoverage, request).body, *GrafanaProvisioning("https://other"));
}

TEST(Coverage, RefusesWhatIsNoQuestion) {
  const Shop shop;
  for (const char* query : {"format=yaml", "url=http://gw", "serivce=pay", "start=soon",
                            "format=grafana-provisioning&url=ftp://gw"}) {
    EXPECT_EQ(shop.Get(links::FindCoverage, query).status, 400) << query;
  }
}

}  // namespace
}  // namespace throughline::api
