#include "logs/otlp.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/proto/oracle.h"
#include "tests/proto/samples.h"
#include "tests/proto/truncation.h"

namespace throughline::logs {
namespace {

using samples::ExportLogsServiceRequest;
using samples::Id;
using Record = opentelemetry::proto::logs::v1::LogRecord;

constexpr char kIdText[] = "0123456789abcdef0123456789abcdef";

template <typename Change>
std::string OneRecord(Change change) {
  ExportLogsServiceRequest request;
  change(*request.add_resource_logs()->add_scope_logs()->add_log_records());
  return request.SerializeAsString();
}

Result<Decoded> Decode(std::string_view bytes, Batch& batch, const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(bytes);
  return DecodeOtlp(batch.body.view(), options, batch);
}

TEST(DecodeOtlpLogs, AgreesWithTheOfficialClasses) {
  EXPECT_TRUE(oracle::CompareLogs(""));
  EXPECT_TRUE(oracle::CompareLogs(samples::Logs().SerializeAsString()));
}

TEST(DecodeOtlpLogs, ReadsTheSample) {
  Batch batch;
  const auto decoded = Decode(samples::Logs().SerializeAsString(), batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->received, 5U);
  EXPECT_EQ(decoded->accepted, 3U);
  EXPECT_EQ(decoded->rejected, 1U);
  EXPECT_EQ(decoded->unlinked, 1U);
  EXPECT_EQ(decoded->first_rejection, "log record 2: trace_id has 5 bytes, want 16");
  ASSERT_EQ(batch.logs.size(), 3U);
  const LogLine& line = batch.logs[0];
  EXPECT_EQ(line.found_by, FoundBy::kField);
  EXPECT_EQ(line.service, "harbour");
  EXPECT_EQ(line.severity_number, 18U);
  EXPECT_EQ(line.severity_text, "ERROR");
  EXPECT_EQ(line.event_name, "rope.broken");
  EXPECT_EQ(StringOf(line.body), "rope broke at berth 3");
  EXPECT_EQ(line.sampled, Sampled::kUnknown);  // Flags are no evidence.
  EXPECT_EQ(batch.logs[1].found_by, FoundBy::kKey);
  EXPECT_EQ(ToHex(batch.logs[1].trace_id), kIdText);
  EXPECT_EQ(ToHex(batch.logs[2].trace_id), kIdText);
  EXPECT_EQ(batch.logs[2].service, "");
}

TEST(DecodeOtlpLogs, TruncationAtEveryByteAgrees) {
  std::size_t refused = 0;
  const std::string bytes = samples::Logs().SerializeAsString();
  samples::ForEachPrefix(bytes, [&](std::string_view prefix) {
    if (oracle::CompareLogs(prefix)) return;
    ++refused;
    Batch batch;
    EXPECT_FALSE(DecodeOtlp(prefix, oracle::ComparedOptions(), batch)) << prefix.size();
  });
  EXPECT_EQ(refused, bytes.size() - 2);
}

TEST(DecodeOtlpLogs, UnlinkedLinesAreKeptWhereAsked) {
  const std::string bytes = OneRecord([](Record& record) {
    record.mutable_body()->set_string_value("nothing here");
    record.add_attributes()->set_key("k");
  });
  Batch batch;
  auto decoded = Decode(bytes, batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->unlinked, 1U);
  EXPECT_TRUE(batch.logs.empty());
  EXPECT_TRUE(batch.attributes.empty());
  decoded = Decode(bytes, batch, {.keep_unlinked = true});
  EXPECT_EQ(decoded->unlinked, 1U);
  ASSERT_EQ(batch.logs.size(), 1U);
  EXPECT_EQ(batch.logs[0].found_by, FoundBy::kNone);
  EXPECT_EQ(batch.logs[0].attributes.count, 1U);
}

TEST(DecodeOtlpLogs, ABrokenSpanIdCostsOnlyItself) {
  const std::string bytes = OneRecord([](Record& record) {
    record.set_trace_id(Id(16));
    record.set_span_id(Id(3));
  });
  Batch batch;
  const auto decoded = Decode(bytes, batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->accepted, 1U);
  EXPECT_EQ(decoded->first_repair, "log record 0: span_id is broken and was dropped");
  EXPECT_FALSE(batch.logs.at(0).span_id.IsValid());
}

TEST(DecodeOtlpLogs, HexadecimalIdsAreRepaired) {
  const std::string bytes = OneRecord([](Record& record) { record.set_trace_id(kIdText); });
  EXPECT_TRUE(oracle::CompareLogs(bytes));
  Batch batch;
  const auto decoded = Decode(bytes, batch);
  EXPECT_EQ(decoded->repaired, 1U);
  EXPECT_EQ(ToHex(batch.logs.at(0).trace_id), kIdText);
}

TEST(DecodeOtlpLogs, BodiesOfEveryTypeAndInParts) {
  const std::string list = OneRecord([](Record& record) {
    record.set_trace_id(Id(16));
    record.mutable_body()->mutable_array_value()->add_values()->set_int_value(1);
  });
  Record record;
  record.set_trace_id(Id(16));
  record.mutable_body()->mutable_array_value()->add_values()->set_int_value(1);
  // Twice the same record is one record whose list has both items.
  const std::string twice = record.SerializeAsString() + record.SerializeAsString();
  ExportLogsServiceRequest request;
  ASSERT_TRUE(
      request.add_resource_logs()->add_scope_logs()->add_log_records()->ParseFromString(twice));
  std::string bytes(1, '\x12');
  AppendVarint(twice.size(), bytes);
  bytes += twice;
  for (const char tag : {'\x12', '\x0a'}) {
    std::string outer(1, tag);
    AppendVarint(bytes.size(), outer);
    bytes = outer + bytes;
  }
  EXPECT_TRUE(oracle::CompareLogs(bytes));
  Batch batch;
  ASSERT_TRUE(Decode(bytes, batch));
  EXPECT_EQ(ValueText(batch.logs.at(0).body), "[1,1]");
  Batch binary;
  ASSERT_TRUE(Decode(OneRecord([](Record& odd) {
                       odd.set_trace_id(Id(16));
                       odd.mutable_body()->set_bytes_value("\xff\xfe");
                     }),
                     binary));
  EXPECT_EQ(ReadValue(binary.logs.at(0).body).type, ValueType::kBytes);
  ASSERT_TRUE(Decode(list, batch));
  EXPECT_EQ(ValueText(batch.logs.at(0).body), "[1]");
}

TEST(DecodeOtlpLogs, EqualLinesWithoutATimeStayTwo) {
  ExportLogsServiceRequest request;
  auto& records = *request.add_resource_logs()->add_scope_logs();
  for (int i = 0; i < 2; ++i) {
    Record& record = *records.add_log_records();
    record.set_trace_id(Id(16));
    record.mutable_body()->set_string_value("again");
  }
  Batch batch;
  ASSERT_TRUE(Decode(request.SerializeAsString(), batch));
  EXPECT_NE(batch.logs.at(0).identity, batch.logs.at(1).identity);
  for (Record& record : *records.mutable_log_records()) record.set_time_unix_nano(5);
  ASSERT_TRUE(Decode(request.SerializeAsString(), batch));
  EXPECT_EQ(batch.logs.at(0).identity, batch.logs.at(1).identity);
}

TEST(DecodeOtlpLogs, RecordsOfARequestAreBounded) {
  const std::string bytes = samples::Logs().SerializeAsString();
  Batch batch;
  EXPECT_TRUE(Decode(bytes, batch, {.records_per_request = 5}));
  const auto decoded = Decode(bytes, batch, {.records_per_request = 4});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace throughline::logs
