// What reaches the store of a query, as EXPLAIN QUERY PLAN shows it.
#include <gtest/gtest.h>

#include "tests/store/sql/world.h"

namespace throughline::store::sql {
namespace {

struct Case {
  const char* query;
  const char* plan;
};

constexpr Case kCases[] = {
    {"SELECT * FROM span", "SCAN span VIRTUAL TABLE INDEX 0:\n"},
    {"SELECT * FROM span WHERE trace_id = 'x'", "SCAN span VIRTUAL TABLE INDEX 0:trace_id=\n"},
    {"SELECT * FROM span WHERE trace_id IN ('x', 'y')",
     "SCAN span VIRTUAL TABLE INDEX 0:trace_id=\n"},
    {"SELECT * FROM span WHERE trace_id = 'x' COLLATE NOCASE",
     "SCAN span VIRTUAL TABLE INDEX 0:\n"},
    {"SELECT * FROM span WHERE trace_id = 'x' AND tenant = 'a' AND service = 'b'",
     "SCAN span VIRTUAL TABLE INDEX 0:trace_id= tenant=\n"},
    {"SELECT * FROM span WHERE start_unix_ns BETWEEN 1 AND 2 AND service = 'a' AND status_code = 2",
     "SCAN span VIRTUAL TABLE INDEX 0:service= status_code= start_unix_ns>= start_unix_ns<=\n"},
    {"SELECT * FROM span WHERE +start_unix_ns > 1", "SCAN span VIRTUAL TABLE INDEX 0:\n"},
    {"SELECT * FROM log WHERE time_unix_ns > 1 AND severity_number >= 17 AND body LIKE 'x%'",
     "SCAN log VIRTUAL TABLE INDEX 0:time_unix_ns> severity_number>=\n"},
    {"SELECT * FROM exemplar WHERE metric = 'm' AND time_unix_ns < 7",
     "SCAN exemplar VIRTUAL TABLE INDEX 0:metric= time_unix_ns<\n"},
    {"SELECT * FROM link WHERE kind = 'log' AND time > 1",
     "SCAN link VIRTUAL TABLE INDEX 0:kind= time>\n"},
    {"SELECT * FROM trace WHERE trace_id = 'x'", "SCAN trace VIRTUAL TABLE INDEX 0:trace_id=\n"},
    {"SELECT * FROM trace WHERE root_service = 'x' AND start_unix_ns >= 5",
     "SCAN trace VIRTUAL TABLE INDEX 0:root_service= start_unix_ns>=\n"},
    // Two tenants are two orders.
    {"SELECT * FROM trace ORDER BY start_unix_ns DESC LIMIT 3",
     "SCAN trace VIRTUAL TABLE INDEX 0:\nUSE TEMP B-TREE FOR ORDER BY\n"},
    // What the other table says of the id makes it a lookup, whichever stands first.
    {"SELECT * FROM span JOIN log USING (trace_id) WHERE span.service = 'a'",
     "SCAN span VIRTUAL TABLE INDEX 0:service=\nSCAN log VIRTUAL TABLE INDEX 0:trace_id=\n"},
    {"SELECT * FROM span JOIN log USING (trace_id) WHERE log.severity_number >= 17 AND "
     "log.time_unix_ns > 1",
     "SCAN log VIRTUAL TABLE INDEX 0:severity_number>= time_unix_ns>\n"
     "SCAN span VIRTUAL TABLE INDEX 0:trace_id=\n"},
    {"SELECT * FROM exemplar e LEFT JOIN trace t ON t.trace_id = e.trace_id",
     "SCAN e VIRTUAL TABLE INDEX 0:\n"
     "SCAN t VIRTUAL TABLE INDEX 0:trace_id= LEFT-JOIN\n"},
};

TEST(Plan, WhatReachesTheStore) {
  World world(3);
  for (const Case& one : kCases) EXPECT_EQ(world.Plan(one.query), one.plan) << one.query;
}

TEST(Plan, OneTenantHasOneOrder) {
  World world(3);
  auto sql = Connection::Open(world.store(), {.tenant = "default"});
  ASSERT_TRUE(sql);
  std::size_t used = 0;
  auto plan = (*sql)->Prepare(
      "EXPLAIN QUERY PLAN SELECT * FROM trace ORDER BY start_unix_ns DESC LIMIT 3", &used);
  ASSERT_TRUE(plan);
  ASSERT_TRUE(plan->Step());
  EXPECT_EQ(plan->BytesAt(3), "SCAN trace VIRTUAL TABLE INDEX 0:newest first, 3");
  const auto last = plan->Step();
  ASSERT_TRUE(last);
  EXPECT_FALSE(*last);
}

}  // namespace
}  // namespace throughline::store::sql
