#include <string>

#include <gtest/gtest.h>

#include "logs/otlp.h"
#include "tests/proto/official_json.h"
#include "tests/proto/samples.h"

namespace throughline::logs {
namespace {

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";

Result<Decoded> Decode(std::string_view text, Batch& batch, const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(text);
  return DecodeOtlpJson(batch.body.view(), options, batch);
}

std::string Request(const std::string& records) {
  return R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name",)"
         R"("value":{"stringValue":"crane"}}]},"scopeLogs":[{"scope":{"name":"lib"},)"
         R"("logRecords":[)" +
         records + "]}]}]}";
}

TEST(DecodeOtlpJson, ReadsAllFields) {
  Batch batch;
  const auto decoded = Decode(
      Request(
          R"({"timeUnixNano":"1700000000000000001","observedTimeUnixNano":"1700000000000000002",)"
          R"("severityNumber":17,"severityText":"ERROR","eventName":"rope.broken",)"
          R"("body":{"kvlistValue":{"values":[{"key":"b","value":{"intValue":"1"}},)"
          R"({"key":"a","value":{"doubleValue":0.5}}]}},)"
          R"("attributes":[{"key":"k","value":{"boolValue":true}}],"flags":1,)"
          R"("traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"})"),
      batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->accepted, 1U);
  ASSERT_EQ(batch.logs.size(), 1U);
  const LogLine& line = batch.logs[0];
  EXPECT_EQ(ToHex(line.trace_id), kTrace);
  EXPECT_EQ(ToHex(line.span_id), kSpan);
  EXPECT_EQ(line.found_by, FoundBy::kField);
  EXPECT_EQ(line.time_unix_ns, 1700000000000000001U);
  EXPECT_EQ(line.observed_unix_ns, 1700000000000000002U);
  EXPECT_EQ(line.severity_number, 17U);
  EXPECT_EQ(line.severity_text, "ERROR");
  EXPECT_EQ(line.event_name, "rope.broken");
  EXPECT_EQ(line.flags, 1U);
  EXPECT_EQ(line.service, "crane");
  EXPECT_EQ(batch.ScopeOf(line.scope)->name, "lib");
  EXPECT_EQ(ValueText(line.body), R"({"b":1,"a":0.5})");  // In the order sent.
  EXPECT_TRUE(ReadValue(batch.Of(line.attributes)[0].value()).boolean);
}

TEST(DecodeOtlpJson, AgreesWithProtobuf) {
  const auto message = samples::Logs();
  DecodeOptions options;
  options.hash_seed = 7;
  options.keep_unlinked = true;
  const std::string bytes = message.SerializeAsString();
  Batch of_bytes;
  const auto from_bytes = DecodeOtlp(bytes, options, of_bytes);
  Batch of_json;
  const auto from_json = Decode(samples::OfficialJson(message), of_json, options);
  ASSERT_TRUE(from_bytes);
  ASSERT_TRUE(from_json) << from_json.error().message;
  EXPECT_EQ(from_json->received, from_bytes->received);
  EXPECT_EQ(from_json->accepted, from_bytes->accepted);
  EXPECT_EQ(from_json->rejected, from_bytes->rejected);
  EXPECT_EQ(from_json->unlinked, from_bytes->unlinked);
  ASSERT_EQ(of_json.logs.size(), of_bytes.logs.size());
  for (std::size_t i = 0; i < of_json.logs.size(); ++i) {
    const LogLine& a = of_json.logs[i];
    const LogLine& b = of_bytes.logs[i];
    EXPECT_EQ(a.trace_id, b.trace_id) << i;
    EXPECT_EQ(a.span_id, b.span_id) << i;
    EXPECT_EQ(a.found_by, b.found_by) << i;
    EXPECT_EQ(a.flags, b.flags) << i;
    EXPECT_EQ(a.body, b.body) << i;
    // Lines with nothing but their text draw their identity from the request's own bytes.
    if (a.time_unix_ns != 0 || a.attributes.count > 0) {
      EXPECT_EQ(a.identity, b.identity) << i;
    }
  }
}

TEST(DecodeOtlpJson, IdsComeFromTheFieldThenAttributesThenText) {
  Batch batch;
  const auto decoded = Decode(
      Request(R"({"attributes":[{"key":"trace_id","value":{"stringValue":)"
              R"("0af7651916cd43dd8448eb211c80319c"}}]},)"
              R"({"body":{"stringValue":"done trace_id=0af7651916cd43dd8448eb211c80319c"}},)"
              R"({"traceId":"00000000000000000000000000000000","body":{"stringValue":"none"}},)"
              R"({"traceId":"","body":{"stringValue":"none"}})"),
      batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->received, 4U);
  EXPECT_EQ(decoded->accepted, 2U);
  EXPECT_EQ(decoded->unlinked, 2U);
  ASSERT_EQ(batch.logs.size(), 2U);
  for (const LogLine& line : batch.logs) {
    EXPECT_EQ(ToHex(line.trace_id), kTrace);
    EXPECT_NE(line.found_by, FoundBy::kField);
  }
}

TEST(DecodeOtlpJson, UnlinkedLinesAreKeptWhereSoConfigured) {
  DecodeOptions options;
  options.keep_unlinked = true;
  Batch batch;
  const auto decoded = Decode(Request(R"({"body":{"stringValue":"none"}},null)"), batch, options);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->unlinked, 2U);
  ASSERT_EQ(batch.logs.size(), 2U);
  EXPECT_EQ(StringOf(batch.logs[0].body), "none");
}

TEST(DecodeOtlpJson, BrokenIds) {
  Batch batch;
  const auto decoded =
      Decode(Request(R"({"traceId":"12","attributes":[{"key":"gone"}]},)"
                     R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"12"})"),
             batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->rejected, 1U);
  EXPECT_EQ(decoded->accepted, 1U);
  EXPECT_EQ(decoded->first_rejection, "log record 0: traceId: 2 characters, want 32 hex digits");
  EXPECT_EQ(decoded->first_repair, "log record 1: spanId is broken and was dropped");
  ASSERT_EQ(batch.logs.size(), 1U);
  EXPECT_FALSE(batch.logs[0].span_id.IsValid());
  EXPECT_EQ(batch.attributes.size(), 1U);  // The resource's.
}

