#include "api/links/backend_query.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace throughline::api::links {
namespace {

constexpr TraceId kLong{0x0af7651916cd43dd, 0x8448eb211c80319c};
constexpr TraceId kShort{0, 0x1234567890abcdef};
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr TimeRange kWindow{1'750'000'000 * kSecond, 1'750'000'060 * kSecond};

BackendQuery Query(const char* kind, TraceId id, const std::vector<std::string>& services) {
  return QueryFor({.name = "main", .kind = kind, .url = "http://x:1/"}, id, kWindow, services);
}

TEST(LogQl, NamesServicesAndTheId) {
  const BackendQuery query = Query("loki", kLong, {"pay", "front"});
  EXPECT_EQ(query.language, "logql");
  EXPECT_EQ(query.query, R"({service_name=~"pay|front"} |= "0af7651916cd43dd8448eb211c80319c")");
  EXPECT_EQ(query.url,
            "http://x:1/loki/api/v1/query_range?query=%7Bservice_name%3D~%22pay%7Cfront%22%7D%20"
            "%7C%3D%20%220af7651916cd43dd8448eb211c80319c%22&start=1750000000000000000"
            "&end=1750000060000000000&direction=forward&limit=1000");
}

TEST(LogQl, AnUnknownHighHalfIsLeftOut) {
  EXPECT_EQ(Query("loki", kShort, {}).query, R"({service_name=~".+"} |= "1234567890abcdef")");
}

TEST(LogQl, ServicesCannotChangeTheQuery) {
  EXPECT_EQ(Query("loki", kShort, {"a.b\"} |= \"", "c\\d\n"}).query,
            "{service_name=~\"a\\\\.b\\\"\\\\} \\\\|= \\\"|c\\\\\\\\d\\n\"} |= "
            "\"1234567890abcdef\"");
}

TEST(LogQl, TooManyServicesAreLeftToTheId) {
  EXPECT_EQ(Query("loki", kShort, std::vector<std::string>(21, "s")).query,
            R"({service_name=~".+"} |= "1234567890abcdef")");
}

TEST(OtherBackends, QueriesAndUrls) {
  const BackendQuery tempo = Query("tempo", kLong, {});
  EXPECT_EQ(tempo.query, R"({ trace:id = "0af7651916cd43dd8448eb211c80319c" })");
  EXPECT_EQ(
      tempo.url,
      "http://x:1/api/traces/0af7651916cd43dd8448eb211c80319c?start=1750000000&end=1750000061");
  EXPECT_EQ(Query("jaeger", kShort, {}).url, "http://x:1/trace/00000000000000001234567890abcdef");
  const BackendQuery elastic = Query("elasticsearch", kShort, {});
  EXPECT_EQ(elastic.query,
            R"((trace.id:"00000000000000001234567890abcdef" OR )"
            R"(trace_id:"00000000000000001234567890abcdef" OR )"
            R"(traceId:"00000000000000001234567890abcdef" OR )"
            R"(message:"00000000000000001234567890abcdef") AND )"
            R"(@timestamp:["2025-06-15T15:06:40.000000000Z" TO "2025-06-15T15:07:40.000000000Z"])");
  const BackendQuery sql = Query("sql", kShort, {});
  EXPECT_EQ(sql.query.find("SELECT * FROM otel_traces WHERE TraceId = '0000"), 0U);
  EXPECT_EQ(sql.url.find("http://x:1/?query=SELECT%20%2A%20FROM"), 0U);
  EXPECT_EQ(Query("grafana", kLong, {}).url,
            "http://x:1/explore?schemaVersion=1&orgId=1&panes=%7B%22trace%22%3A%7B%22datasource%22"
            "%3A%22main%22%2C%22queries%22%3A%5B%7B%22refId%22%3A%22A%22%2C%22queryType%22%3A"
            "%22traceql%22%2C%22query%22%3A%220af7651916cd43dd8448eb211c80319c%22%7D%5D%2C%22range"
            "%22%3A%7B%22from%22%3A%221750000000000%22%2C%22to%22%3A%221750000060001%22%7D%7D%7D");
}

TEST(OtherBackends, WithoutABaseThereIsNoUrl) {
  for (const char* kind : {"loki", "tempo", "jaeger", "elasticsearch", "sql", "grafana"}) {
    const BackendQuery query = QueryFor({.name = "x", .kind = kind, .url = ""}, kLong, kWindow, {});
    EXPECT_EQ(query.url, "") << kind;
    EXPECT_NE(query.query, "") << kind;
  }
}

}  // namespace
}  // namespace throughline::api::links
