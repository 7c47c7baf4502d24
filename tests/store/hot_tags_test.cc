// The filters of a hot part: whatever has a tag is found, and most of what has not is not read.
#include "store/sqlite/hot_tags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/store/sample.h"

namespace throughline::store::sqlite {
namespace {

constexpr std::uint64_t kSeed = 42;
constexpr std::uint64_t kSpansPerRequest = 100;
using Tags = std::vector<std::pair<std::string, std::string>>;

class HotTagsTest : public testing::Test {
 protected:
  void Append(std::shared_ptr<const Batch> batch) {
    ASSERT_TRUE(memtable_.Stage(1, kNow, *batch));
    memtable_.Publish([] { return false; }, {});
  }
  // `requests` with spans that have an attribute of their own each, and one of their request.
  void AppendRequests(std::uint64_t requests) {
    for (; requests > 0; --requests, ++requests_) {
      Sample sample(kSeed);
      sample.From({{"service.name", "pay"}, {"pod", "pod-" + std::to_string(requests_)}});
      for (std::uint64_t i = 0; i < kSpansPerRequest; ++i) {
        const std::uint64_t number = requests_ * kSpansPerRequest + i;
        sample.Add(SampleSpan{.trace = {1, number + 1},
                              .span = {number + 1},
                              .attributes = {{"order", std::to_string(number)},
                                             {"part", static_cast<int>(requests_ / 3)}}});
      }
      sample.Add(SampleLine{.trace = {1, 1},
                            .body = std::to_string(requests_),
                            .attributes = {{"line", std::to_string(requests_)}}});
      Append(sample.Finish());
    }
  }
  // The requests that may have the tags.
  std::vector<std::size_t> Requests(HotTags& tags, Tags wanted, const Scope& scope = {},
                                    RecordKind kind = RecordKind::kSpan) const {
    const segment::SearchFilter filter{.kind = kind, .tenant = 1, .tags = std::move(wanted)};
    const auto may = tags.RequestsFor(memtable_.Read(), filter, scope);
    std::vector<std::size_t> requests;
    for (std::size_t i = 0; i < may.size(); ++i) {
      if (may[i]) requests.push_back(i);
    }
    return requests;
  }
  static bool Has(const std::vector<std::size_t>& requests, std::size_t request) {
    return std::find(requests.begin(), requests.end(), request) != requests.end();
  }

  Memtable memtable_{64U << 20U, kSeed};
  std::uint64_t requests_ = 0;
};

TEST_F(HotTagsTest, WhatHasATagIsFoundAndOthersAreNotRead) {
  AppendRequests(60);  // More values of a key than are interned.
  HotTags tags({.chunk_records = 500});
  std::size_t read = 0;
  for (std::uint64_t number = 0; number < 6000; number += 7) {
    const auto found = Requests(tags, {{"order", std::to_string(number)}});
    EXPECT_TRUE(Has(found, number / kSpansPerRequest)) << number;
    read += found.size();
  }
  // A chunk of five requests, and seldom another.
  EXPECT_LT(read, 858U * 7);
  EXPECT_TRUE(Has(Requests(tags, {{"pod", "pod-33"}}), 33));
  EXPECT_LE(Requests(tags, {{"pod", "pod-33"}}).size(), 10U);
  EXPECT_TRUE(Has(Requests(tags, {{"part", "11"}, {"service.name", "pay"}}), 33));
  EXPECT_LE(Requests(tags, {{"order", "5"}, {"order", "4005"}}).size(), 5U);
  EXPECT_TRUE(Has(Requests(tags, {{"line", "44"}}, {}, RecordKind::kLine), 44));
  EXPECT_LE(Requests(tags, {{"line", "44"}}, {}, RecordKind::kLine).size(), 10U);
  // Of spans and lines apart; of exemplars nothing is known.
  EXPECT_LE(Requests(tags, {{"line", "44"}}).size(), 10U);
  EXPECT_EQ(Requests(tags, {{"line", "44"}}, {}, RecordKind::kExemplar).size(), 60U);
}

TEST_F(HotTagsTest, WhatIsNotFullIsRead) {
  HotTags tags({.chunk_records = 1000});
  AppendRequests(9);
  EXPECT_EQ(Requests(tags, {{"order", "none"}}).size(), 9U);
  EXPECT_EQ(tags.size_bytes(), 0U);
  AppendRequests(4);
  const auto found = Requests(tags, {{"order", "none"}});
  EXPECT_LE(found.size(), 13U);
  EXPECT_TRUE(Has(found, 12));
  EXPECT_GT(tags.size_bytes(), 0U);
  // A look from before the filters were made knows fewer requests.
  const auto early = memtable_.Read();
  AppendRequests(20);
  (void)Requests(tags, {{"order", "none"}});
  const segment::SearchFilter filter{.tenant = 1, .tags = {{"order", "1250"}}};
  EXPECT_TRUE(tags.RequestsFor(early, filter, {})[12]);
}

TEST_F(HotTagsTest, TheirMemoryIsBounded) {
  AppendRequests(60);
  HotTags tags({.chunk_records = 100, .filter_bytes = 2000});
  const auto found = Requests(tags, {{"order", "none"}});
  EXPECT_GT(found.size(), 40U);
  EXPECT_LT(found.size(), 60U);
  EXPECT_LT(tags.size_bytes(), 3000U);
}

TEST_F(HotTagsTest, AfterTheDeadlineNoneIsMade) {
  AppendRequests(60);
  HotTags tags({.chunk_records = 100});
  Scope late;
  late.deadline = {};
  EXPECT_EQ(Requests(tags, {{"order", "none"}}, late).size(), 60U);
  EXPECT_EQ(tags.size_bytes(), 0U);
}

}  // namespace
}  // namespace throughline::store::sqlite
