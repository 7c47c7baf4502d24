// Rates and counters of tenants.
#include "gateway/tenants.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace throughline::gateway {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 1'700'000'000 * kSecond;

TEST(TenantsTest, WithoutLimitsEverythingIsAdmitted) {
  Tenants tenants({});
  tenants.Charge("a", {.records = UINT32_MAX, .bytes = UINT32_MAX}, kNow);
  EXPECT_TRUE(tenants.Admit("a", kNow));
}

TEST(TenantsTest, ATenantInDebtWaitsUntilItIsPaidOff) {
  struct Case {
    const char* name;
    Tenants::Limits limits;
    Tenants::Charged charged;
    const char* limit;
  };
  const Case cases[] = {
      {"Records", {.records_per_second = 100}, {.records = 350}, "tenant_records_per_second"},
      {"Bytes", {.bytes_per_second = 100}, {.bytes = 350}, "tenant_bytes_per_second"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Tenants tenants(c.limits);
    ASSERT_TRUE(tenants.Admit("a", kNow));
    tenants.Charge("a", c.charged, kNow);  // 100 were there: 250 of debt, 2.5 s.
    const auto refused = tenants.Admit("a", kNow + 2 * kSecond);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kOverloaded);
    EXPECT_NE(refused.error().message.find(c.limit), std::string::npos) << refused.error().message;
    EXPECT_TRUE(tenants.Admit("b", kNow + 2 * kSecond));  // The others pay nothing.
    EXPECT_TRUE(tenants.Admit("a", kNow + 3 * kSecond));
  }
}

TEST(TenantsTest, ATenantsOwnRatesHoldInsteadOfThoseOfAll) {
  struct Case {
    const char* name;
    TenantRates own;  // Of "a", where all have 100 records and no limit of bytes.
    Tenants::Charged charged;
    const char* refusal;  // Empty: admitted.
  };
  const Case cases[] = {
      {"Greater", {.records_per_second = 1000, .bytes_per_second = {}}, {.records = 350}, ""},
      {"GreaterIsALimitToo",
       {.records_per_second = 1000, .bytes_per_second = {}},
       {.records = 1001},
       "more than 1000 a second (tenants.a.records_per_second)"},
      {"Smaller",
       {.records_per_second = 10, .bytes_per_second = {}},
       {.records = 50},
       "more than 10 a second (tenants.a.records_per_second)"},
      {"None", {.records_per_second = 0, .bytes_per_second = {}}, {.records = 1'000'000}, ""},
      {"OfBytesBesideThatOfAll",
       {.records_per_second = {}, .bytes_per_second = 10},
       {.records = 350},
       "more than 100 a second (limits.tenant_records_per_second)"},
      {"OfBytes",
       {.records_per_second = {}, .bytes_per_second = 10},
       {.bytes = 11},
       "more than 10 a second (tenants.a.bytes_per_second)"},
      {"NothingSaid",
       {},
       {.records = 350},
       "more than 100 a second (limits.tenant_records_per_second)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Tenants tenants({.records_per_second = 100, .own = {{"a", c.own}}});
    ASSERT_TRUE(tenants.Admit("a", kNow));
    tenants.Charge("a", c.charged, kNow);
    const auto admitted = tenants.Admit("a", kNow);
    EXPECT_EQ(admitted ? "" : admitted.error().message,
              *c.refusal == '\0' ? "" : std::string("the tenant sends ") + c.refusal);
    tenants.Charge("b", {.records = 350}, kNow);
    EXPECT_FALSE(tenants.Admit("b", kNow)) << "the others have the rate of all";
  }
}

TEST(TenantsTest, OnlyWhoHasARateIsLimited) {
  Tenants tenants({.own = {{"a", {.records_per_second = 10, .bytes_per_second = {}}}}});
  for (const char* name : {"a", "b"}) tenants.Charge(name, {.records = 350}, kNow);
  EXPECT_FALSE(tenants.Admit("a", kNow));
  EXPECT_TRUE(tenants.Admit("b", kNow));
}

TEST(TenantsTest, SavingUpEndsAtASecondsWorth) {
  Tenants tenants({.records_per_second = 100});
  ASSERT_TRUE(tenants.Admit("a", kNow));
  const std::uint64_t later = kNow + 3600 * kSecond;
  tenants.Charge("a", {.records = 150}, later);
  EXPECT_FALSE(tenants.Admit("a", later));
}

TEST(TenantsTest, AClockThatGoesBackGivesNothing) {
  Tenants tenants({.records_per_second = 100});
  tenants.Charge("a", {.records = 200}, kNow);
  EXPECT_FALSE(tenants.Admit("a", kNow - 10 * kSecond));
  EXPECT_FALSE(tenants.Admit("a", kNow));
  EXPECT_TRUE(tenants.Admit("a", kNow + kSecond));
}

TEST(TenantsTest, MoreThanItsBoundShareTheRateOfAll) {
  Tenants tenants({.tenants = 1, .records_per_second = 100});
  tenants.Charge("a", {}, kNow);
  tenants.Charge("b", {.records = 350}, kNow);
  EXPECT_FALSE(tenants.Admit("c", kNow));
  EXPECT_TRUE(tenants.Admit("a", kNow));
}

TEST(TenantsTest, MoreThanItsBoundAreCountedTogether) {
  Tenants tenants({.tenants = 2});
  for (const char* name : {"a", "b", "c", "d"}) {
    tenants.Charge(name, {}, kNow).received.fetch_add(1);
  }
  std::vector<std::string> counted;
  tenants.ForEach([&](const std::string& tenant, const TenantCounts& counts) {
    counted.push_back(tenant + " " + std::to_string(counts.received.load()));
  });
  EXPECT_EQ(counted, (std::vector<std::string>{"a 1", "b 1", "{over limits.tenants} 2"}));
}

}  // namespace
}  // namespace throughline::gateway
