// Scraping: configuration, discovery, schedule, and the wire against a small server of this test.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "gateway/config.h"
#include "gateway/scrape/discovery.h"
#include "gateway/scrape/fetch.h"
#include "gateway/scrape/schedule.h"
#include "gateway/scrape/scraper.h"
#include "gateway/scrape/target.h"
#include "gateway/scrape/yaml.h"
#include "tests/gateway/raw_server.h"
#include "wire/compress.h"

namespace throughline::gateway::scrape {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

const char* NoVariable(const char* /*name*/) { return nullptr; }

Result<std::vector<Job>> Jobs(const std::string& yaml) {
  Config config;
  TL_TRY(ApplyYaml(yaml, "f", NoVariable, config));
  return config.scrape_jobs;
}

TEST(ScrapeConfig, ReadsWhatPrometheusReads) {
  const auto jobs = Jobs(R"(
scrape_configs:
  - job_name: shop
    scrape_interval: 1m30s
    scrape_timeout: 5s
    metrics_path: /m
    scheme: http
    honor_labels: true
    tenant: a
    scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0]
    static_configs:
      - targets: ["a:9100", "[::1]:9100"]
        labels: {env: test, n: 7}
      - targets: [b]
    file_sd_configs:
      - files: [targets/*.json, more.yml]
        refresh_interval: 10s
  - job_name: plain
    scrape_interval: 5s
)");
  ASSERT_TRUE(jobs) << jobs.error().message;
  ASSERT_EQ(jobs->size(), 2U);
  const Job& job = (*jobs)[0];
  EXPECT_EQ(job.name, "shop");
  EXPECT_EQ(job.interval, seconds(90));
  EXPECT_EQ(job.timeout, seconds(5));
  EXPECT_EQ(job.metrics_path, "/m");
  EXPECT_TRUE(job.honor_labels);
  EXPECT_EQ(job.tenant, "a");
  EXPECT_THAT(job.protocols, ElementsAre(Protocol::kProtobuf, Protocol::kOpenMetrics1));
  ASSERT_EQ(job.groups.size(), 2U);
  EXPECT_THAT(job.groups[0].targets, ElementsAre("a:9100", "[::1]:9100"));
  EXPECT_THAT(job.groups[0].labels, ElementsAre(Pair("env", "test"), Pair("n", "7")));
  ASSERT_EQ(job.files.size(), 1U);
  EXPECT_THAT(job.files[0].files, ElementsAre("targets/*.json", "more.yml"));
  EXPECT_EQ(job.files[0].refresh_interval, seconds(10));
  EXPECT_EQ((*jobs)[1].timeout, seconds(5)) << "no longer than the interval";
  EXPECT_EQ((*jobs)[1].metrics_path, "/metrics");
  const auto again = Jobs(PrintJobs(*jobs));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(PrintJobs(*again), PrintJobs(*jobs));
}

struct BadConfig {
  const char* yaml;  // Below "scrape_configs:\n".
  const char* message;
};

TEST(ScrapeConfig, ErrorsNameTheirLine) {
  const BadConfig cases[] = {
      {"  a: 1\n", "f:2: scrape_configs: want a list"},
      {"- x\n", "f:2: scrape_configs[]: want a map"},
      {"- scrape_interval: 5s\n", "f:2: scrape_configs[] lacks job_name"},
      {"- job_name: a\n- job_name: a\n", "f:3: job_name \"a\" stands twice"},
      {"- job_name: a\n  relabel_configs: []\n",
       "f:3: unknown key scrape_configs[].relabel_configs"},
      {"- job_name: a\n  scrape_interval: 5\n", "f:3: scrape_interval has \"5\", want a duration"},
      {"- job_name: a\n  scrape_interval: 1ms\n",
       "f:3: scrape_interval has \"1ms\", want at least 100ms"},
      {"- job_name: a\n  scrape_interval: 5s\n  scrape_timeout: 6s\n",
       "f:2: scrape_timeout is above scrape_interval"},
      {"- job_name: a\n  scheme: https\n", "f:3: scheme has \"https\", want http"},
      {"- job_name: a\n  metrics_path: m\n", "f:2: path \"m\""},
      {"- job_name: a\n  honor_labels: maybe\n", "f:3: honor_labels has \"maybe\""},
      {"- job_name: a\n  tenant: a/b\n", "f:3: tenant: "},
      {"- job_name: a\n  scrape_protocols: [Thrift]\n", "f:3: scrape_protocols has \"Thrift\""},
      {"- job_name: a\n  scrape_protocols: []\n", "f:3: scrape_protocols is empty"},
      {"- job_name: a\n  static_configs:\n  - targets: [\"http://a:1\"]\n",
       "f:4: target \"http://a:1\", want HOST:PORT"},
      {"- job_name: a\n  static_configs:\n  - targets: [a]\n    labels: {a-b: c}\n",
       "f:4: label name \"a-b\""},
      {"- job_name: a\n  static_configs:\n  - adresses: [a]\n", "f:4: unknown key adresses"},
      {"- job_name: a\n  file_sd_configs:\n  - files: [a.txt]\n",
       "f:4: file \"a.txt\", want .json"},
      {"- job_name: a\n  file_sd_configs:\n  - paths: [a.txt]\n",
       "f:4: unknown key file_sd_configs[].paths"},
      {"- job_name: {}\n", "f:2: job_name: want a text"},
  };
  for (const BadConfig& with : cases) {
    SCOPED_TRACE(with.yaml);
    const auto jobs = Jobs(std::string("scrape_configs:\n") + with.yaml);
    ASSERT_FALSE(jobs);
    EXPECT_THAT(jobs.error().message, testing::StartsWith(with.message));
  }
}

TEST(ScrapeTarget, TakesLabelsAndParts) {
  Job job;
  job.name = "j";
  const auto target = MakeTarget(job, "[::1]:9100",
                                 {{"env", "test"},
                                  {"__metrics_path__", "/probe"},
                                  {"__param_module", "a b"},
                                  {"__param_x", "1"},
                                  {"__meta_filepath", "f"},
                                  {"__scheme__", "http"}});
  ASSERT_TRUE(target) << target.error().message;
  EXPECT_EQ(target->host, "::1");
  EXPECT_EQ(target->port, "9100");
  EXPECT_EQ(target->address, "[::1]:9100");
  EXPECT_EQ(target->path, "/probe?module=a%20b&x=1");
  EXPECT_THAT(target->labels,
              ElementsAre(Pair("env", "test"), Pair("instance", "[::1]:9100"), Pair("job", "j")));
  const auto named = MakeTarget(job, "a", {{"instance", "i"}, {"job", "other"}});
  ASSERT_TRUE(named);
  EXPECT_EQ(named->port, "80");
  EXPECT_EQ(named->job, "j");
  EXPECT_THAT(named->labels, ElementsAre(Pair("instance", "i"), Pair("job", "other")));
}

TEST(ScrapeTarget, RefusesWhatIsNoAddress) {
  for (const char* address : {"", ":80", "a:", "a:x", "a:65536", "a:1:2", "a b", "a\r\nX: y", "a/b",
                              "u@a", "[::1", "[::1]9100", "[]:80"}) {
    EXPECT_FALSE(MakeTarget(Job(), address, {})) << address;
  }
  EXPECT_FALSE(MakeTarget(Job(), "a", {{"__scheme__", "https"}}));
  EXPECT_FALSE(MakeTarget(Job(), "a", {{"__metrics_path__", "/a\r\nX: y"}}));
}

TEST(ScrapeTarget, AcceptsAsTold) {
  EXPECT_EQ(AcceptOf({Protocol::kOpenMetrics1, Protocol::kText}),
            "application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,"
            "*/*;q=0.1");
}

// --- Discovery --------------------------------------------------------------------------------

class ScrapeDiscovery : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/scrape_test_XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // As writers should: whole files appear at once, which also gives them another inode.
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/new") << text;
    std::filesystem::rename(folder_ + "/new", folder_ + "/" + name);
  }
  static std::vector<std::string> Addresses(const FileDiscovery& discovery) {
    std::vector<std::string> all;
    for (const TargetGroup& group : discovery.groups()) {
      all.insert(all.end(), group.targets.begin(), group.targets.end());
    }
    return all;
  }

