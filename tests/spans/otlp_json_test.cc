#include <string>

#include <gtest/gtest.h>

#include "spans/otlp.h"
#include "tests/proto/official_json.h"
#include "tests/proto/samples.h"

namespace throughline::spans {
namespace {

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";

Result<Decoded> Decode(std::string_view text, Batch& batch, const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(text);
  return DecodeOtlpJson(batch.body.view(), options, batch);
}

std::string Request(const std::string& spans) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + spans + "]}]}]}";
}

// A span of good ids and `fields`.
std::string GoodSpan(const std::string& fields) {
  return std::string(R"({"traceId":")") + kTrace + R"(","spanId":")" + kSpan + '"' +
         (fields.empty() ? "" : ",") + fields + "}";
}

std::string SpanWithIds(const std::string& trace_id, const std::string& span_id,
                        const std::string& more = "") {
  return R"({"traceId":)" + trace_id + R"(,"spanId":)" + span_id + more + "}";
}

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

TEST(DecodeOtlpJson, ReadsAllFields) {
  Batch batch;
  const auto decoded = Decode(
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",)"
      R"("value":{"stringValue":"crane"}}]},"scopeSpans":[{"scope":{"name":"lib"},"spans":[)"
      R"({"traceId":"0AF7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",)"
      R"("parentSpanId":"00f067aa0ba902b7","traceState":"a=1","flags":257,"name":"load","kind":2,)"
      R"("startTimeUnixNano":"1700000000000000001","endTimeUnixNano":1700000000000000003,)"
      R"("attributes":[{"key":"k","value":{"intValue":"9007199254740993"}}],)"
      R"("events":[{"timeUnixNano":"5","name":"e","attributes":[{"key":"x"}]}],)"
      R"("links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7",)"
      R"("traceState":"b=2","flags":1,"attributes":[{"key":"y"}]}],)"
      R"("status":{"code":2,"message":"rope broke"},"droppedEventsCount":1,)"
      R"("future":{"a":[1]}}]}]}]})",
      batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->received, 1U);
  EXPECT_EQ(decoded->accepted, 1U);
  ASSERT_EQ(batch.spans.size(), 1U);
  const Span& span = batch.spans[0];
  EXPECT_EQ(ToHex(span.trace_id), kTrace);
  EXPECT_EQ(ToHex(span.span_id), kSpan);
  EXPECT_EQ(ToHex(span.parent_span_id), "00f067aa0ba902b7");
  EXPECT_EQ(span.trace_state, "a=1");
  EXPECT_EQ(span.flags, 257U);
  EXPECT_EQ(span.name, "load");
  EXPECT_EQ(span.kind, 2U);
  EXPECT_EQ(span.start_unix_ns, 1700000000000000001U);
  EXPECT_EQ(span.end_unix_ns, 1700000000000000003U);
  EXPECT_EQ(span.status_code, 2U);
  EXPECT_EQ(span.status_message, "rope broke");
  EXPECT_EQ(batch.ServiceOf(span), "crane");
  EXPECT_EQ(batch.ScopeOf(span.scope)->name, "lib");
  ASSERT_EQ(span.attributes.count, 1U);
  EXPECT_EQ(ReadValue(batch.Of(span.attributes)[0].value()).integer, 9007199254740993);
  ASSERT_EQ(span.events.count, 1U);
  EXPECT_EQ(batch.EventsOf(span)[0].time_unix_ns, 5U);
  EXPECT_EQ(batch.EventsOf(span)[0].name, "e");
  EXPECT_EQ(batch.Of(batch.EventsOf(span)[0].attributes)[0].key(), "x");
  ASSERT_EQ(span.links.count, 1U);
  EXPECT_EQ(ToHex(batch.LinksOf(span)[0].span_id), "00f067aa0ba902b7");
  EXPECT_EQ(batch.LinksOf(span)[0].trace_state, "b=2");
  EXPECT_EQ(batch.LinksOf(span)[0].flags, 1U);
  EXPECT_EQ(batch.Of(batch.LinksOf(span)[0].attributes)[0].key(), "y");
}

TEST(DecodeOtlpJson, AgreesWithProtobuf) {
  const auto message = samples::Traces();
  DecodeOptions options;
  options.hash_seed = 7;
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
  EXPECT_EQ(from_json->dropped_links, from_bytes->dropped_links);
  ASSERT_EQ(of_json.spans.size(), of_bytes.spans.size());
  for (std::size_t i = 0; i < of_json.spans.size(); ++i) {
    EXPECT_EQ(ToHex(of_json.spans[i].trace_id), ToHex(of_bytes.spans[i].trace_id)) << i;
    EXPECT_EQ(of_json.spans[i].identity, of_bytes.spans[i].identity) << i;
  }
}

struct IdCase {
  const char* name;
  std::string span;
  std::size_t accepted;
  std::size_t repaired;
  const char* reason;  // The start of the rejection.
};

class JsonIds : public testing::TestWithParam<IdCase> {};

TEST_P(JsonIds, CostOnlyTheirSpan) {
  Batch batch;
  const auto decoded = Decode(Request(GetParam().span + "," + GoodSpan("")), batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->received, 2U);
  EXPECT_EQ(decoded->accepted, 1 + GetParam().accepted);
  EXPECT_EQ(decoded->rejected, 1 - GetParam().accepted);
  EXPECT_EQ(decoded->repaired, GetParam().repaired);
  EXPECT_EQ(batch.spans.size(), decoded->accepted);
  EXPECT_TRUE(decoded->first_rejection.starts_with(GetParam().reason)) << decoded->first_rejection;
}

INSTANTIATE_TEST_SUITE_P(
    All, JsonIds,
    testing::Values(
        IdCase{"Absent", "{}", 0, 0, "span 0: traceId: empty"},
        IdCase{"Null", SpanWithIds("null", Quoted(kSpan)), 0, 0, "span 0: traceId: empty"},
        IdCase{"NullSpan", "null", 0, 0, "span 0: traceId: empty"},
        IdCase{"Zero", SpanWithIds(Quoted(std::string(32, '0')), Quoted(kSpan)), 0, 0,
               "span 0: traceId: all zero"},
        IdCase{"Short", SpanWithIds(Quoted("0af765"), Quoted(kSpan)), 0, 0,
               "span 0: traceId: 6 characters"},
        IdCase{"NotHex", SpanWithIds(Quoted("0af7651916cd43dd8448eb211c80319g"), Quoted(kSpan)), 0,
               0, "span 0: traceId: "},
        IdCase{"SnakeCaseIsUnknown",
               std::string(R"({"trace_id":")") + kTrace + R"(","span_id":")" + kSpan + "\"}", 0, 0,
               "span 0: traceId: empty"},
        IdCase{"SpanAbsent", SpanWithIds(Quoted(kTrace), "null"), 0, 0, "span 0: spanId: empty"},
        IdCase{"SpanLong", SpanWithIds(Quoted(kTrace), Quoted("b7ad6b71692033310")), 0, 0,
               "span 0: spanId: 17 characters"},
        IdCase{"ParentShort",
               SpanWithIds(Quoted(kTrace), Quoted(kSpan), R"(,"parentSpanId":"b7ad")"), 0, 0,
               "span 0: parentSpanId: 4 characters"},
        IdCase{"ParentEmpty", SpanWithIds(Quoted(kTrace), Quoted(kSpan), R"(,"parentSpanId":"")"),
               1, 0, ""},
        IdCase{"ParentZero",
               SpanWithIds(Quoted(kTrace), Quoted(kSpan), R"(,"parentSpanId":"0000000000000000")"),
               1, 0, ""},
        IdCase{"Base64", SpanWithIds(Quoted("CvdlGRbNQ92ESOshHIAxnA=="), Quoted("t61rcWkgMzE=")), 1,
               1, ""},
        IdCase{"LastOfEqualKeysWins",
               std::string(R"({"traceId":"x","spanId":"b7ad6b7169203331","traceId":")") + kTrace +
                   "\"}",
               1, 0, ""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(DecodeOtlpJson, RepairedIdsAreTheRightOnes) {
  Batch batch;
  const auto decoded = Decode(
      Request(SpanWithIds(Quoted("CvdlGRbNQ92ESOshHIAxnA=="), Quoted("t61rcWkgMzE="))), batch);
  ASSERT_TRUE(decoded);
  ASSERT_EQ(batch.spans.size(), 1U);
  EXPECT_EQ(ToHex(batch.spans[0].trace_id), kTrace);
  EXPECT_EQ(ToHex(batch.spans[0].span_id), kSpan);
  EXPECT_EQ(decoded->first_repair, "span 0: traceId was repaired");
}

struct RefusedCase {
  const char* name;
  std::string fields;  // Of the span.
  const char* error;   // After the span's path.
};

class RefusedJson : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedJson, NamesTheField) {
  Batch batch;
  const auto decoded = Decode(Request(GoodSpan("") + "," + GoodSpan(GetParam().fields)), batch);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kInvalidArgument);
  EXPECT_EQ(decoded.error().message,
            std::string("resourceSpans[0].scopeSpans[0].spans[1].") + GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedJson,
    testing::Values(
        RefusedCase{"IdNumber", R"("traceId":7)", "traceId: is a number, want a string"},
        RefusedCase{"LinkIdNumber", R"("links":[{"spanId":7}])",
                    "links[0].spanId: is a number, want a string"},
        RefusedCase{"NameNumber", R"("name":7)", "name: is a number, want a string"},
        RefusedCase{"TimeNegative", R"("startTimeUnixNano":"-1")",
                    "startTimeUnixNano: is negative"},
        RefusedCase{"TimeOver64Bits", R"("endTimeUnixNano":"18446744073709551616")",
                    "endTimeUnixNano: does not fit 64 bits"},
        RefusedCase{"TimeNumberOver64Bits", R"("endTimeUnixNano":18446744073709551616)",
                    "endTimeUnixNano: does not fit 64 bits"},
        RefusedCase{"KindFraction", R"("kind":2.5)", "kind: is not integral"},
        RefusedCase{"KindUnknownName", R"("kind":"SERVER")",
                    "kind: is a string that is no integer"},
        RefusedCase{"FlagsWide", R"("flags":4294967296)", "flags: does not fit 32 bits"},
        RefusedCase{"StatusText", R"("status":"ok")", "status: is a string, want an object"},
        RefusedCase{"AttributesObject", R"("attributes":{"a":"b"})",
                    "attributes: is an object, want an array"},
        RefusedCase{"AttributeBare", R"("attributes":[{"key":"a","value":"b"}])",
                    "attributes[0].value: is a string, want an object"},
        RefusedCase{"EventTime", R"("events":[{},{"timeUnixNano":true}])",
                    "events[1].timeUnixNano: is a boolean, want an integer"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(DecodeOtlpJson, EmptyRequestsAreGood) {
  for (const char* const text :
       {"{}", R"({"resourceSpans":[]})", R"({"resourceSpans":null})", R"({"resourceSpans":[null]})",
        R"({"resourceSpans":[{"resource":null,"scopeSpans":null}]})",
        R"({"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]})", R"({"later":[1,{"a":null}]})"}) {
    Batch batch;
    const auto decoded = Decode(text, batch);
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(decoded->received, 0U);
    EXPECT_TRUE(batch.resources.empty());
  }
}

TEST(DecodeOtlpJson, EnumerationsByNumberAndByName) {
  struct Case {
    const char* kind;
    std::uint32_t number;
  };
  for (const Case& test :
       {Case{"3", 3}, Case{"2.0", 2}, Case{"\"3\"", 3}, Case{"99", 99}, Case{"null", 0},
        Case{"\"SPAN_KIND_SERVER\"", 2}, Case{"\"SPAN_KIND_CONSUMER\"", 5}}) {
    Batch batch;
    const auto decoded = Decode(Request(GoodSpan(std::string("\"kind\":") + test.kind)), batch);
    ASSERT_TRUE(decoded) << test.kind;
    EXPECT_EQ(batch.spans.at(0).kind, test.number);
  }
  Batch batch;
  ASSERT_TRUE(Decode(Request(GoodSpan(R"("status":{"code":"STATUS_CODE_ERROR"})")), batch));
  EXPECT_EQ(batch.spans.at(0).status_code, 2U);
}

TEST(DecodeOtlpJson, BrokenLinksAreDropped) {
  Batch batch;
  const auto decoded =
      Decode(Request(GoodSpan(R"("links":[{"traceId":"12","spanId":"b7ad6b7169203331",)"
                              R"("attributes":[{"key":"gone"}]},{},)"
                              R"({"traceId":"0af7651916cd43dd8448eb211c80319c",)"
                              R"("spanId":"b7ad6b7169203331","attributes":[{"key":"stays"}]}])")),
             batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->accepted, 1U);
  EXPECT_EQ(decoded->dropped_links, 2U);
  ASSERT_EQ(batch.spans.at(0).links.count, 1U);
  EXPECT_EQ(batch.attributes.size(), 1U);
  EXPECT_EQ(batch.Of(batch.LinksOf(batch.spans[0])[0].attributes)[0].key(), "stays");
}

TEST(DecodeOtlpJson, BoundsAreKept) {
  DecodeOptions options;
  options.attributes_per_record = 2;
  options.records_per_request = 3;
  const std::string three = R"([{"key":"a"},{"key":"b"},{"key":"c"}])";
  Batch batch;
  const auto decoded =
      Decode(Request(GoodSpan("\"attributes\":" + three) + "," +
                     GoodSpan(R"("events":[{},{},{}])") + "," + GoodSpan(R"("links":[{},{},{}])")),
             batch, options);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->rejected, 3U);
  EXPECT_EQ(
      decoded->first_rejection,
      "span 0: more than 2 attributes; span 1: more than 2 events; span 2: more than 2 links");
  EXPECT_TRUE(batch.attributes.empty());
  EXPECT_TRUE(batch.events.empty());
  const std::string good = GoodSpan("");
  const auto many = Decode(Request(good + "," + good + "," + good + "," + good), batch, options);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, Errc::kTooLarge);
  EXPECT_EQ(many.error().message, "more than 3 spans in one request");
}

TEST(DecodeOtlpJson, WhatIsNoJsonIsRefusedWithItsPlace) {
  const std::string text = samples::OfficialJson(samples::Traces());
  for (std::size_t size = 0; size < text.size(); ++size) {
    Batch batch;
    const auto decoded = Decode(text.substr(0, size), batch);
    ASSERT_FALSE(decoded) << size;
    EXPECT_TRUE(decoded.error().message.starts_with("json: byte ")) << decoded.error().message;
  }
}

}  // namespace
}  // namespace throughline::spans
