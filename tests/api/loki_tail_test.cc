// What a tail is asked and says; the websocket around it is tests/gateway/tail_test.cc's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "api/loki/scan.h"
#include "api/loki/tail.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"

namespace throughline::api::loki {
namespace {

using store::Sample;
using store::SampleLine;
using testing::HasSubstr;

constexpr std::uint64_t kFirst = kArrival - 10 * kMinute;

std::shared_ptr<const Batch> Lines() {
  Sample sample;
  sample.From({{"service.name", "checkout"}, {"k8s.pod.name", "checkout-1"}}, "app");
  sample.Add(SampleLine{.trace = kBuy,
                        .span = {0xf1},
                        .time = kFirst,
                        .body = "level=error msg=failed",
                        .severity = 17});
  sample.Add(SampleLine{.trace = kBuy, .time = kFirst + kMinute, .body = "level=info msg=ok"});
  sample.From({{"service_name", "web"}, {"env", "prod"}});
  sample.Add(SampleLine{.trace = kTwinB,
                        .time = kFirst + 30 * store::kSecond,
                        .body = "GET /y 200",
                        .severity = 0,
                        .service = "web"});
  return sample.Finish();
}

links::Context ContextOf(const Shop& shop) { return {shop.store, shop.settings, shop.now_unix_ns}; }

TailQuery Read(const Shop& shop, const std::string& query, bool categorize = false) {
  Request request = MakeRequest(query, {});
  if (categorize) {
    request.headers.emplace_back("x-loki-response-encoding-flags", "categorize-labels");
  }
  auto tail = ReadTailQuery(request, ContextOf(shop));
  EXPECT_TRUE(tail) << query << ": " << tail.error().message;
  return tail ? *std::move(tail) : TailQuery();
}

std::vector<Entry> EntriesOf(const Shop& shop, const TailQuery& tail, const Batch& batch) {
  std::vector<Entry> entries;
  ScanBatch(tail.selection, batch, kArrival, Scope(), ContextOf(shop), [&](Entry& entry) {
    entries.push_back(std::move(entry));
    return true;
  });
  return entries;
}

TEST(LokiTail, WhatItSaysIsAsInItsFile) {
  const Shop shop({Lines()});
  std::string said;
  for (const bool categorize : {false, true}) {
    const std::string query = "query={service_name=~\"checkout|web\"} | logfmt&limit=2";
    const TailQuery tail = Read(shop, query, categorize);
    auto history = FindTailHistory(tail, Scope(), ContextOf(shop));
    ASSERT_TRUE(history);
    said += query + "\nhistory: " + Indented(TailMessage(*std::move(history), {}, categorize));
    said += "\nstored since: " +
            Indented(TailMessage(EntriesOf(shop, tail, *Lines()), {}, categorize)) + "\n";
  }
  const std::vector<DroppedEntry> dropped = {{{{"service_name", "web"}}, kFirst}, {{}, kFirst + 1}};
  said += "dropped: " + Indented(TailMessage({}, dropped, false)) + "\n";
  ExpectGolden("loki_tail.txt", said);
}

TEST(LokiTail, HistoryIsTheNewestOldestFirst) {
  const Shop shop({Lines()});
  const auto lines = [&](const std::string& query) {
    std::vector<std::string> texts;
    const auto history = FindTailHistory(Read(shop, query), Scope(), ContextOf(shop));
    if (!history) return texts;
    for (const Entry& entry : *history) texts.push_back(entry.line);
    return texts;
  };
  EXPECT_THAT(lines("query={}"),
              testing::ElementsAre("level=error msg=failed", "GET /y 200", "level=info msg=ok"));
  EXPECT_THAT(lines("query={}&limit=1"), testing::ElementsAre("level=info msg=ok"));
  const std::string second = std::to_string(kFirst + 1);
  EXPECT_THAT(lines("query={}&start=" + second),
              testing::ElementsAre("GET /y 200", "level=info msg=ok"));
  EXPECT_THAT(lines("query={}&start=" + std::to_string(shop.now_unix_ns + 1)), testing::IsEmpty());
}

struct Refused {
  const char* query;
  const char* message;
};

TEST(LokiTail, WhatCannotBeTailed) {
  const Shop shop(Batches{});
  for (const Refused& c : std::vector<Refused>{
           {"query={", "parse error"},
           {"", "parse error"},
           {"query=rate({}[1m])", "only log selector is supported"},
           {"query={}&limit=0", "limit must be a positive value"},
           {"query={}&limit=10001", "max entries limit per query exceeded"},
           {"query={}&start=x", "could not parse 'start' parameter"},
           {"query={}&delay_for=6", "delay_for is \"6\", want whole seconds, at most 5"},
           {"query={}&delay_for=-1", "delay_for is"},
           {"query={}&delay_for=1.5", "delay_for is"}}) {
    const auto tail = ReadTailQuery(MakeRequest(c.query, {}), ContextOf(shop));
    ASSERT_FALSE(tail) << c.query;
    EXPECT_EQ(tail.error().code, Errc::kInvalidArgument);
    EXPECT_THAT(tail.error().message, HasSubstr(c.message)) << c.query;
  }
  EXPECT_EQ(Read(shop, "query={}").delay.count(), 0);
  EXPECT_EQ(Read(shop, "query={}&delay_for=5").delay.count(), 5);
}

// Lines say the same as they are stored and when they are found afterwards, in whatever order they
// came.
TEST(LokiTail, AnyOrderOfArrivalSaysTheSame) {
  std::vector<std::shared_ptr<const Batch>> batches;
  for (std::uint64_t i = 0; i < 20; ++i) {
    Sample sample;
    sample.From(
        {{"service.name", i % 3 == 0 ? "checkout" : "web"}, {"shard", std::to_string(i % 2)}});
    for (std::uint64_t j = 0; j < 5; ++j) {
      sample.Add(SampleLine{.trace = {1, i + 1},
                            .time = kFirst + (i * 7919 + j * 104729) % 600 * store::kSecond,
                            .body = "n=" + std::to_string(i * 5 + j)});
    }
    batches.push_back(sample.Finish());
  }
  const std::string query = "query={service_name=\"web\"} | logfmt | n > 10&limit=1000";
  const Shop stored(batches);
  const TailQuery tail = Read(stored, query);
  const auto found = FindTailHistory(tail, Scope(), ContextOf(stored));
  ASSERT_TRUE(found);
  const std::string want = TailMessage(*found, {}, false);
  EXPECT_THAT(want, HasSubstr("n=99"));
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::shuffle(batches.begin(), batches.end(), random);
    std::vector<Entry> entries;
    for (const auto& batch : batches) {
      for (Entry& entry : EntriesOf(stored, tail, *batch)) entries.push_back(std::move(entry));
    }
    EXPECT_EQ(TailMessage(std::move(entries), {}, false), want);
  }
}

}  // namespace
}  // namespace throughline::api::loki