  std::string folder_;
};

TEST_F(ScrapeDiscovery, FollowsItsFiles) {
  FileDiscovery discovery({folder_ + "/*.json", folder_ + "/b.yml"});
  EXPECT_FALSE(discovery.Refresh());
  Write("a.json", R"([{"targets": ["a:1", "a:2"], "labels": {"env": "test"}}])");
  Write("b.yml", "- targets: [b:1]\n");
  Write("c.txt", "not for us");
  EXPECT_TRUE(discovery.Refresh());
  EXPECT_THAT(Addresses(discovery), ElementsAre("a:1", "a:2", "b:1"));
  EXPECT_THAT(discovery.groups()[0].labels, ElementsAre(Pair("env", "test")));
  EXPECT_FALSE(discovery.Refresh()) << "nothing changed";
  Write("a.json", R"([{"targets": ["a:3"]}])");
  EXPECT_TRUE(discovery.Refresh());
  EXPECT_THAT(Addresses(discovery), ElementsAre("a:3", "b:1"));
  std::filesystem::remove(folder_ + "/a.json");
  EXPECT_TRUE(discovery.Refresh());
  EXPECT_THAT(Addresses(discovery), ElementsAre("b:1"));
}

TEST_F(ScrapeDiscovery, ABadFileKeepsWhatItGave) {
  FileDiscovery discovery({folder_ + "/a.json"});
  Write("a.json", R"([{"targets": ["a:1"]}])");
  ASSERT_TRUE(discovery.Refresh());
  Write("a.json", R"([{"targets": ["a:2")");
  EXPECT_FALSE(discovery.Refresh());
  ASSERT_EQ(discovery.errors().size(), 1U);
  EXPECT_THAT(discovery.errors()[0], HasSubstr("a.json:1: "));
  EXPECT_THAT(Addresses(discovery), ElementsAre("a:1"));
  EXPECT_FALSE(discovery.Refresh());
  EXPECT_EQ(discovery.errors().size(), 1U) << "still bad";
  Write("a.json", R"([{"targets": ["a:2"]}])");
  EXPECT_TRUE(discovery.Refresh());
  EXPECT_THAT(discovery.errors(), IsEmpty());
  EXPECT_THAT(Addresses(discovery), ElementsAre("a:2"));
  Write("a.json", std::string(FileDiscovery::kFileBytes + 1, ' '));
  EXPECT_FALSE(discovery.Refresh());
  EXPECT_THAT(discovery.errors().at(0), HasSubstr("at most 4194304 are read"));
}