TEST(DecodeOtlpJson, SeverityByNumberAndByName) {
  struct Case {
    const char* severity;
    std::uint32_t number;
  };
  for (const Case& test :
       {Case{"9", 9}, Case{"\"9\"", 9}, Case{"null", 0}, Case{"\"SEVERITY_NUMBER_UNSPECIFIED\"", 0},
        Case{"\"SEVERITY_NUMBER_TRACE\"", 1}, Case{"\"SEVERITY_NUMBER_INFO2\"", 10},
        Case{"\"SEVERITY_NUMBER_FATAL4\"", 24}}) {
    Batch batch;
    const auto decoded =
        Decode(Request(std::string(R"({"traceId":"0af7651916cd43dd8448eb211c80319c",)"
                                   R"("severityNumber":)") +
                       test.severity + "}"),
               batch);
    ASSERT_TRUE(decoded) << test.severity;
    EXPECT_EQ(batch.logs.at(0).severity_number, test.number);
  }
  for (const char* const severity :
       {"\"INFO\"", "\"SEVERITY_NUMBER_INFO5\"", "\"SEVERITY_NUMBER_\"", "1.5", "[]"}) {
    Batch batch;
    const auto decoded =
        Decode(Request(std::string(R"({"severityNumber":)") + severity + "}"), batch);
    ASSERT_FALSE(decoded) << severity;
    EXPECT_TRUE(decoded.error().message.starts_with(
        "resourceLogs[0].scopeLogs[0].logRecords[0].severityNumber: "));
  }
}

TEST(DecodeOtlpJson, WrongBodyIsRefused) {
  Batch batch;
  const auto decoded = Decode(Request(R"({"body":"text"})"), batch);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kInvalidArgument);
  EXPECT_EQ(decoded.error().message,
            "resourceLogs[0].scopeLogs[0].logRecords[0].body: is a string, want an object");
}

TEST(DecodeOtlpJson, RecordsAreBounded) {
  DecodeOptions options;
  options.records_per_request = 1;
  Batch batch;
  const auto decoded = Decode(Request("{},{}"), batch, options);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace throughline::logs
