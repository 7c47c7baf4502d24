#include "logs/enrich.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/attribute.h"
#include "logs/otlp.h"
#include "wire/protobuf.h"

namespace throughline::logs {
namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kSpan = "b7ad6b7169203331";

// A lookup that knows one trace and remembers what it was asked.
struct Known {
  Known() {
    summary.trace_id = {.high = 0x0af7651916cd43dd, .low = 0x8448eb211c80319c};
    summary.root_service = "till \"a\"";
    summary.root_operation = "GET /";
    summary.duration_ns = 1'500'000;
    summary.error_count = 1;
    summary.evidence.span_count = 3;
  }
  TraceLookup lookup() {
    return [this](const Resolved& id, std::uint64_t time_unix_ns) {
      asked.push_back(ToHex(id.trace_id) + "@" + std::to_string(time_unix_ns));
      if (!SameTrace(id.trace_id, summary.trace_id)) {
        return TraceAnswer{.link = {.state = LinkState::kNeverSeen, .reason = {}}};
      }
      return TraceAnswer{.link = {.state = LinkState::kLive, .reason = {}},
                         .sampled = Sampled::kYes,
                         .summary = &summary};
    };
  }
  TraceSummary summary;
  std::vector<std::string> asked;
};

std::string Fill(std::string text) {
  for (const auto& [what, with] : {std::pair{"$T", kTrace}, std::pair{"$S", kSpan}}) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
      text.replace(at, 2, with);
    }
  }
  return text;
}

Result<Enriched> EnrichAll(std::string_view bytes, EnrichShape shape,
                           const EnrichOptions& options = {}) {
  Known known;
  const Body body = Body::Of(bytes);
  return Enrich(body.view(), shape, options, known.lookup());
}

std::string Out(std::string_view bytes, EnrichShape shape, const EnrichOptions& options = {}) {
  const auto enriched = EnrichAll(bytes, shape, options);
  return enriched ? enriched->body : enriched.error().message;
}

const EnrichOptions kIdAndState{
    .fields = {"id", "span.id", "state"}, .url_template = {}, .decode = {}};