// --- Schedule ---------------------------------------------------------------------------------

Target TargetAt(const std::string& address, nanoseconds interval = seconds(60)) {
  Job job;
  job.name = "j";
  job.interval = interval;
  job.timeout = std::min(job.timeout, interval);
  auto target = MakeTarget(job, address, {});
  EXPECT_TRUE(target);
  return *target;
}

std::vector<std::string> AddressesOf(const std::vector<TargetPointer>& targets) {
  std::vector<std::string> addresses;
  for (const TargetPointer& target : targets) addresses.push_back(target->address);
  return addresses;
}

constexpr Schedule::Time At(nanoseconds since) {
  return Schedule::Time(std::chrono::duration_cast<Schedule::Time::duration>(since));
}

TEST(ScrapeSchedule, EachTargetOnceAnInterval) {
  Schedule schedule(1);
  schedule.SetTargets({TargetAt("a:1"), TargetAt("b:1"), TargetAt("a:1")}, At(seconds(1000)));
  std::map<std::string, std::vector<Schedule::Time>> times;
  for (int i = 0; i < 10; ++i) {
    const Schedule::Time next = schedule.NextDue();
    for (const TargetPointer& target : schedule.TakeDue(next)) {
      times[target->address].push_back(next);
    }
  }
  ASSERT_EQ(times.size(), 2U);
  for (const auto& [address, at] : times) {
    ASSERT_EQ(at.size(), 5U) << address;
    EXPECT_GT(at[0], At(seconds(1000)));
    EXPECT_LE(at[0], At(seconds(1060)));
    for (std::size_t i = 1; i < at.size(); ++i) EXPECT_EQ(at[i] - at[i - 1], seconds(60));
  }
}

TEST(ScrapeSchedule, SpreadsTargetsOverTheInterval) {
  std::vector<Target> targets;
  for (int i = 0; i < 600; ++i) targets.push_back(TargetAt("host-" + std::to_string(i) + ":9100"));
  Schedule schedule(7);
  schedule.SetTargets(targets, At(seconds(0)));
  for (int second = 10; second <= 60; second += 10) {
    const std::size_t due = schedule.TakeDue(At(seconds(second))).size();
    EXPECT_GT(due, 60U) << second;
    EXPECT_LT(due, 140U) << second;
  }
}

