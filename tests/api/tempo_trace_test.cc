// Tempo's trace by id, as files; what Grafana's data source needs of the protobuf; its errors.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/root_trace.h"
#include "api/tempo/handlers.h"
#include "opentelemetry/proto/trace/v1/trace.pb.h"
#include "tests/api/products.h"
#include "tests/api/shop.h"
#include "wire/protobuf.h"

namespace throughline::api {
namespace {

using opentelemetry::proto::trace::v1::TracesData;
using store::Sample;
using store::SampleSpan;
using testing::HasSubstr;

constexpr char kProtobuf[] = "application/protobuf";

// tempopb.TraceByIDResponse, of which tests have no generated class.
struct TraceById {
  bool has_trace = false;
  TracesData trace;
  std::uint64_t status = 0;
  std::string message;
};

TraceById ParseV2(std::string_view body) {
  TraceById answer;
  wire::ProtoReader reader(body);
  while (reader.Next()) {
    if (reader.field() == 1) {
      answer.has_trace = true;
      const std::string_view trace = reader.Bytes();
      EXPECT_TRUE(answer.trace.ParseFromArray(trace.data(), static_cast<int>(trace.size())));
    } else if (reader.field() == 3) {
      answer.status = reader.Varint();
    } else if (reader.field() == 4) {
      answer.message = std::string(reader.Bytes());
    } else {
      ADD_FAILURE() << "field " << reader.field();
      reader.Skip();
    }
  }
  EXPECT_TRUE(reader.ok());
  return answer;
}

std::string TextOf(const ProductCall& call, const Response& response) {
  if (response.content_type != kProtobuf) return {};
  if (call.handler == tempo::GetTraceV1 || call.handler == GetRootTrace) {
    TracesData trace;
    EXPECT_TRUE(trace.ParseFromString(response.body));
    return trace.DebugString();
  }
  const TraceById answer = ParseV2(response.body);
  EXPECT_TRUE(answer.has_trace);
  return "status: " + std::to_string(answer.status) + "\nmessage: \"" + answer.message +
         "\"\ntrace {\n" + answer.trace.DebugString() + "}\n";
}

class TempoTraceTest : public testing::TestWithParam<ProductCall> {};

TEST_P(TempoTraceTest, IsAsInItsFile) {
  const Response response = Ask(Shop(), GetParam());
  ExpectGoldenCall("tempo", GetParam(), response, TextOf(GetParam(), response));
}

std::vector<ProductCall> Calls() {
  const std::string buy = ToHex(kBuy);
  const std::string v1 = "/api/traces/";
  const std::string v2 = "/api/v2/traces/";
  const std::string nothing = "99999999999999998888888888888888";
  return {
      {"trace_at_root", GetRootTrace, v1 + buy, buy, kProtobuf},
      {"echo", tempo::Echo, "/api/echo"},
      {"trace_v1", tempo::GetTraceV1, v1 + buy, buy, kProtobuf},
      {"trace_v2", tempo::GetTraceV2, v2 + buy, buy, kProtobuf},
      {"trace_v2_short_id", tempo::GetTraceV2, v2 + "1234567890ABCDEF?start=1&end=2",
       "1234567890ABCDEF", kProtobuf},
      {"trace_v1_json", tempo::GetTraceV1, v1 + buy, buy},
      {"trace_v2_json", tempo::GetTraceV2, v2 + "1234567890abcdef", "1234567890abcdef"},
      {"trace_not_found", tempo::GetTraceV2, v2 + nothing, nothing, kProtobuf},
      {"trace_only_lines", tempo::GetTraceV2, v2 + ToHex(kOnlyLines), ToHex(kOnlyLines), kProtobuf},
      {"trace_ambiguous", tempo::GetTraceV2, v2 + "5555555555555555", "5555555555555555",
       kProtobuf},
      {"trace_malformed", tempo::GetTraceV1, v1 + "no-id", "no-id", kProtobuf},
      {"trace_bad_start", tempo::GetTraceV2, v2 + buy + "?start=x", buy, kProtobuf},
  };
}

INSTANTIATE_TEST_SUITE_P(Calls, TempoTraceTest, testing::ValuesIn(Calls()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(TempoTrace, EveryFieldThatTheDataSourceDereferencesIsThere) {
  Sample sample;
  sample.Add(SampleSpan{.trace = kBuy, .span = {1}});  // Neither resource nor scope nor status.
  sample.From({});
  sample.Add(SampleSpan{.trace = kBuy, .span = {2}});
  const Shop shop({sample.Finish()});
  const ProductCall call{"", tempo::GetTraceV2, "/api/v2/traces/" + ToHex(kBuy), ToHex(kBuy),
                         kProtobuf};
  const TraceById answer = ParseV2(Ask(shop, call).body);
  ASSERT_TRUE(answer.has_trace);
  std::size_t spans = 0;
  for (const auto& of_resource : answer.trace.resource_spans()) {
    ASSERT_TRUE(of_resource.has_resource());
    ASSERT_EQ(of_resource.resource().attributes_size(), 1);
    EXPECT_EQ(of_resource.resource().attributes(0).key(), "service.name");
    EXPECT_EQ(of_resource.resource().attributes(0).value().string_value(), "unknown_service");
    for (const auto& of_scope : of_resource.scope_spans()) {
      EXPECT_TRUE(of_scope.has_scope());
      for (const auto& span : of_scope.spans()) {
        EXPECT_TRUE(span.has_status());
        ++spans;
      }
    }
  }
  EXPECT_EQ(spans, 2U);
}

TEST(TempoTrace, SaysWhatIsMissing) {
  const ProductCall call{"", tempo::GetTraceV2, "/api/v2/traces/1234567890abcdef",
                         "1234567890abcdef", kProtobuf};
  const TraceById answer = ParseV2(Ask(Shop(), call).body);
  EXPECT_EQ(answer.status, 1U);
  EXPECT_THAT(answer.message, HasSubstr("1 span is missing"));
}

TEST(TempoTrace, AnyWidthAndCaseOfAnId) {
  const std::string padded = "00000000000000001234567890abcdef";
  for (const char* id : {"1234567890abcdef", "1234567890ABCDEF", "00000000000000001234567890ABCDEF",
                         "0001234567890abcdef"}) {
    const ProductCall call{"", tempo::GetTraceV1, "/api/traces/", id, kProtobuf};
    const Response response = Ask(Shop(), call);
    TracesData trace;
    ASSERT_EQ(response.status, 200) << id;
    ASSERT_TRUE(trace.ParseFromString(response.body));
    EXPECT_EQ(trace.resource_spans_size(), 1) << id;
  }
}

// A version would switch on streaming where an operator has asked for it.
TEST(TempoBuildInfo, IsNotThere) { EXPECT_EQ(tempo::NoBuildInfo().status, 404); }

}  // namespace
}  // namespace throughline::api