TEST(EnrichNdjson, AddsEverythingKnown) {
  const EnrichOptions options{
      .fields = {}, .url_template = "http://x/trace/{trace_id}", .decode = {}};
  EXPECT_EQ(
      Out(Fill(R"({"trace_id":"$T","span_id":"$S", "n" : 1.50})"), EnrichShape::kNdjson, options),
      Fill(R"({"trace_id":"$T","span_id":"$S", "n" : 1.50,"trace.id":"$T","span.id":"$S",)"
           R"("trace.state":"live","trace.service":"till \"a\"","trace.operation":"GET /",)"
           R"("trace.duration_ns":1500000,"trace.error":true,"trace.sampled":true,)"
           R"("trace.url":"http://x/trace/$T"})"));
}

struct LineCase {
  const char* name;
  std::string in;
  std::string out;  // Empty: as it came.
  std::size_t records = 1;
  std::size_t malformed = 0;
};

TEST(EnrichNdjson, LineByLine) {
  const std::string added = R"("trace.id":"$T","trace.state":"live")";
  const LineCase cases[] = {
      {"InText", R"({"msg":"trace_id=$T"})", R"({"msg":"trace_id=$T",)" + added + "}"},
      {"NoId", R"({"msg":"x"})", ""},
      {"NeverSeen", R"({"trace_id":"c413d5b5fea3657325ff663320c7fd10"})",
       R"({"trace_id":"c413d5b5fea3657325ff663320c7fd10",)"
       R"("trace.id":"c413d5b5fea3657325ff663320c7fd10","trace.state":"never_seen"})"},
      {"ShortIdIsCompleted", R"({"trace_id":"8448eb211c80319c"})",
       R"({"trace_id":"8448eb211c80319c",)" + added + "}"},
      {"BadId", R"({"trace_id":"xyz"})", R"({"trace_id":"xyz","trace.state":"malformed"})"},
      {"NullId", R"({"trace_id":null})", ""},
      {"SpacesKept", " { \"trace_id\" : \"$T\" } \t\r\n",
       " { \"trace_id\" : \"$T\" ," + added + "} \t\r\n"},
      {"FlatOnesStay", R"({"trace.id":"$T","trace.state":"mine"})", ""},
      {"NestedOnesStay", R"({"trace":{"id":"$T"}})",
       R"({"trace":{"id":"$T"},"trace.state":"live"})"},
      {"TextLine", "trace_id=$T", "", 1, 1},
      {"BrokenJson", R"({"trace_id":"$T")", "", 1, 1},
      {"NotUtf8", "{\"trace_id\":\"$T\",\"x\":\"\xff\"}", "", 1, 1},
      {"BlankLines", "\n \n\r\n", "", 0, 0},
      {"Mixed", "{\"trace_id\":\"$T\"}\n{oops}\n\n{\"a\":\"\\u00e9\"}\nlast",
       "{\"trace_id\":\"$T\"," + added + "}\n{oops}\n\n{\"a\":\"\\u00e9\"}\nlast", 4, 2},
  };
  for (const LineCase& c : cases) {
    const auto enriched = EnrichAll(Fill(c.in), EnrichShape::kNdjson, kIdAndState);
    ASSERT_TRUE(enriched) << c.name;
    EXPECT_EQ(enriched->body, Fill(c.out.empty() ? c.in : c.out)) << c.name;
    EXPECT_EQ(enriched->records, c.records) << c.name;
    EXPECT_EQ(enriched->malformed, c.malformed) << c.name;
  }
}

TEST(EnrichNdjson, TwiceIsOnce) {
  const std::string once =
      Out(Fill("{\"trace_id\":\"$T\"}\n{\"trace_id\":\"bad\"}"), EnrichShape::kNdjson);
  EXPECT_EQ(Out(once, EnrichShape::kNdjson), once);
}

TEST(EnrichNdjson, AsksWithTheTimeOfTheLine) {
  Known known;
  const Body body =
      Body::Of(Fill("{\"time\":\"2026-01-24T12:00:00Z\",\"trace_id\":\"$T\"}\n{\"a\":1}\n"
                    "{\"trace_id\":\"$T\"}"));
  ASSERT_TRUE(Enrich(body.view(), EnrichShape::kNdjson, {}, known.lookup()));
  EXPECT_EQ(known.asked, (std::vector<std::string>{std::string(kTrace) + "@1769256000000000000",
                                                   std::string(kTrace) + "@0"}));
}

TEST(EnrichNdjson, FieldsAreChosen) {
  const EnrichOptions options{
      .fields = {"duration_ns", "trace.error"}, .url_template = "u", .decode = {}};
  EXPECT_EQ(Out(Fill(R"({"trace_id":"$T"})"), EnrichShape::kNdjson, options),
            Fill(R"({"trace_id":"$T","trace.duration_ns":1500000,"trace.error":true})"));
}

TEST(EnrichJson, ArraysKeepTheirShape) {
  const auto enriched = EnrichAll(Fill(" [ {\"trace_id\":\"$T\"} ,\n 5, \"trace_id=$T\", {} ]\n"),
                                  EnrichShape::kJsonArray, kIdAndState);
  ASSERT_TRUE(enriched);
  EXPECT_EQ(enriched->body,
            Fill(" [ {\"trace_id\":\"$T\",\"trace.id\":\"$T\",\"trace.state\":\"live\"} ,\n 5, "
                 "\"trace_id=$T\", {} ]\n"));
  EXPECT_EQ(enriched->records, 4U);
  EXPECT_EQ(enriched->malformed, 2U);
}

TEST(EnrichJson, OneObject) {
  EXPECT_EQ(Out(Fill("{\n  \"trace_id\": \"$T\"\n}\n"), EnrichShape::kJsonObject, kIdAndState),
            Fill("{\n  \"trace_id\": \"$T\"\n,\"trace.id\":\"$T\",\"trace.state\":\"live\"}\n"));
}

TEST(EnrichLoki, FieldsGoToTheMetadata) {
  const std::string in = R"({"streams":[{"values":[["1700000000000000001","a trace_id=$T"],)"
                         R"(["2","b",{"trace_id":"$T"}], ["3","c",{}],["4","trace_id=$T", { }]],)"
                         R"("stream":{"app":"x"},"more":[1]}],"z":null})";
  const std::string added = R"("trace.id":"$T","trace.state":"live","trace.error":"true")";
  const std::string out = R"({"streams":[{"values":[["1700000000000000001","a trace_id=$T",{)" +
                          added + R"(}],["2","b",{"trace_id":"$T",)" + added +
                          R"(}], ["3","c",{}],["4","trace_id=$T", { )" + added +
                          R"(}]],"stream":{"app":"x"},"more":[1]}],"z":null})";
  EnrichOptions options = kIdAndState;
  options.fields.emplace_back("error");
  Known known;
  const Body body = Body::Of(Fill(in));
  const auto enriched = Enrich(body.view(), EnrichShape::kLokiPush, options, known.lookup());
  ASSERT_TRUE(enriched) << enriched.error().message;
  EXPECT_EQ(enriched->body, Fill(out));
  EXPECT_EQ(enriched->records, 4U);
  ASSERT_EQ(known.asked.size(), 3U);
  EXPECT_EQ(known.asked[0], std::string(kTrace) + "@1700000000000000001");
}

TEST(EnrichLoki, OddEntriesStay) {
  const std::string in =
      Fill(R"({"streams":[{"stream":{},"values":[[],["1"],[true,"trace_id=$T"],["1","trace_id=$T",5],)"
           R"({},7]}]})");
  const auto enriched = EnrichAll(in, EnrichShape::kLokiPush);
  ASSERT_TRUE(enriched) << enriched.error().message;
  EXPECT_EQ(enriched->body, in);
  EXPECT_EQ(enriched->malformed, 6U);
}

TEST(Enrich, BodiesOfAnotherShapeAreRefused) {
  struct Case {
    EnrichShape shape;
    std::string_view bytes;
  };
  const Case cases[] = {
      {EnrichShape::kJsonArray, "{}"},
      {EnrichShape::kJsonArray, "[{]"},
      {EnrichShape::kJsonObject, "[]"},
      {EnrichShape::kJsonObject, "{\"a\":1}x"},
      {EnrichShape::kJsonObject, "{\"a\""},
      {EnrichShape::kLokiPush, "[]"},
      {EnrichShape::kLokiPush, "{\"streams\":{}}"},
      {EnrichShape::kLokiPush, "{\"streams\":[5]}"},
      {EnrichShape::kOtlpJson, "[]"},
      {EnrichShape::kOtlpJson, "{\"resourceLogs\":{}}"},
      {EnrichShape::kOtlpProtobuf, "\x0a\x7f"},
      {EnrichShape::kOtlpProtobuf, "{}"},
  };
  for (const Case& c : cases) {
    const auto enriched = EnrichAll(c.bytes, c.shape);
    ASSERT_FALSE(enriched) << c.bytes;
    EXPECT_EQ(enriched.error().code, Errc::kInvalidArgument);
    EXPECT_FALSE(enriched.error().message.empty());
  }
}

// An OTLP/JSON body of records, written as text.
std::string OtlpJson(std::string_view records) {
  return R"({ "resourceLogs":[{"resource":{"attributes":[]},)"
         R"("scopeLogs":[{"scope":{"name":"s"},"logRecords":[)" +
         Fill(std::string(records)) + R"(],"x":1}],"schemaUrl":""}], "unknown":[1,{}]})";
}

std::string Attribute(std::string_view name, std::string_view value) {
  return R"({"key":")" + std::string(name) + R"(","value":{"stringValue":")" + std::string(value) +
         R"("}})";
}

