#include <gtest/gtest.h>

#include <fstream>

#include "store/transfer/ndjson_line.h"
#include "store/transfer/ndjson_record.h"
#include "tests/store/sample.h"
#include "tests/store/transfer/forms.h"
#include "tests/store/transfer/odd_records.h"

namespace throughline::store::transfer {
namespace {

// What docs/export.md shows.
TEST(Ndjson, TheFieldsOfEachKind) {
  Sample sample;
  sample.From({{"service.name", "pay"}}, "http");
  sample.Add(SampleSpan{.trace = {1, 2},
                        .span = {3},
                        .parent = {4},
                        .name = "charge",
                        .status = 2,
                        .attributes = {{"http.route", "/pay"}, {"retries", 2}},
                        .events = {{.name = "declined"}},
                        .links = {{.trace = {5, 6}, .span = {7}}}});
  sample.Add(SampleLine{.trace = {1, 2}, .span = {3}, .body = "card declined"});
  sample.Add(SampleExemplar{.trace = {1, 2}, .value = 0.25, .le = 0.5});
  sample.Add(SampleGauge{.value = 1});
  const auto batch = sample.Finish();
  NdjsonRecords records("acme", *batch);
  std::string text;
  records.Append(batch->spans[0], text);
  EXPECT_EQ(text,
            R"({"kind":"span","tenant":"acme","traceId":"00000000000000010000000000000002",)"
            R"("spanId":"0000000000000003","parentSpanId":"0000000000000004","name":"charge",)"
            R"("spanKind":2,"startTimeUnixNano":"1750000000000000000",)"
            R"("endTimeUnixNano":"1750000001000000000","status":{"code":2},)"
            R"("attributes":[{"key":"http.route","value":{"stringValue":"/pay"}},)"
            R"({"key":"retries","value":{"intValue":"2"}}],)"
            R"("events":[{"timeUnixNano":"1750000000000000000","name":"declined"}],)"
            R"("links":[{"traceId":"00000000000000050000000000000006","spanId":"0000000000000007",)"
            R"("flags":1}],)"
            R"("resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}}]},)"
            R"("scope":{"name":"http","version":"1.0"}})"
            "\n");
  text.clear();
  records.Append(batch->logs[0], text);
  EXPECT_NE(text.find(R"("body":{"stringValue":"card declined"},"foundBy":"field","identity":")"),
            std::string::npos)
      << text;
  text.clear();
  records.Append(batch->exemplars[0], text);
  EXPECT_NE(text.find(R"("metric":"latency","metricType":"histogram","asDouble":0.25,"le":0.5)"),
            std::string::npos)
      << text;
  text.clear();
  records.Append(batch->gauges[0], text);
  EXPECT_NE(text.find(R"("metric":"container.cpu.usage","metricType":"gauge","asDouble":1.0)"),
            std::string::npos)
      << text;
}

std::string Refusal(std::string_view line) {
  const Body body = Body::Of(line);
  Batch batch;
  const DecodeOptions options;
  NdjsonLines lines(options, batch);
  std::string tenant;
  const auto read = lines.Append(body.view(), 0, tenant);
  EXPECT_EQ(batch.record_count(), read ? 1U : 0U);
  if (read) return {};
  EXPECT_TRUE(batch.attributes.empty() && batch.events.empty() && batch.span_links.empty() &&
              batch.related.empty() && batch.resources.empty() && batch.scopes.empty());
  return read.error().message;
}