TEST(ScrapeSchedule, TargetsKeepTheirTimesWhenOthersComeAndGo) {
  Schedule schedule(1);
  schedule.SetTargets({TargetAt("a:1")}, At(seconds(0)));
  const Schedule::Time due = schedule.NextDue();
  schedule.SetTargets({TargetAt("b:1"), TargetAt("a:1")}, due - nanoseconds(1));
  EXPECT_THAT(AddressesOf(schedule.TakeDue(due)), testing::Contains("a:1"));
  schedule.SetTargets({TargetAt("b:1")}, due);
  EXPECT_THAT(AddressesOf(schedule.targets()), ElementsAre("b:1"));
  schedule.SetTargets({}, due);
  EXPECT_EQ(schedule.NextDue(), Schedule::Time::max());
}

TEST(ScrapeSchedule, WhatWasMissedIsNotMadeUpFor) {
  Schedule schedule(1);
  schedule.SetTargets({TargetAt("a:1")}, At(seconds(0)));
  const Schedule::Time first = schedule.NextDue();
  EXPECT_EQ(schedule.TakeDue(first + seconds(60) * 5 + milliseconds(1)).size(), 1U);
  EXPECT_EQ(schedule.NextDue(), first + seconds(60) * 6);
}

TEST(ScrapeSchedule, OtherSeedsGiveOtherTimes) {
  std::set<Schedule::Time> times;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Schedule schedule(seed);
    schedule.SetTargets({TargetAt("a:1")}, At(seconds(0)));
    times.insert(schedule.NextDue());
  }
  EXPECT_EQ(times.size(), 8U);
}

// --- The wire ---------------------------------------------------------------------------------

std::string Ok(const std::string& body, const std::string& headers = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

constexpr std::size_t kBodyBytes = 64UL << 10U;

FetchResult FetchFrom(const std::string& address, nanoseconds timeout = seconds(20)) {
  boost::asio::io_context context;
  Job job;
  job.name = "j";
  job.timeout = timeout;
  const auto target = MakeTarget(job, address, {});
  EXPECT_TRUE(target);
  FetchResult result = FetchError{};
  int calls = 0;
  StartFetch(context, *target, kBodyBytes, [&](FetchResult got) {
    result = std::move(got);
    ++calls;
  });
  context.run();
  EXPECT_EQ(calls, 1);
  return result;
}

TEST(ScrapeFetch, AsksAsPrometheusDoes) {
  const RawServer server([](const std::string&) { return Ok("up 1\n"); });
  const FetchResult result = FetchFrom(server.address());
  const auto* const fetched = std::get_if<Fetched>(&result);
  ASSERT_NE(fetched, nullptr) << std::get<FetchError>(result).message;
  EXPECT_EQ(fetched->content_type, "text/plain; version=0.0.4");
  EXPECT_EQ(fetched->body.view(), "up 1\n");
  EXPECT_GE(fetched->body.capacity(), fetched->body.size() + Body::kPadding);
  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, testing::StartsWith("GET /metrics HTTP/1.1\r\nHost: " + server.address()));
  EXPECT_THAT(request, HasSubstr("\r\nUser-Agent: Throughline/"));
  EXPECT_THAT(request, HasSubstr("\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.4,"
                                 "application/vnd.google.protobuf;"
                                 "proto=io.prometheus.client.MetricFamily;encoding=delimited;"
                                 "q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nAccept-Encoding: gzip\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nX-Prometheus-Scrape-Timeout-Seconds: 20\r\n"));
}

struct FetchCase {
  const char* name;
  std::string answer;
  std::string body{};  // Of a good one.
  Failure failure = Failure::kBroken;
  const char* message = "";
};

class ScrapeAnswers : public testing::TestWithParam<FetchCase> {};

TEST_P(ScrapeAnswers, AreTakenOrNamed) {
  const FetchCase& with = GetParam();
  const RawServer server([&with](const std::string&) { return with.answer; });
  const FetchResult result = FetchFrom(server.address());
  if (const auto* const fetched = std::get_if<Fetched>(&result)) {
    ASSERT_STREQ(with.message, "");
    EXPECT_EQ(fetched->body.view(), with.body);
    return;
  }
  const auto& error = std::get<FetchError>(result);
  EXPECT_EQ(FailureName(error.failure), FailureName(with.failure));
  ASSERT_STRNE(with.message, "") << error.message;
  EXPECT_THAT(error.message, HasSubstr(with.message));
}

