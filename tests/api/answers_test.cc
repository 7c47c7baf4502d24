// Whole answers of /api/v1, as files; and that the order of arrival changes none of them.
#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/links/handlers.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"

namespace throughline::api {
namespace {

constexpr char kResolveBody[] = R"({
  "ids": ["0af7651916cd43dd8448eb211c80319c", "0AF76519-16CD-43DD-8448-EB211C80319C",
          "00-0af7651916cd43dd8448eb211c80319c-00000000000000f1-01", "8448eb211c80319c",
          "5555555555555555", "33333333333333334444444444444444", "no id", ""],
  "lines": ["level=warn trace_id=0af7651916cd43dd8448eb211c80319c span_id=00000000000000b1 slow",
            "{\"time\":\"2025-06-15T15:06:45Z\",\"trace_id\":\"33333333333333334444444444444444\"}",
            "2025-06-15T15:00:00Z trace_id=33333333333333334444444444444444",
            "nothing here", "\u00e9 trace_id=0af7651916cd43dd8448eb211c80319c"]
})";

// Every call with an answer worth a file.
struct Answer {
  const char* name;
  Shop::Handler handler;
  const char* query = "";
  std::string capture = {};
  const char* body = nullptr;
};

std::vector<Answer> Answers() {
  const std::string buy = ToHex(kBuy);
  const char* const hour = "end=1750000000&start=now-1h";
  return {
      {"trace", links::GetTrace, "", buy},
      {"trace_short", links::GetTrace, "", "1234567890abcdef"},
      {"trace_only_lines", links::GetTrace, "", ToHex(kOnlyLines)},
      {"trace_ambiguous", links::GetTrace, "", "5555555555555555"},
      {"trace_nothing", links::GetTrace, "", "99999999999999998888888888888888"},
      {"trace_malformed", links::GetTrace, "", "not an id"},
      {"trace_parts", links::GetTrace, "include=summary,integrity", buy},
      {"locate", links::Locate, "", "00-" + buy + "-00000000000000f1-01"},
      {"locate_ambiguous", links::Locate, "", "5555555555555555"},
      {"locate_nothing", links::Locate, "", "99999999999999998888888888888888"},
      {"traces", links::FindTraces, hour},
      {"traces_filtered", links::FindTraces,
       "end=1750000000&service=pay&status=error&min_duration=250ms&has=logs,error&attr.x="},
      {"logs", links::FindLogs, hour},
      {"logs_of_trace", links::FindLogs, "trace_id=8448eb211c80319c&severity=warn"},
      {"links_health", links::Health, hour},
      {"coverage", links::FindCoverage, hour},
      {"exemplars", links::FindExemplars,
       "end=1750000000&match=http_server_duration{http_route=\"/buy\"}"},
      {"gauges", links::FindGauges, "end=1750000000"},
      {"gauges_filtered", links::FindGauges,
       "end=1750000000&metric=container.cpu.*&service=pay&limit=1"},
      {"services", links::Services},
      {"operations", links::Operations, "", "pay"},
      {"resolve", links::Resolve, "", "", kResolveBody},
  };
}

Response Ask(const Shop& shop, const Answer& answer) {
  if (answer.body != nullptr) return shop.Post(answer.handler, answer.body);
  return shop.Get(answer.handler, answer.query, answer.capture);
}

class AnswerTest : public testing::TestWithParam<Answer> {};

TEST_P(AnswerTest, IsAsInItsFile) {
  const Response response = Ask(Shop(), GetParam());
  ExpectGolden(std::string(GetParam().name) + ".json", std::to_string(response.status) + " " +
                                                           response.content_type + "\n" +
                                                           Indented(response.body));
}

INSTANTIATE_TEST_SUITE_P(Calls, AnswerTest, testing::ValuesIn(Answers()),
                         [](const auto& test) { return std::string(test.param.name); });

// The same records in other requests, cut and shuffled.
Batches Shuffled(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Batches shuffled;
  for (const auto& batch : ShopBatches()) {
    auto first = std::make_shared<Batch>();
    auto second = std::make_shared<Batch>();
    for (Batch* part : {first.get(), second.get()}) {
      part->keep_alive = batch;
      part->resources = batch->resources;
      part->scopes = batch->scopes;
      part->attributes = batch->attributes;
      part->events = batch->events;
      part->span_links = batch->span_links;
      part->related = batch->related;
    }
    const auto deal = [&](auto kind) {
      for (const auto& record : (*batch).*kind) {
        const bool to_first = random() % 2 == 0;
        ((to_first ? *first : *second).*kind).push_back(record);
        if (random() % 4 == 0) ((to_first ? *second : *first).*kind).push_back(record);  // Retried.
      }
      std::shuffle(((*first).*kind).begin(), ((*first).*kind).end(), random);
      std::shuffle(((*second).*kind).begin(), ((*second).*kind).end(), random);
    };
    deal(&Batch::spans);
    deal(&Batch::logs);
    deal(&Batch::exemplars);
    deal(&Batch::gauges);
    shuffled.push_back(first);
    shuffled.push_back(second);
  }
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  return shuffled;
}

TEST(AnswerProperties, DoNotDependOnTheOrderOfArrival) {
  const Shop shop;
  std::vector<Answer> answers = Answers();
  answers.push_back({"otlp", links::GetTrace, "format=otlp", ToHex(kBuy)});
  std::vector<std::string> bodies;
  for (const Answer& answer : answers) bodies.push_back(Ask(shop, answer).body);
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Shop again(Shuffled(seed));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      ASSERT_EQ(Ask(again, answers[i]).body, bodies[i])
          << "seed " << seed << ", " << answers[i].name;
    }
  }
}

TEST(OpenApi, IsTheFile) {
  std::ifstream file(THROUGHLINE_SOURCE_DIR "/api/links/openapi.yaml", std::ios::binary);
  std::stringstream want;
  want << file.rdbuf();
  const Response response = Shop().Get(links::OpenApi);
  EXPECT_EQ(response.content_type, "application/yaml");
  EXPECT_FALSE(response.body.empty());
  EXPECT_EQ(response.body, want.str());
}

}  // namespace
}  // namespace throughline::api