TEST(EnrichOtlpJson, AttributesAreAdded) {
  const std::string added = Attribute("trace.id", kTrace) + "," + Attribute("trace.state", "live");
  struct Case {
    const char* name;
    std::string in;
    std::string out;  // Empty: as it came.
  };
  const Case cases[] = {
      {"NoAttributes", R"({"traceId":"$T","body":{"stringValue":"x"}})",
       R"({"traceId":"$T","body":{"stringValue":"x"},"attributes":[)" + added + "]}"},
      {"EmptyAttributes", R"({"attributes":[ ],"traceId":"$T"})",
       R"({"attributes":[ )" + added + R"(],"traceId":"$T"})"},
      {"SomeAttributes", R"({"traceId":"$T","attributes":[{"key":"a","value":{"intValue":"1"}}]})",
       R"({"traceId":"$T","attributes":[{"key":"a","value":{"intValue":"1"}},)" + added + "]}"},
      {"NullAttributes", R"({"traceId":"$T","attributes":null})",
       R"({"traceId":"$T","attributes":[)" + added + "]}"},
      {"NoId", R"({"body":{"stringValue":"x"}})", ""},
      {"Empty", "{}", ""},
      {"Taken", R"({"traceId":"$T","attributes":[)" + added + "]}", ""},
      {"BadId", R"({"traceId":"xyz"})",
       R"({"traceId":"xyz","attributes":[)" + Attribute("trace.state", "malformed") + "]}"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Out(OtlpJson(c.in), EnrichShape::kOtlpJson, kIdAndState),
              OtlpJson(c.out.empty() ? c.in : c.out))
        << c.name;
  }
}

TEST(EnrichOtlpJson, TypesOfValues) {
  const EnrichOptions options{.fields = {"duration_ns", "error"}, .url_template = {}, .decode = {}};
  EXPECT_EQ(Out(OtlpJson(R"({"traceId":"$T"})"), EnrichShape::kOtlpJson, options),
            OtlpJson(R"({"traceId":"$T","attributes":[)"
                     R"({"key":"trace.duration_ns","value":{"intValue":"1500000"}},)"
                     R"({"key":"trace.error","value":{"boolValue":true}}]})"));
}

std::string Field(unsigned number, std::string_view content) {
  std::string out(1, static_cast<char>(number << 3U | 2U));
  AppendVarint(content.size(), out);
  return out.append(content);
}