INSTANTIATE_TEST_SUITE_P(
    All, ScrapeAnswers,
    testing::Values(
        FetchCase{.name = "Chunked",
                  .answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nup \r\n2\r\n1\n\r\n0\r\n\r\n",
                  .body = "up 1\n"},
        FetchCase{
            .name = "UntilTheEnd", .answer = "HTTP/1.0 200 OK\r\n\r\nup 1\n", .body = "up 1\n"},
        FetchCase{.name = "Gzip",
                  .answer = Ok(wire::Gzip("up 1\n"), "Content-Encoding: gzip\r\n"),
                  .body = "up 1\n"},
        FetchCase{.name = "Empty", .answer = Ok(""), .body = ""},
        FetchCase{.name = "AtTheBound",
                  .answer = Ok(std::string(kBodyBytes, 'a')),
                  .body = std::string(kBodyBytes, 'a')},
        FetchCase{.name = "TooLarge",
                  .answer = Ok(std::string(kBodyBytes + 1, 'a')),
                  .failure = Failure::kTooLarge,
                  .message = "more than 65536 bytes (limits.scrape_bytes)"},
        FetchCase{
            .name = "Bomb",
            .answer = Ok(wire::Gzip(std::string(1UL << 20U, 'a')), "Content-Encoding: gzip\r\n"),
            .failure = Failure::kTooLarge,
            .message = "more than 65536 bytes (limits.scrape_bytes)"},
        FetchCase{.name = "BadGzip",
                  .answer = Ok("xxxx", "Content-Encoding: gzip\r\n"),
                  .failure = Failure::kEncoding,
                  .message = "gzip"},
        FetchCase{.name = "UnknownEncoding",
                  .answer = Ok("x", "Content-Encoding: br\r\n"),
                  .failure = Failure::kEncoding,
                  .message = "content-encoding \"br\""},
        FetchCase{.name = "Redirect",
                  .answer = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
                  .failure = Failure::kStatus,
                  .message = "status 302, want 200"},
        FetchCase{.name = "Error",
                  .answer = "HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx",
                  .failure = Failure::kStatus,
                  .message = "status 500, want 200"},
        FetchCase{.name = "CutOff",
                  .answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nup",
                  .message = "partial message"},
        FetchCase{.name = "NoHttp", .answer = "SSH-2.0-OpenSSH_9.2\r\n", .message = "bad"}),
    [](const auto& test) { return test.param.name; });

TEST(ScrapeFetch, EndsAtItsTimeout) {
  const RawServer server([](const std::string&) { return std::string(); });
  const FetchResult result = FetchFrom(server.address(), milliseconds(20));
  const auto& error = std::get<FetchError>(result);
  EXPECT_EQ(error.failure, Failure::kTimeout);
  EXPECT_EQ(error.message, "no answer within 20ms");
}

TEST(ScrapeFetch, SaysThatNobodyListens) {
  std::string address;
  {
    const RawServer gone([](const std::string&) { return std::string(); });
    address = gone.address();
  }
  const FetchResult result = FetchFrom(address);
  EXPECT_EQ(std::get<FetchError>(result).failure, Failure::kConnect);
}

TEST(ScrapeFetch, ACancelledOneIsSilent) {
  const RawServer server([](const std::string&) { return Ok("up 1\n"); });
  boost::asio::io_context context;
  const auto fetch =
      StartFetch(context, TargetAt(server.address()), kBodyBytes, [](FetchResult) { FAIL(); });
  fetch->Cancel();
  context.run();
}

// --- All together -----------------------------------------------------------------------------

