// Segments of every released format are read for good: each is a golden file of the same records.
//
// THROUGHLINE_UPDATE_GOLDEN=1 writes that of the newest format, where there is none.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "store/segment/segment.h"
#include "store/segment/segment_schema.h"
#include "store/segment/segment_writer.h"
#include "tests/store/dump.h"
#include "tests/store/sample.h"

namespace throughline::store::segment {
namespace {

constexpr std::uint64_t kGoldenSeed = 77;
constexpr std::uint32_t kTenant = 1;

// A little of everything.
std::shared_ptr<const Batch> GoldenBatch() {
  Sample sample(kGoldenSeed);
  sample.From({{"service.name", "pay"}, {"service.version", "4.1"}}, "library");
  for (std::uint64_t i = 1; i <= 6; ++i) {
    const TraceId trace{.high = 5, .low = i / 2 + 1};
    sample.Add(SampleSpan{.trace = trace,
                          .span = {i},
                          .parent = {i - 1},
                          .start = kNow + i * 1000,
                          .name = "charge",
                          .status = static_cast<std::uint32_t>(i % 3),
                          .attributes = {{"n", static_cast<int>(i)}, {"path", "/pay"}},
                          .events = {{.name = "sent"}},
                          .links = {{.trace = {1, 2}, .span = {3}}},
                          .status_message = i == 2 ? "late" : ""});
    sample.Add(SampleLine{.trace = trace,
                          .span = {i},
                          .time = kNow + i,
                          .body = "charged " + ToHex(trace) + " order " + std::to_string(i),
                          .attributes = {{"n", "x"}}});
    sample.Add(SampleExemplar{.trace = trace,
                              .span = {i},
                              .value = static_cast<double>(i),
                              .le = 2.5,
                              .labels = {{"zone", "a"}}});
    sample.Add(SampleGauge{.time = kNow + i * 10 * kSecond, .value = static_cast<double>(i)});
  }
  sample.Add(SampleLine{.body = "of no trace"});
  return sample.Finish();
}

std::string PathOf(std::int64_t format) {
  return std::string(THROUGHLINE_SOURCE_DIR) + "/tests/golden/segment_format_" +
         std::to_string(format) + ".db";
}

void Write(const std::string& path) {
  sqlite::Memtable memtable(1U << 20U, kGoldenSeed);
  ASSERT_TRUE(memtable.Stage(kTenant, kNow + kSecond, *GoldenBatch()));
  memtable.Publish([] { return false; }, {});
  ASSERT_TRUE(WriteSegment(memtable, path, nullptr));
}

// As the records come back from a store.
std::shared_ptr<Batch> Arrived() {
  auto batch = std::const_pointer_cast<Batch>(GoldenBatch());
  const auto arrive = [](auto& records) {
    for (auto& record : records) record.arrival_unix_ns = kNow + kSecond;
  };
  arrive(batch->spans);
  arrive(batch->logs);
  arrive(batch->exemplars);
  arrive(batch->gauges);
  return batch;
}

TEST(SegmentFormat, AllReleasedOnesAreRead) {
  if (std::getenv("THROUGHLINE_UPDATE_GOLDEN") != nullptr &&
      !std::filesystem::exists(PathOf(kSegmentFormat))) {
    Write(PathOf(kSegmentFormat));
  }
  const auto expected = Arrived();
  for (std::int64_t format = 1; format <= kSegmentFormat; ++format) {
    SCOPED_TRACE(format);
    SegmentInfo info;
    info.id = 1;
    info.format = format;
    info.gauges = 6;
    info.time = {kNow, kNow + kHour};
    const Segment segment(info, PathOf(format),
                          std::make_shared<SegmentPool>(SegmentPool::Limits()));
    Batch found;
    for (std::uint32_t block = 0; block < segment.block_count(); ++block) {
      for (const auto kind :
           {sqlite::RecordKind::kSpan, sqlite::RecordKind::kLine, sqlite::RecordKind::kExemplar}) {
        const auto read = segment.ReadBlock(block, kind, kTenant, found);
        ASSERT_TRUE(read) << read.error().message;
      }
    }
    // Nobody asks for the identities of spans there.
    ASSERT_EQ(found.spans.size(), 6u);
    const auto all = [](std::string_view, std::string_view) { return true; };
    std::vector<std::string> gauges;
    ASSERT_TRUE(segment.EachGauge(kTenant, {}, all, [&](const Batch& points) {
      for (const GaugePoint& point : points.gauges) gauges.push_back(Dump(point, points));
      return true;
    }));
    ASSERT_EQ(gauges.size(), 6u);
    for (std::size_t i = 0; i < gauges.size(); ++i) {
      EXPECT_EQ(gauges[i], Dump(expected->gauges[i], *expected));
    }
    for (std::uint64_t low = 1; low <= 4; ++low) {
      const auto trace = segment.Find(kTenant, {.high = 5, .low = low});
      ASSERT_TRUE(trace) << trace.error().message;
      ASSERT_NE(*trace, nullptr);
      Batch records;
      for (const auto kind :
           {sqlite::RecordKind::kSpan, sqlite::RecordKind::kLine, sqlite::RecordKind::kExemplar}) {
        ASSERT_TRUE((*trace)->Read(kind, {.high = 5, .low = low}, 1000, records));
      }
      const auto wanted = Arrived();
      const auto other = [low](const auto& record) { return record.trace_id.low != low; };
      std::erase_if(wanted->spans, other);
      std::erase_if(wanted->logs, other);
      std::erase_if(wanted->exemplars, other);
      wanted->gauges.clear();
      EXPECT_EQ(DumpSorted(records), DumpSorted(*wanted));
    }
    EXPECT_EQ(found.logs.size(), 7u);
    const auto candidates = segment.Search({.kind = sqlite::RecordKind::kSpan,
                                            .tenant = kTenant,
                                            .service = "pay",
                                            .tags = {{"path", "/pay"}}});
    ASSERT_TRUE(candidates);
    EXPECT_EQ(candidates->size(), 1u);
    EXPECT_EQ(segment.Services(kTenant)->size(), 1u);
  }
}

}  // namespace
}  // namespace throughline::store::segment