// "\x08\x2a" is a field that nobody knows, at every level.
std::string OtlpProtobuf(std::string_view first, std::string_view second) {
  const std::string scope_logs =
      "\x78\x2a" + Field(1, "\x0a\x01s") + Field(2, first) + "\x78\x2a" + Field(2, second);
  return Field(1, Field(1, "") + Field(2, scope_logs) + Field(3, "url")) + "\x78\x2a";
}

std::string RecordWith(std::string_view trace_id) {
  return std::string("\x09\x01\x00\x00\x00\x00\x00\x00\x00", 9) + Field(5, Field(1, "text")) +
         Field(9, trace_id) + "\x78\x2a";
}

const std::string kTraceBytes("\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c",
                              16);

TEST(EnrichOtlpProtobuf, AttributesAreAppended) {
  const auto key_value = [](std::string_view key, std::string_view text) {
    return Field(6, Field(1, key) + Field(2, Field(1, text)));
  };
  const std::string plain = Field(5, Field(1, std::string(200, 'x')));
  EXPECT_EQ(
      Out(OtlpProtobuf(RecordWith(kTraceBytes), plain), EnrichShape::kOtlpProtobuf, kIdAndState),
      OtlpProtobuf(RecordWith(kTraceBytes) + key_value("trace.id", kTrace) +
                       key_value("trace.state", "live"),
                   plain));
  EXPECT_EQ(Out(OtlpProtobuf(plain, RecordWith("short")), EnrichShape::kOtlpProtobuf, kIdAndState),
            OtlpProtobuf(plain, RecordWith("short") + key_value("trace.state", "malformed")));
  const std::string untouched = OtlpProtobuf(plain, plain);
  EXPECT_EQ(Out(untouched, EnrichShape::kOtlpProtobuf), untouched);
}

TEST(EnrichOtlpProtobuf, TheResultIsDecodable) {
  Known known;
  const std::string in = OtlpProtobuf(RecordWith(kTraceBytes), RecordWith(kTraceBytes));
  const Body body = Body::Of(in);
  const auto enriched = Enrich(body.view(), EnrichShape::kOtlpProtobuf, {}, known.lookup());
  ASSERT_TRUE(enriched);
  EXPECT_EQ(enriched->records, 2U);
  Batch batch;
  batch.body = Body::Of(enriched->body);
  const auto decoded = DecodeOtlp(batch.body.view(), {}, batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_EQ(batch.logs.size(), 2U);
  std::string attributes;
  for (const throughline::Attribute& attribute : batch.Of(batch.logs[1].attributes)) {
    attributes += std::string(attribute.key()) + "=" + ValueText(attribute.value()) + " ";
  }
  EXPECT_EQ(attributes, "trace.id=" + std::string(kTrace) +
                            " trace.state=live trace.service=till \"a\" trace.operation=GET / "
                            "trace.duration_ns=1500000 trace.error=true trace.sampled=true ");
}

TEST(EnrichOtlpProtobuf, BrokenRecordsStay) {
  // The second record's bytes are no message; the first is good.
  const std::string broken = "\x0a\x7f";
  const auto enriched = EnrichAll(OtlpProtobuf(RecordWith(kTraceBytes), broken),
                                  EnrichShape::kOtlpProtobuf, kIdAndState);
  ASSERT_TRUE(enriched);
  EXPECT_EQ(enriched->malformed, 1U);
  EXPECT_TRUE(enriched->body.find("live") != std::string::npos);
}

TEST(EnrichOtlpProtobuf, TruncatedAnywhere) {
  const std::string in = OtlpProtobuf(RecordWith(kTraceBytes), RecordWith(kTraceBytes));
  for (std::size_t size = 0; size < in.size(); ++size) {
    const std::vector<char> copy(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(size));
    Known known;
    const auto enriched =
        Enrich({copy.data(), copy.size()}, EnrichShape::kOtlpProtobuf, {}, known.lookup());
    EXPECT_TRUE(enriched || enriched.error().code == Errc::kInvalidArgument) << size;
  }
}

TEST(IdsToEnrich, NamesThemInOrder) {
  const Body body = Body::Of(
      Fill("{\"trace_id\":\"$T\"}\ntext\n{\"trace_id\":\"c413d5b5fea3657325ff663320c7fd10\"}"));
  const auto ids = IdsToEnrich(body.view(), EnrichShape::kNdjson, {});
  ASSERT_EQ(ids.size(), 2U);
  EXPECT_EQ(ToHex(ids[0]), kTrace);
  EXPECT_EQ(ToHex(ids[1]), "c413d5b5fea3657325ff663320c7fd10");
  EXPECT_TRUE(IdsToEnrich("[1", EnrichShape::kJsonArray, {}).empty());
}

}  // namespace
}  // namespace throughline::logs