Job QuickJob(const std::string& address) {
  Job job;
  job.name = "shop";
  job.interval = milliseconds(5);
  job.timeout = milliseconds(5'000);  // Slow machines: only what never answers runs into it.
  job.groups.push_back({.targets = {address}, .labels = {{"env", "test"}}});
  return job;
}

// Runs the loop until `done`.
void RunUntil(boost::asio::io_context& context, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + seconds(60);
  while (!done() && std::chrono::steady_clock::now() < end) context.run_one_for(seconds(10));
  EXPECT_TRUE(done());
}

TEST(Scraper, ScrapesAgainAndAgain) {
  const RawServer server([](const std::string&) { return Ok("up 1\n"); });
  boost::asio::io_context context;
  int calls = 0;
  Scraper scraper(context, {QuickJob(server.address())}, {},
                  [&](const Target& target, std::string_view type, Body body) -> Result<Scraped> {
                    EXPECT_THAT(target.labels, testing::Contains(Pair("env", "test")));
                    EXPECT_EQ(type, "text/plain; version=0.0.4");
                    EXPECT_EQ(body.view(), "up 1\n");
                    if (++calls == 2) return InvalidArgument("line 1: odd");
                    return Scraped{.samples = 3, .exemplars = 1};
                  });
  const Stats before = scraper.GetStats();
  EXPECT_TRUE(before.targets.empty());
  scraper.Start();
  context.run_one();
  ASSERT_EQ(scraper.GetStats().targets.size(), 1U);
  EXPECT_FALSE(scraper.GetStats().targets[0].up);
  RunUntil(context, [&] { return calls == 2; });
  Stats stats = scraper.GetStats();
  EXPECT_EQ(stats.targets[0].up, false);
  EXPECT_EQ(stats.targets[0].error, "line 1: odd");
  EXPECT_EQ(stats.targets[0].last.samples, 3U);
  RunUntil(context, [&] { return calls == 4; });
  scraper.Stop();
  context.run();  // Nothing is left to do.
  EXPECT_EQ(calls, 4);
  stats = scraper.GetStats();
  ASSERT_EQ(stats.jobs.size(), 1U);
  EXPECT_EQ(stats.jobs[0].job, "shop");
  EXPECT_EQ(stats.jobs[0].good, 3U);
  EXPECT_EQ(stats.jobs[0].samples, 9U);
  EXPECT_EQ(stats.jobs[0].exemplars, 3U);
  EXPECT_EQ(stats.jobs[0].failed[static_cast<std::size_t>(Failure::kUnreadable)], 1U);
  EXPECT_EQ(stats.targets[0].up, true);
  EXPECT_EQ(stats.targets[0].error, "");
  EXPECT_GT(stats.targets[0].duration, nanoseconds(0));
}

TEST(Scraper, OneThatIsNotDoneIsPassedBy) {
  const RawServer server([](const std::string&) { return std::string(); });
  boost::asio::io_context context;
  Scraper scraper(context, {QuickJob(server.address())}, {},
                  [](const Target&, std::string_view, const Body&) { return Scraped(); });
  scraper.Start();
  const auto busy = [&] {
    return scraper.GetStats().jobs[0].failed[static_cast<std::size_t>(Failure::kBusy)];
  };
  RunUntil(context, [&] { return busy() >= 2; });
  EXPECT_EQ(server.requests().size(), 1U);
  scraper.Stop();
  context.run();
}

TEST(Scraper, SoManyAtOnceAndNoMore) {
  const RawServer server([](const std::string&) { return Ok("up 1\n"); });
  boost::asio::io_context context;
  Job job = QuickJob(server.address());
  for (int i = 0; i < 9; ++i)
    job.groups.push_back({{server.address()}, {{"n", std::to_string(i)}}});
  std::set<std::string> seen;
  Scraper scraper(context, {job}, {.targets = 8, .at_once = 1},
                  [&](const Target& target, std::string_view, const Body&) -> Result<Scraped> {
                    seen.insert(target.key);
                    return Scraped();
                  });
  scraper.Start();
  RunUntil(context, [&] { return seen.size() == 8; });
  scraper.Stop();
  context.run();
  const Stats stats = scraper.GetStats();
  EXPECT_EQ(stats.targets.size(), 8U);
  EXPECT_EQ(stats.jobs[0].refused_targets, 2U);
}

TEST_F(ScrapeDiscovery, TheScraperFollowsFiles) {
  const RawServer server([](const std::string&) { return Ok("up 1\n"); });
  boost::asio::io_context context;
  Job job;
  job.name = "files";
  job.interval = milliseconds(5);
  job.files.push_back({.files = {folder_ + "/*.yml"}, .refresh_interval = milliseconds(5)});
  int calls = 0;
  Scraper scraper(context, {job}, {},
                  [&](const Target&, std::string_view, const Body&) -> Result<Scraped> {
                    ++calls;
                    return Scraped();
                  });
  scraper.Start();
  context.run_one();
  EXPECT_THAT(scraper.GetStats().targets, IsEmpty());
  Write("a.yml", "- targets: [\"" + server.address() + "\"]\n");
  RunUntil(context, [&] { return calls > 0; });
  Write("bad.yml", "- targets: [\"http://a\"]\n");
  RunUntil(context, [&] { return scraper.GetStats().jobs[0].discovery_errors > 0; });
  std::filesystem::remove(folder_ + "/a.yml");
  RunUntil(context, [&] { return scraper.GetStats().targets.empty(); });
  scraper.Stop();
  context.run();
}

}  // namespace
}  // namespace throughline::gateway::scrape