TEST(Ndjson, SaysWhyALineIsNoRecord) {
  const std::string ids =
      R"("traceId":"0123456789abcdef0123456789abcdef","spanId":"0123456789abcdef")";
  EXPECT_EQ(Refusal(R"({"kind":"span",)" + ids + "}"), "");
  EXPECT_EQ(Refusal(R"({"kind":"log","body":{"stringValue":"a"}})"), "");
  EXPECT_EQ(Refusal(R"({"kind":"what"})"), "kind is \"what\", want span, log, exemplar or gauge");
  EXPECT_EQ(Refusal(R"({"kind":"span"})"), "a span without a trace id");
  EXPECT_EQ(Refusal(R"({"kind":"span","traceId":"01"})"),
            "traceId has 2 characters, want 32 hexadecimal digits");
  EXPECT_EQ(Refusal(R"({"kind":"span","attributes":[{"key":"a"}],"events":[{}],"links":[{}],)"
                    R"("resource":{"attributes":[{"key":"b"}]},"scope":{"name":"s"},)" +
                    ids + "}"),
            "a link without an id");
  EXPECT_EQ(Refusal(R"({"kind":"log","foundBy":"magic"})"), "foundBy is no word of this format");
  EXPECT_EQ(Refusal(R"({"kind":"log","tenant":"a b"})"), "tenant is no name of a tenant");
  EXPECT_NE(Refusal(R"({"kind":"log","timeUnixNano":"soon"})"), "");
  EXPECT_NE(Refusal("[]"), "");
  EXPECT_NE(Refusal("{\"kind\":\"log\""), "");
}

std::string Write(const TestFolder& folder, const std::string& text) {
  const std::string path = folder / "in.ndjson";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(Ndjson, BadLinesAreCountedAndTheRestGoesOn) {
  const TestFolder folder;
  const std::string good = R"({"kind":"log","body":{"stringValue":"a"}})";
  const std::string path = Write(folder, "nonsense\n\n" + good + "\r\n  \n{}\n" + good);
  auto input = OpenNdjsonInput(path, TestLimits());
  ASSERT_TRUE(input);
  const auto incoming = (*input)->Next();
  ASSERT_TRUE(incoming);
  ASSERT_NE(incoming->batch, nullptr);
  EXPECT_EQ(incoming->tenant, "default");
  ASSERT_EQ(incoming->batch->logs.size(), 2U);
  // Two lines that say the same are two lines.
  EXPECT_NE(incoming->batch->logs[0].identity, incoming->batch->logs[1].identity);
  EXPECT_EQ((*input)->decoded().rejected, 2U);
  EXPECT_EQ((*input)->decoded().first_rejection.substr(0, 16), "line at byte 0: ");
  EXPECT_EQ((*input)->done(), (*input)->size());
  EXPECT_EQ((*input)->Next()->batch, nullptr);
}

TEST(Ndjson, ALineThatIsTooLongIsLeftOut) {
  const TestFolder folder;
  const std::string good = R"({"kind":"log","body":{"stringValue":"a"}})";
  InputLimits limits = TestLimits();
  limits.record_bytes = 100'000;
  const std::string longer(100'001, 'x');
  const std::string path = Write(folder, longer + "\n" + good + "\n" + std::string(1'000'000, 'y') +
                                             "\n" + good + "\n" + std::string(300'000, 'z'));
  auto input = OpenNdjsonInput(path, limits);
  ASSERT_TRUE(input);
  const auto incoming = (*input)->Next();
  ASSERT_TRUE(incoming);
  ASSERT_EQ(incoming->batch->logs.size(), 2U);
  EXPECT_EQ((*input)->Next()->batch, nullptr);
  EXPECT_EQ((*input)->decoded().rejected, 3U);
  EXPECT_EQ((*input)->done(), (*input)->size());
}

TEST(Ndjson, OneResourceStandsForAllItsRecords) {
  Batch batch;
  const DecodeOptions options;
  NdjsonLines lines(options, batch);
  std::string tenant;
  const std::string line =
      R"({"kind":"log","resource":{"attributes":[{"key":"a","value":{"stringValue":"b"}}]}})";
  const Body body = Body::Of(line);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(lines.Append(body.view(), static_cast<std::uint64_t>(i), tenant));
  }
  EXPECT_EQ(batch.resources.size(), 1U);
  EXPECT_EQ(batch.attributes.size(), 1U);
  EXPECT_EQ(batch.logs.size(), 3U);
}

}  // namespace
}  // namespace throughline::store::transfer
