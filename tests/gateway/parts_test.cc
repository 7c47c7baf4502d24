// The small parts of the process: routes, targets, media types, log, read pool.
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/log.h"
#include "gateway/media.h"
#include "gateway/read_pool.h"
#include "gateway/routes.h"
#include "gateway/target.h"
#include "gateway/wait.h"

namespace throughline::gateway {
namespace {

TEST(RoutesTest, EveryRouteIsFoundByItsOwnPath) {
  for (std::uint32_t i = 0; i < Routes().size(); ++i) {
    const Route& route = Routes()[i];
    std::string path(route.pattern);
    const std::size_t brace = path.find('{');
    if (brace != std::string::npos) path.replace(brace, path.find('}') + 1 - brace, "a%2Fb");
    const bool is_passed_on = route.kind == RouteKind::kPassedOn;
    UpstreamSet upstreams;
    upstreams.set(IndexOf(route.upstream()), is_passed_on);
    const RouteMatch match = MatchRoute(Door::kMain, route.method, path, upstreams);
    ASSERT_EQ(match.outcome, RouteMatch::Outcome::kFound) << path;
    EXPECT_EQ(match.route, i) << path;
    if (is_passed_on) {
      EXPECT_EQ(MatchRoute(Door::kMain, route.method, path).outcome, RouteMatch::Outcome::kNoPath);
    }
    if (brace != std::string::npos) {
      EXPECT_EQ(match.captures, std::vector<std::string_view>{"a%2Fb"});
    }
    const bool is_lookup =
        route.kind == RouteKind::kLookup || route.kind == RouteKind::kWaitingLookup;
    EXPECT_EQ(route.lookup != nullptr, is_lookup) << path;
  }
}

TEST(RoutesTest, AlmostRoutesAreNone) {
  for (const char* path : {"", "//", "/api/v1/traces/", "/api/v1/traces/a/b", "/api/v1/tracesx",
                           "/api/v1/services//operations", "/API/v1/traces", "/v1/traces/"}) {
    EXPECT_EQ(MatchRoute(Door::kMain, "GET", path).outcome, RouteMatch::Outcome::kNoPath) << path;
  }
}

TEST(RoutesTest, APlaceholderWithDotsTakesSlashes) {
  const std::string path = "/tempo/api/v2/search/tag/span.a/b/values/values";
  const RouteMatch match = MatchRoute(Door::kMain, "GET", path);
  ASSERT_EQ(match.outcome, RouteMatch::Outcome::kFound);
  EXPECT_EQ(match.captures, std::vector<std::string_view>{"span.a/b/values"});
  for (const char* none : {"/tempo/api/v2/search/tag/values", "/tempo/api/v2/search/tag//values",
                           "/tempo/api/v2/search/tag/a/valuesx"}) {
    EXPECT_EQ(MatchRoute(Door::kMain, "GET", none).outcome, RouteMatch::Outcome::kNoPath) << none;
  }
}

TEST(TargetTest, TakesTargetsApart) {
  EXPECT_EQ(SplitTarget("/a/b?c=d?e")->path, "/a/b");
  EXPECT_EQ(SplitTarget("/a/b?c=d?e")->query, "c=d?e");
  EXPECT_EQ(SplitTarget("http://host:1/a?b")->path, "/a");
  EXPECT_EQ(SplitTarget("http://host:1")->path, "/");
  EXPECT_FALSE(SplitTarget("*"));
  EXPECT_FALSE(SplitTarget("host:443"));
  EXPECT_FALSE(SplitTarget(""));
}

TEST(TargetTest, DecodesQueries) {
  const auto query = ParseQuery("a=b%20c+d&&e&f=g%3Dh&=i");
  ASSERT_TRUE(query);
  const std::vector<std::pair<std::string, std::string>> want = {
      {"a", "b c d"}, {"e", ""}, {"f", "g=h"}, {"", "i"}};
  EXPECT_EQ(*query, want);
  EXPECT_FALSE(ParseQuery("a=%4"));
  EXPECT_FALSE(ParseQuery("a=%g0"));
  EXPECT_EQ(PercentDecode("%41+%62", false), "A+b");
}

TEST(MediaTest, KnowsTypesInEverySpelling) {
  EXPECT_EQ(OtlpFormatOf("Application/X-Protobuf ; a=b"), otlp::Format::kProtobuf);
  EXPECT_EQ(OtlpFormatOf("application/json;charset=utf-8"), otlp::Format::kJson);
  EXPECT_FALSE(OtlpFormatOf("application/protobuf"));
  EXPECT_FALSE(OtlpFormatOf(""));
  EXPECT_TRUE(IsLinesType(""));
  EXPECT_TRUE(IsLinesType("TEXT/plain; charset=utf-8"));
  EXPECT_FALSE(IsLinesType("text/html"));
}

TEST(MediaTest, FindsParameters) {
  EXPECT_EQ(MediaParameterOf("a/b;proto=x.Y", "proto"), "x.Y");
  EXPECT_EQ(MediaParameterOf("a/b ; charset=utf-8; PROTO = \"x.Y\" ", "proto"), "x.Y");
  EXPECT_EQ(MediaParameterOf("a/b;protox=x", "proto"), "");
  EXPECT_EQ(MediaParameterOf("a/b;;=;proto", "proto"), "");
  EXPECT_EQ(MediaParameterOf("a/b", "proto"), "");
}

struct LinesCase {
  const char* type;
  const char* body;
  logs::LineFormat format;
  const char* rewritten;  // Null: the body stays.
};

TEST(MediaTest, TellsLineFormatsApart) {
  using logs::LineFormat;
  const LinesCase cases[] = {
      {"application/x-ndjson", "{}\n{}", LineFormat::kNdjson, nullptr},
      {"application/json", " [{}]", LineFormat::kJsonArray, nullptr},
      {"application/json", "{\"a\":1}", LineFormat::kNdjson, nullptr},
      {"application/json", "{\"a\":1}\n{\"a\":2}\n", LineFormat::kNdjson, nullptr},
      {"application/json", "{\n \"a\":1\n}", LineFormat::kJsonArray, "[{\n \"a\":1\n}]"},
      {"application/json", "", LineFormat::kNdjson, nullptr},
      {"text/plain", "{\"a\":1}", LineFormat::kText, nullptr},
      {"", "{\"a\":1}", LineFormat::kNdjson, nullptr},
      {"", "[trace_id=1] paid", LineFormat::kText, nullptr},
  };
  for (const LinesCase& c : cases) {
    Body body = Body::Of(c.body);
    EXPECT_EQ(LineFormatOf(c.type, body), c.format) << c.type << " " << c.body;
    EXPECT_EQ(body.view(), c.rewritten == nullptr ? c.body : c.rewritten);
  }
}

struct EnrichCase {
  const char* type;
  const char* body;
  std::optional<logs::EnrichShape> shape;
};

TEST(MediaTest, TellsEnrichShapesApart) {
  using logs::EnrichShape;
  const EnrichCase cases[] = {
      {"application/json", "[{}]", EnrichShape::kJsonArray},
      {"application/json", "{\"a\":1}", EnrichShape::kJsonObject},
      {"application/json", "{\"a\":1}\n", EnrichShape::kJsonObject},
      {"application/json", "{\n\"a\":1}", EnrichShape::kJsonObject},
      {"application/json", "{\"a\":1}\n{\"a\":2}", EnrichShape::kNdjson},
      {"application/json", "{ \"streams\": []}", EnrichShape::kLokiPush},
      {"application/json", "{\"resourceLogs\":[]}", EnrichShape::kOtlpJson},
      {"application/x-protobuf", "", EnrichShape::kOtlpProtobuf},
      {"application/x-ndjson; a=b", "{}", EnrichShape::kNdjson},
      {"text/html", "{}", std::nullopt},
  };
  for (const EnrichCase& c : cases) {
    EXPECT_EQ(EnrichShapeOf(c.type, c.body), c.shape) << c.type << " " << c.body;
  }
}

TEST(MediaTest, ReadsAcceptEncoding) {
  for (const char* yes : {"gzip", "br, GZIP", "gzip;q=0.1", "*", "deflate,gzip ; q=1.0"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const char* no : {"", "br", "gzip;q=0", "gzip;q=0.000", "xgzip"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

TEST(WaitTest, ReadsPatience) {
  using std::chrono::milliseconds;
  EXPECT_EQ(ParsePatience("5s", milliseconds(60'000)).value(), milliseconds(5000));
  EXPECT_EQ(ParsePatience("5", milliseconds(60'000)).value(), milliseconds(5000));
  EXPECT_EQ(ParsePatience("0.2s", milliseconds(60'000)).value(), milliseconds(200));
  EXPECT_EQ(ParsePatience("200ms", milliseconds(60'000)).value(), milliseconds(200));
  EXPECT_EQ(ParsePatience("5m", milliseconds(60'000)).value(), milliseconds(60'000));
  EXPECT_EQ(ParsePatience("1e300", milliseconds(7)).value(), milliseconds(7));
  for (const char* bad : {"", "s", "-1s", "5 s", "5h", "nan"}) {
    EXPECT_FALSE(ParsePatience(bad, milliseconds(7))) << bad;
  }
}

TEST(LogTest, WritesBothFormatsAndLimitsRepeats) {
  std::string out;
  std::chrono::system_clock::time_point now{std::chrono::milliseconds(1'700'000'000'123)};
  Logger logger([&](std::string_view line) { out += line; }, [&] { return now; });
  logger.Write(LogLevel::kDebug, "below the level", {});
  logger.Write(LogLevel::kWarn, "a message", {{"n", "1"}, {"text", "a \"b\"\n"}});
  EXPECT_EQ(out,
            "time=2023-11-14T22:13:20.123Z level=warn msg=\"a message\" n=1 "
            "text=\"a \\\"b\\\"\\n\"\n");
  logger.Set(LogLevel::kDebug, LogFormat::kJson);
  out.clear();
  logger.Write(LogLevel::kInfo, "b", {{"n", "1"}});
  EXPECT_EQ(out,
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"msg\":\"b\",\"n\":\"1\"}"
            "\n");
  out.clear();
  for (int i = 0; i < Logger::kBurst + 5; ++i) logger.Write(LogLevel::kInfo, "often", {});
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), Logger::kBurst);
  now += Logger::kWindow;
  out.clear();
  logger.Write(LogLevel::kInfo, "often", {});
  EXPECT_NE(out.find("\"left_out\":\"5\""), std::string::npos) << out;
}

TEST(ReadPoolTest, RefusesWhenFullAndRunsTheRest) {
  std::mutex mutex;
  std::condition_variable changed;
  bool running = false;
  bool released = false;
  int done = 0;
  ReadPool pool({.read_threads = 1, .read_queue = 2});
  const auto hold = [&] {
    std::unique_lock<std::mutex> lock(mutex);
    running = true;
    changed.notify_all();
    changed.wait(lock, [&] { return released; });
    ++done;
  };
  ASSERT_TRUE(pool.Submit(hold));
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return running; });
  }
  const auto count = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    ++done;
  };
  EXPECT_TRUE(pool.Submit(count));
  EXPECT_TRUE(pool.Submit(count));
  EXPECT_FALSE(pool.Submit(count));
  EXPECT_EQ(pool.GetStats().waiting, 2U);
  EXPECT_EQ(pool.GetStats().refused, 1U);
  {
    const std::lock_guard<std::mutex> lock(mutex);
    released = true;
  }
  changed.notify_all();
  pool.Stop();
  EXPECT_EQ(done, 3);
  EXPECT_FALSE(pool.Submit(count));
}

}  // namespace
}  // namespace throughline::gateway
