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
