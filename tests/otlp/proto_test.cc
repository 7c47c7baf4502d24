#include "otlp/proto.h"

#include <string>

#include <gtest/gtest.h>

#include "otlp/canonical.h"
#include "otlp/response.h"
#include "otlp/utf8.h"
#include "tests/proto/oracle.h"
#include "tests/proto/samples.h"

namespace throughline::otlp {
namespace {

using samples::AnyValue;
using samples::KeyValue;

// Reads `message` as a KeyValue into a fresh batch.
struct Read {
  explicit Read(std::string_view message, DecodeOptions decode_options = {})
      : bytes(message), options(decode_options), request(bytes, options, batch) {
    request.BeginRecord();
    ok = ReadKeyValue(bytes, request);
  }
  std::string bytes;
  DecodeOptions options;
  Batch batch;
  ProtoRequest request;
  bool ok = false;
};

bool Views(const Read& read) {
  return read.batch.attributes.at(0).bytes().data() == read.bytes.data();
}

TEST(ReadKeyValue, ViewsWhatIsCanonical) {
  google::protobuf::RepeatedPtrField<KeyValue> attributes;
  samples::AddAttributes(attributes);
  for (const KeyValue& attribute : attributes) {
    const Read read(attribute.SerializeAsString());
    ASSERT_TRUE(read.ok) << attribute.ShortDebugString();
    const bool canonical =
        !attribute.key().empty() && attribute.has_value() && attribute.key().size() < 128;
    EXPECT_EQ(Views(read), canonical) << attribute.ShortDebugString();
    EXPECT_EQ(read.batch.attributes.at(0).key(), attribute.key());
    oracle::CheckSame(attribute.value(), read.batch.attributes.at(0).value());
  }
}

struct OddCase {
  const char* name;
  std::string message;
  std::string canonical;
};

class OddKeyValue : public testing::TestWithParam<OddCase> {};

TEST_P(OddKeyValue, BecomesCanonical) {
  const Read read(GetParam().message);
  ASSERT_TRUE(read.ok);
  EXPECT_EQ(read.batch.attributes.at(0).bytes(), GetParam().canonical);
  KeyValue official;
  ASSERT_TRUE(official.ParseFromString(GetParam().message));
  EXPECT_EQ(official.key(), read.batch.attributes.at(0).key());
  oracle::CheckSame(official.value(), read.batch.attributes.at(0).value());
}

using namespace std::string_literals;

INSTANTIATE_TEST_SUITE_P(
    All, OddKeyValue,
    testing::Values(
        OddCase{"Empty", "", "\x0a\0\x12\0"s}, OddCase{"NoValue", "\x0a\x01k", "\x0a\x01k\x12\0"s},
        OddCase{"NoKey", "\x12\x02\x10\x01", "\x0a\0\x12\x02\x10\x01"s},
        OddCase{"ValueFirst", "\x12\x02\x18\x05\x0a\x01k", "\x0a\x01k\x12\x02\x18\x05"},
        OddCase{"LastKeyWins", "\x0a\x01\x61\x0a\x01\x62\x12\x02\x18\x05",
                "\x0a\x01\x62\x12\x02\x18\x05"},
        OddCase{"LastValueWins", "\x0a\x01k\x12\x02\x18\x05\x12\x02\x18\x06",
                "\x0a\x01k\x12\x02\x18\x06"},
        OddCase{"LastMemberWins", "\x0a\x01k\x12\x06\x0a\x02hi\x18\x06",
                "\x0a\x01k\x12\x02\x18\x06"},
        OddCase{"UnknownFields", "\x0a\x01k\x12\x04\x18\x06\x78\x01\x78\x02",
                "\x0a\x01k\x12\x02\x18\x06"},
        OddCase{"LongLength", "\x0a\x81\0k\x12\x02\x18\x06"s, "\x0a\x01k\x12\x02\x18\x06"},
        OddCase{"LongLengthOfValue", "\x0a\x01k\x12\x82\0\x18\x06"s, "\x0a\x01k\x12\x02\x18\x06"},
        OddCase{"LongInteger", "\x0a\x01k\x12\x03\x18\x86\0"s, "\x0a\x01k\x12\x02\x18\x06"},
        OddCase{"BoolOfTwo", "\x0a\x01k\x12\x02\x10\x02", "\x0a\x01k\x12\x02\x10\x01"},
        OddCase{"ArrayInTwoParts",
                "\x0a\x01k\x12\x06\x2a\x04\x0a\x02\x18\x01\x12\x06\x2a\x04\x0a\x02\x18\x02",
                "\x0a\x01k\x12\x0a\x2a\x08\x0a\x02\x18\x01\x0a\x02\x18\x02"},
        OddCase{"ArrayAfterAnotherMember",
                "\x0a\x01k\x12\x0e\x2a\x04\x0a\x02\x18\x01\x18\x05\x2a\x04\x0a\x02\x18\x02",
                "\x0a\x01k\x12\x06\x2a\x04\x0a\x02\x18\x02"},
        OddCase{"MapItemWithoutValue", "\x0a\x01k\x12\x07\x32\x05\x0a\x03\x0a\x01m",
                "\x0a\x01k\x12\x09\x32\x07\x0a\x05\x0a\x01m\x12\0"s},
        OddCase{"IndexOfProfiles", "\x0a\x01k\x12\x04\x18\x05\x40\x03", "\x0a\x01k\x12\0"s}),
    [](const auto& test) { return std::string(test.param.name); });

struct BadCase {
  const char* name;
  std::string message;
  std::string fault;
};

class BadKeyValue : public testing::TestWithParam<BadCase> {};

TEST_P(BadKeyValue, IsRefusedWithThePlace) {
  const Read read(GetParam().message);
  EXPECT_FALSE(read.ok);
  EXPECT_EQ(read.request.ErrorOf().code, Errc::kInvalidArgument);
  EXPECT_EQ(read.request.ErrorOf().message, GetParam().fault);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadKeyValue,
    testing::Values(
        BadCase{"KeyNotUtf8", "\x0a\x01\xff\x12\x02\x18\x05", "byte 2: text is not UTF-8"},
        BadCase{"ValueNotUtf8", "\x0a\x01k\x12\x04\x0a\x02\xc0\x80", "byte 7: text is not UTF-8"},
        BadCase{"TextInListNotUtf8", "\x0a\x01k\x12\x07\x2a\x05\x0a\x03\x0a\x01\xff",
                "byte 11: text is not UTF-8"},
        BadCase{"IntegerAsText", "\x0a\x01k\x12\x03\x1a\x01x", "byte 5: field 3: want wire type 0"},
        BadCase{"LengthPastTheEnd", "\x0a\x01k\x12\x09\x18",
                "byte 3: field 2: length runs past the end"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ReadKeyValue, DepthIsBounded) {
  KeyValue attribute;
  attribute.set_key("k");
  *attribute.mutable_value() = samples::Nested(kMaxValueDepth);
  const Read at_the_limit(attribute.SerializeAsString());
  EXPECT_TRUE(at_the_limit.ok);
  EXPECT_TRUE(Views(at_the_limit));
  // Also where it has to be rebuilt.
  EXPECT_TRUE(Read(attribute.SerializeAsString() + "\x78\x01").ok);
  *attribute.mutable_value() = samples::Nested(kMaxValueDepth + 1);
  const Read over(attribute.SerializeAsString());
  EXPECT_FALSE(over.ok);
  EXPECT_NE(over.request.ErrorOf().message.find("nested too deep"), std::string::npos);
  std::string lists;  // More than the official classes can take.
  for (int level = 0; level < 10'000; ++level) {
    std::string item;
    AppendArrayItem(lists, item);
    lists.clear();
    AppendArrayValue(item, lists);
  }
  std::string message = "\x0a\x01k\x12";
  AppendVarint(lists.size(), message);
  EXPECT_FALSE(Read(message + lists).ok);
}

TEST(ReadKeyValue, AttributesOfARecordAreBounded) {
  DecodeOptions options;
  options.attributes_per_record = 1;
  Read read("\x0a\x01k\x12\x02\x18\x05", options);
  ASSERT_TRUE(read.ok);
  EXPECT_TRUE(read.request.problem.empty());
  EXPECT_TRUE(ReadKeyValue(read.bytes, read.request));
  EXPECT_EQ(read.request.problem, "more than 1 attributes");
  EXPECT_EQ(read.batch.attributes.size(), 1U);
}

TEST(ReadKeyValue, AKeyOverTheLimitIsAProblemOfTheRecord) {
  KeyValue attribute;
  attribute.set_key(std::string(kMaxKeyBytes, 'k'));
  const Read at_the_limit(attribute.SerializeAsString());
  EXPECT_TRUE(at_the_limit.ok);
  EXPECT_TRUE(at_the_limit.request.problem.empty());
  EXPECT_EQ(at_the_limit.batch.attributes.at(0).key().size(), kMaxKeyBytes);
  attribute.set_key(std::string(kMaxKeyBytes + 1, 'k'));
  const Read over(attribute.SerializeAsString());
  EXPECT_TRUE(over.ok);
  EXPECT_EQ(over.request.problem, "attribute key has 1048577 bytes, at most 1048576 are allowed");
  EXPECT_TRUE(over.batch.attributes.empty());
}

TEST(Ids, SizesAndZeros) {
  TraceId id;
  bool repaired = false;
  EXPECT_EQ(ReadTraceId(samples::Id(16), id, repaired), IdState::kValid);
  EXPECT_EQ(ToHex(id), "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(ReadTraceId("", id, repaired), IdState::kAbsent);
  EXPECT_EQ(ReadTraceId(std::string(16, '\0'), id, repaired), IdState::kAbsent);
  EXPECT_EQ(ReadTraceId(std::string(32, '0'), id, repaired), IdState::kAbsent);
  for (const std::size_t size : {1U, 8U, 15U, 17U, 31U, 33U}) {
    EXPECT_EQ(ReadTraceId(samples::Id(size), id, repaired), IdState::kBroken) << size;
  }
  EXPECT_EQ(ReadTraceId(samples::Id(32), id, repaired), IdState::kBroken);
  EXPECT_EQ(ReadTraceId("0", id, repaired), IdState::kBroken);
  EXPECT_FALSE(repaired);
  EXPECT_EQ(ReadTraceId("0123456789abcdef0123456789ABCDEF", id, repaired), IdState::kValid);
  EXPECT_TRUE(repaired);
  EXPECT_EQ(ToHex(id), "0123456789abcdef0123456789abcdef");
}

TEST(Ids, Problems) {
  EXPECT_EQ(IdProblem("trace_id", samples::Id(15), 16), "trace_id has 15 bytes, want 16");
  EXPECT_EQ(IdProblem("trace_id", "", 16), "trace_id has 0 bytes, want 16");
  EXPECT_EQ(IdProblem("span_id", std::string(8, '\0'), 8), "span_id is all zero");
  EXPECT_EQ(IdProblem("span_id", std::string(16, '0'), 8), "span_id is all zero");
}

TEST(Utf8, AcceptsEachLengthAndRefusesOddForms) {
  for (const std::string text :
       {"", "plain", "gr\xc3\xbc\xc3\x9f", "\xe6\x97\xa5", "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
    EXPECT_TRUE(IsUtf8("sixteen bytes and" + text + "some more after it")) << text;
  }
  for (const std::string text :
       {"\x80", "\xc0\x80", "\xc3", "\xc3(", "\xe0\x80\x80", "\xe6\x97", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
    EXPECT_FALSE(IsUtf8("sixteen bytes and" + text)) << text;
    EXPECT_FALSE(IsUtf8(text + "and some more after it")) << text;
  }
}

TEST(Response, ProtobufReadsBackWithTheOfficialClasses) {
  EXPECT_EQ(ExportResponse(Format::kProtobuf, "rejectedSpans", 0, ""), "");
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse response;
  ASSERT_TRUE(response.ParseFromString(
      ExportResponse(Format::kProtobuf, "rejectedSpans", 300, "span 3: trace_id is all zero")));
  EXPECT_EQ(response.partial_success().rejected_spans(), 300);
  EXPECT_EQ(response.partial_success().error_message(), "span 3: trace_id is all zero");
  ASSERT_TRUE(response.ParseFromString(
      ExportResponse(Format::kProtobuf, "rejectedSpans", 0, "bad byte: \xff")));
  EXPECT_TRUE(response.has_partial_success());
  EXPECT_EQ(response.partial_success().error_message(), "bad byte: ?");
  EXPECT_EQ(StatusResponse(Format::kProtobuf, 3, "no"), "\x08\x03\x12\x02no");
}

TEST(Response, Json) {
  EXPECT_EQ(ExportResponse(Format::kJson, "rejectedSpans", 0, ""), "{}");
  EXPECT_EQ(ExportResponse(Format::kJson, "rejectedLogRecords", 2, "a \"b\""),
            R"({"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"a \"b\""}})");
  EXPECT_EQ(ExportResponse(Format::kJson, "rejectedSpans", 0, "warning"),
            R"({"partialSuccess":{"errorMessage":"warning"}})");
  EXPECT_EQ(StatusResponse(Format::kJson, 3, "no"), R"({"code":3,"message":"no"})");
}

}  // namespace
}  // namespace throughline::otlp
