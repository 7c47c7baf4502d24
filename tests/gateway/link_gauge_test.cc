// The counts of links in /metrics: of recent ones, walked beside the lookups.
#include "gateway/link_gauge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/metrics.h"
#include "store/memory/memory_store.h"
#include "tests/store/sample.h"

namespace throughline::gateway {
namespace {

using store::kNow;
using store::kSecond;
using store::Sample;
using store::SampleLine;
using store::SampleSpan;
using testing::HasSubstr;
using testing::Not;

class LinkGaugeTest : public testing::Test {
 protected:
  LinkGaugeTest() : store_(store::MemoryStore::Options()) {
    Sample sample;
    sample.Add(SampleSpan{.trace = {1, 1}, .span = {1}});
    for (std::uint64_t i = 0; i < 3; ++i) {
      sample.Add(SampleLine{.trace = {1, 1}, .time = kNow - i});
    }
    sample.Add(SampleLine{.trace = {1, 2}});
    sample.Add(SampleLine{.trace = {1, 3}, .time = kNow - 900 * kSecond});  // Too long ago.
    const Appending appending{.tenant = "a", .batch = sample.Finish(), .arrival_unix_ns = kNow};
    EXPECT_TRUE(store_.Append({&appending, 1}).has_value());
  }

  // A walk, to its end.
  LinkGaugeState Walk(std::vector<std::string> tenants, std::uint64_t now_unix_ns) {
    ReadPool reads({});
    gauge_.Wake(reads, std::move(tenants), now_unix_ns);
    reads.Stop();
    return gauge_.Get();
  }
  static std::string Page(const LinkGaugeState& links) {
    ProcessState state;
    state.links = links;
    return Metrics(0).Render(state, Tenants({}));
  }

  store::MemoryStore store_;
  const api::links::Settings settings_;
  LinkGauge gauge_{store_, settings_};
};

TEST_F(LinkGaugeTest, CountsByStateAndReason) {
  EXPECT_THAT(Page(gauge_.Get()), Not(HasSubstr("throughline_links")));
  const std::string page = Page(Walk({"a", "nobody"}, kNow + 120 * kSecond));
  EXPECT_THAT(page, HasSubstr("throughline_links{state=\"live\",reason=\"spans_here\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("throughline_links{state=\"never_seen\",reason=\"no_span\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("throughline_links_complete 1\n"));
}

TEST_F(LinkGaugeTest, WalksAtMostOnceAPeriod) {
  EXPECT_EQ(SumOf(Walk({"nobody"}, kNow).counts), 0U);
  const auto period =
      static_cast<std::uint64_t>(std::chrono::nanoseconds(LinkGauge::kPeriod).count());
  EXPECT_EQ(SumOf(Walk({"a"}, kNow + period - 1).counts), 0U);
  EXPECT_EQ(SumOf(Walk({"a"}, kNow + period).counts), 4U);
}

TEST_F(LinkGaugeTest, OfTooManyTenantsSaysThatItIsNotAll) {
  const LinkGaugeState state =
      Walk(std::vector<std::string>(LinkGauge::kTenants + 1, "a"), kNow + 1);
  EXPECT_FALSE(state.complete);
  EXPECT_EQ(SumOf(state.counts), LinkGauge::kTenants * 4);
}

TEST_F(LinkGaugeTest, OfTooManyLinksSaysThatItIsNotAll) {
  constexpr std::size_t kLinks = LinkGauge::kLimits.links;
  Sample sample;
  for (std::uint64_t i = 0; i <= kLinks; ++i) sample.Add(SampleLine{.trace = {2, i + 1}});
  const Appending appending{.tenant = "b", .batch = sample.Finish(), .arrival_unix_ns = kNow};
  ASSERT_TRUE(store_.Append({&appending, 1}).has_value());
  const LinkGaugeState state = Walk({"b"}, kNow + 120 * kSecond);
  EXPECT_FALSE(state.complete);
  EXPECT_LE(SumOf(state.counts), kLinks);
}

}  // namespace
}  // namespace throughline::gateway
