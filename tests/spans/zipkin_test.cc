#include "spans/zipkin.h"

#include <cstdint>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "correlate/analysis/trace_tree.h"
#include "correlate/attribute.h"
#include "tests/proto/truncation.h"

namespace throughline::spans {
namespace {

constexpr const char* kTrace = "463ac35c9f6413ad48485a3953bb6124";
constexpr const char* kSpan = "a2fb4a1d1a96d312";
constexpr DecodeOptions kOptions = {
    .hash_seed = 7, .keep_unlinked = false, .records_per_request = 100, .attributes_per_record = 8};

Result<Decoded> DecodeJson(std::string_view text, Batch& batch,
                           const DecodeOptions& options = kOptions) {
  batch = Batch();
  batch.body = Body::Of(text);
  return DecodeZipkinJson(batch.body.view(), options, batch);
}

Result<Decoded> DecodeProto(std::string_view bytes, Batch& batch) {
  batch = Batch();
  batch.body = Body::Of(bytes);
  return DecodeZipkinProto(batch.body.view(), kOptions, batch);
}

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

// A span of these ids (JSON values) and `fields`.
std::string SpanOf(const std::string& trace_id, const std::string& id, const std::string& fields) {
  return R"({"traceId":)" + trace_id + R"(,"id":)" + id + (fields.empty() ? "" : ",") + fields +
         "}";
}
std::string GoodSpan(const std::string& fields) {
  return SpanOf(Quoted(kTrace), Quoted(kSpan), fields);
}

// Attributes as key to text.
std::map<std::string, std::string> Texts(Range range, const Batch& batch) {
  std::map<std::string, std::string> texts;
  for (const Attribute& attribute : batch.Of(range)) {
    texts[std::string(attribute.key())] = ValueText(attribute.value());
  }
  EXPECT_EQ(texts.size(), range.count) << "a key stands twice";
  return texts;
}
using TextMap = std::map<std::string, std::string>;

// Decodes one good span.
const Span& Only(const std::string& fields, Batch& batch) {
  const auto decoded = DecodeJson("[" + GoodSpan(fields) + "]", batch);
  EXPECT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(batch.spans.size(), 1U) << (decoded ? decoded->first_rejection : "");
  static const Span kNone;
  return batch.spans.empty() ? kNone : batch.spans[0];
}

// zipkin.proto, by hand.
std::string Field(std::uint32_t number, std::string_view bytes) {
  std::string out;
  AppendVarint((number << 3U) | 2U, out);
  AppendVarint(bytes.size(), out);
  return out.append(bytes);
}
std::string Number(std::uint32_t number, std::uint64_t value) {
  std::string out;
  AppendVarint(number << 3U, out);
  AppendVarint(value, out);
  return out;
}
std::string Fixed(std::uint32_t number, std::uint64_t value) {
  std::string out;
  AppendVarint((number << 3U) | 1U, out);
  for (int i = 0; i < 8; ++i, value >>= 8U) out += static_cast<char>(value);
  return out;
}
std::string Bytes(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}
std::string Tag(std::string_view key, std::string_view value) {
  return Field(11, Field(1, key) + Field(2, value));
}

// One span with every field, in both encodings.
std::string FullProto() {
  return Field(
      1, Field(1, Bytes(kTrace)) + Field(2, Bytes("6b221d5bc9e6496c")) + Field(3, Bytes(kSpan)) +
             Number(4, 2) + Field(5, "get /api") + Fixed(6, 1502787600000001) + Number(7, 150) +
             Field(8, Field(1, "backend") + Field(2, std::string("\xc0\xa8\x63\x01", 4)) +
                          Number(4, 3306)) +
             Field(9, Field(1, "frontend") + Field(3, Bytes("20010db8000000000000000000000001")) +
                          Number(4, 9000)) +
             Field(10, Fixed(1, 1502787600000050) + Field(2, "ws")) + Tag("http.path", "/api") +
             Tag("clnt", "x") + Number(12, 1) + Number(13, 1));
}
std::string FullJson() {
  return "[" +
         GoodSpan(R"("parentId":"6b221d5bc9e6496c","kind":"SERVER","name":"get /api",)"
                  R"("timestamp":1502787600000001,"duration":150,)"
                  R"("localEndpoint":{"serviceName":"backend","ipv4":"192.168.99.1","port":3306},)"
                  R"("remoteEndpoint":{"serviceName":"frontend","ipv6":"2001:db8::1","port":9000},)"
                  R"("annotations":[{"timestamp":1502787600000050,"value":"ws"}],)"
                  R"("tags":{"http.path":"/api","clnt":"x"},"debug":true,"shared":true)") +
         "]";
}

void ExpectFull(const Batch& batch) {
  ASSERT_EQ(batch.spans.size(), 1U);
  const Span& span = batch.spans[0];
  EXPECT_EQ(ToHex(span.trace_id), kTrace);
  EXPECT_EQ(ToHex(span.span_id), kSpan);
  EXPECT_EQ(ToHex(span.parent_span_id), "6b221d5bc9e6496c");
  EXPECT_EQ(span.kind, 2U);
  EXPECT_EQ(span.name, "get /api");
  EXPECT_EQ(span.start_unix_ns, 1502787600000001000U);
  EXPECT_EQ(span.end_unix_ns, 1502787600000151000U);
  EXPECT_EQ(span.status_code, 0U);
  EXPECT_EQ(batch.ServiceOf(span), "backend");
  EXPECT_EQ(Texts(span.attributes, batch), (TextMap{{"clnt", "x"},
                                                    {"http.path", "/api"},
                                                    {"network.local.address", "192.168.99.1"},
                                                    {"network.local.port", "3306"},
                                                    {"network.peer.address", "2001:db8::1"},
                                                    {"network.peer.port", "9000"},
                                                    {"peer.service", "frontend"},
                                                    {"zipkin.debug", "true"},
                                                    {"zipkin.shared", "true"}}));
  ASSERT_EQ(span.events.count, 1U);
  EXPECT_EQ(batch.EventsOf(span)[0].name, "ws");
  EXPECT_EQ(batch.EventsOf(span)[0].time_unix_ns, 1502787600000050000U);
}

TEST(DecodeZipkin, BothEncodingsSayTheSame) {
  DecodeOptions options = kOptions;
  options.attributes_per_record = 16;
  Batch of_json;
  const auto json = DecodeJson(FullJson(), of_json, options);
  ASSERT_TRUE(json) << json.error().message;
  ExpectFull(of_json);
  Batch of_proto;
  of_proto.body = Body::Of(FullProto());
  const auto proto = DecodeZipkinProto(of_proto.body.view(), options, of_proto);
  ASSERT_TRUE(proto) << proto.error().message;
  ExpectFull(of_proto);
  ASSERT_FALSE(of_proto.spans.empty());
  EXPECT_EQ(of_json.spans[0].identity, of_proto.spans[0].identity);
}

TEST(DecodeZipkin, NothingIsAGoodRequest) {
  Batch batch;
  const auto json = DecodeJson("[]", batch);
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(json->received, 0U);
  const auto proto = DecodeProto("", batch);
  ASSERT_TRUE(proto);
  EXPECT_EQ(proto->received, 0U);
}

struct IdCase {
  const char* name;
  std::string trace_id;  // JSON values.
  std::string id;
  std::string parent;
  const char* want_trace;  // Empty: rejected.
  const char* want_id;
  const char* want_parent;
  std::size_t repaired;
  const char* reason;
};

class ZipkinJsonIds : public testing::TestWithParam<IdCase> {};

TEST_P(ZipkinJsonIds, CostOnlyTheirSpan) {
  const IdCase& with = GetParam();
  Batch batch;
  const auto decoded =
      DecodeJson("[" + SpanOf(with.trace_id, with.id, R"("parentId":)" + with.parent) + "," +
                     GoodSpan("") + "]",
                 batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  const std::size_t good = *with.want_trace == '\0' ? 0 : 1;
  EXPECT_EQ(decoded->received, 2U);
  EXPECT_EQ(decoded->accepted, 1 + good) << decoded->first_rejection;
  EXPECT_EQ(decoded->rejected, 1 - good);
  EXPECT_EQ(decoded->repaired, with.repaired);
  EXPECT_TRUE(decoded->first_rejection.starts_with(with.reason)) << decoded->first_rejection;
  if (good == 0) return;
  EXPECT_EQ(ToHex(batch.spans[0].trace_id), with.want_trace);
  EXPECT_EQ(ToHex(batch.spans[0].span_id), with.want_id);
  EXPECT_EQ(ToHex(batch.spans[0].parent_span_id), with.want_parent);
}

constexpr const char* kNoParent = "0000000000000000";

INSTANTIATE_TEST_SUITE_P(
    All, ZipkinJsonIds,
    testing::Values(
        IdCase{"Full", Quoted(kTrace), Quoted(kSpan), Quoted("00f067aa0ba902b7"), kTrace, kSpan,
               "00f067aa0ba902b7", 0, ""},
        IdCase{"UpperCase", Quoted("463AC35C9F6413AD48485A3953BB6124"), Quoted("A2FB4A1D1A96D312"),
               "null", kTrace, kSpan, kNoParent, 0, ""},
        IdCase{"SixtyFourBits", Quoted("48485a3953bb6124"), Quoted(kSpan), "null",
               "000000000000000048485a3953bb6124", kSpan, kNoParent, 0, ""},
        IdCase{"Padded", Quoted("1a"), Quoted("2b"), Quoted("c"),
               "0000000000000000000000000000001a", "000000000000002b", "000000000000000c", 0, ""},
        IdCase{"PaddedBeyond64Bits", Quoted("5af7183fb1d4cf5f1"), Quoted(kSpan), "null",
               "0000000000000005af7183fb1d4cf5f1", kSpan, kNoParent, 0, ""},
        IdCase{"ItsOwnParent", Quoted(kTrace), Quoted(kSpan), Quoted(kSpan), kTrace, kSpan,
               kNoParent, 0, ""},
        IdCase{"ZeroParent", Quoted(kTrace), Quoted(kSpan), Quoted("0000000000000000"), kTrace,
               kSpan, kNoParent, 0, ""},
        IdCase{"Base64", Quoted("RjrDXJ9kE61ISFo5U7thJA=="), Quoted(kSpan), "null", kTrace, kSpan,
               kNoParent, 1, ""},
        IdCase{"NoTraceId", "null", Quoted(kSpan), "null", "", "", "", 0, "span 0: traceId: empty"},
        IdCase{"ZeroTraceId", Quoted(std::string(32, '0')), Quoted(kSpan), "null", "", "", "", 0,
               "span 0: traceId: all zero"},
        IdCase{"LongTraceId", Quoted(std::string(33, 'a')), Quoted(kSpan), "null", "", "", "", 0,
               "span 0: traceId: 33 characters"},
        IdCase{"NoHex", Quoted("463ac35c9f6413ad48485a3953bb612g"), Quoted(kSpan), "null", "", "",
               "", 0, "span 0: traceId: "},
        IdCase{"NoId", Quoted(kTrace), "null", "null", "", "", "", 0, "span 0: id: empty"},
        IdCase{"LongId", Quoted(kTrace), Quoted("a2fb4a1d1a96d3121"), "null", "", "", "", 0,
               "span 0: id: 17 characters"},
        IdCase{"BadParent", Quoted(kTrace), Quoted(kSpan), Quoted("xyz"), "", "", "", 0,
               "span 0: parentId: 3 characters"}),
    [](const auto& test) { return test.param.name; });

TEST(DecodeZipkinProto, IdsCostOnlyTheirSpan) {
  const auto span = [](const std::string& trace_id, const std::string& id,
                       const std::string& parent) {
    return Field(1, Field(1, trace_id) + Field(3, id) + Field(2, parent));
  };
  const std::string id = Bytes(kSpan);
  Batch batch;
  const auto decoded = DecodeProto(
      span(Bytes("48485a3953bb6124"), id, "") + span(Bytes(kTrace).substr(1), id, "") +
          span(Bytes(kTrace), id.substr(1), "") + span(Bytes(kTrace), id, "abc") +
          span(std::string(8, '\0'), id, "") + span(kTrace, kSpan, std::string(8, '\0')),
      batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->received, 6U);
  EXPECT_EQ(decoded->accepted, 2U);
  EXPECT_EQ(decoded->rejected, 4U);
  EXPECT_EQ(decoded->repaired, 1U);
  EXPECT_EQ(decoded->first_rejection,
            "span 1: trace_id has 15 bytes, want 16; span 2: id has 7 bytes, want 8; "
            "span 3: parent_id has 3 bytes, want 8");
  ASSERT_EQ(batch.spans.size(), 2U);
  EXPECT_EQ(ToHex(batch.spans[0].trace_id), "000000000000000048485a3953bb6124");
  EXPECT_EQ(ToHex(batch.spans[1].trace_id), kTrace);
}

struct TimeCase {
  const char* name;
  std::string fields;
  std::uint64_t start;
  std::uint64_t end;
};

class ZipkinTimes : public testing::TestWithParam<TimeCase> {};

TEST_P(ZipkinTimes, AreNanoseconds) {
  Batch batch;
  const Span& span = Only(GetParam().fields, batch);
  EXPECT_EQ(span.start_unix_ns, GetParam().start);
  EXPECT_EQ(span.end_unix_ns, GetParam().end);
}

INSTANTIATE_TEST_SUITE_P(
    All, ZipkinTimes,
    testing::Values(TimeCase{"Neither", "", 0, 0},
                    TimeCase{"NoDuration", R"("timestamp":1502787600000001)", 1502787600000001000,
                             1502787600000001000},
                    TimeCase{"NoTimestamp", R"("duration":150)", 0, 150'000},
                    TimeCase{"Nulls", R"("timestamp":null,"duration":null)", 0, 0},
                    TimeCase{"Fractions", R"("timestamp":1502787600000001.25,"duration":1.5)",
                             1502787600000001250, 1502787600000002750},
                    TimeCase{"Exponent", R"("timestamp":1.5027876e15,"duration":2e3)",
                             1502787600000000000, 1502787600002000000},
                    TimeCase{"Strings", R"("timestamp":"1502787600000001","duration":"5")",
                             1502787600000001000, 1502787600000006000},
                    // Nanoseconds by mistake.
                    TimeCase{"TooLarge", R"("timestamp":1502787600000001000,"duration":5)",
                             UINT64_MAX, UINT64_MAX},
                    TimeCase{"FarTooLarge", R"("timestamp":1e300,"duration":18446744073709551615)",
                             UINT64_MAX, UINT64_MAX},
                    TimeCase{"DurationOverflows",
                             R"("timestamp":18446744073709551,"duration":1000)",
                             18446744073709551000U, UINT64_MAX}),
    [](const auto& test) { return test.param.name; });

TEST(DecodeZipkinJson, NegativeTimesCostOnlyTheirSpan) {
  Batch batch;
  const auto decoded = DecodeJson("[" + GoodSpan(R"("timestamp":-1)") + "," +
                                      GoodSpan(R"("duration":-0.5)") + "," + GoodSpan("") + "]",
                                  batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->accepted, 1U);
  EXPECT_EQ(decoded->first_rejection,
            "span 0: timestamp is negative; span 1: duration is negative");
}

struct StatusCase {
  const char* name;
  std::string tags;
  std::uint32_t code;
  const char* message;
  TextMap rest;
};

class ZipkinStatus : public testing::TestWithParam<StatusCase> {};

TEST_P(ZipkinStatus, ComesFromTags) {
  Batch batch;
  const Span& span = Only(R"("tags":{)" + GetParam().tags + "}", batch);
  EXPECT_EQ(span.status_code, GetParam().code);
  EXPECT_EQ(span.status_message, GetParam().message);
  EXPECT_EQ(Texts(span.attributes, batch), GetParam().rest);
}

INSTANTIATE_TEST_SUITE_P(
    All, ZipkinStatus,
    testing::Values(
        StatusCase{"None", R"("a":"b")", 0, "", {{"a", "b"}}},
        StatusCase{"True", R"("error":"true")", 2, "", {}},
        StatusCase{"Empty", R"("error":"")", 2, "", {}},
        StatusCase{"Text", R"("error":"rope broke")", 2, "rope broke", {}},
        StatusCase{"False", R"("error":"false")", 0, "", {{"error", "false"}}},
        StatusCase{"Booleans", R"("error":true)", 2, "", {}},
        StatusCase{"Number", R"("error":503)", 2, "", {{"error", "503"}}},
        StatusCase{"Ok", R"("otel.status_code":"OK")", 1, "", {}},
        StatusCase{"CollectorsError",
                   R"("otel.status_code":"STATUS_CODE_ERROR","otel.status_description":"late")",
                   2,
                   "late",
                   {}},
        StatusCase{"TextAndDescription",
                   R"("otel.status_code":"ERROR","otel.status_description":"late","error":"x")",
                   2,
                   "late",
                   {{"error", "x"}}},
        StatusCase{
            "SameTextTwice", R"("error":"late","otel.status_description":"late")", 2, "late", {}},
        StatusCase{"ErrorWinsOverOk", R"("otel.status_code":"Ok","error":"true")", 2, "", {}},
        StatusCase{"UnknownCode",
                   R"("otel.status_code":"MAYBE")",
                   0,
                   "",
                   {{"otel.status_code", "MAYBE"}}}),
    [](const auto& test) { return test.param.name; });

struct KindCase {
  const char* fields;
  std::uint32_t kind;
  TextMap rest;
};

TEST(DecodeZipkinJson, Kinds) {
  const KindCase kCases[] = {
      {R"("kind":"CLIENT")", 3, {}},
      {R"("kind":"SERVER")", 2, {}},
      {R"("kind":"PRODUCER")", 4, {}},
      {R"("kind":"CONSUMER")", 5, {}},
      {R"("kind":"server")", 2, {}},
      {R"("kind":null)", 0, {}},
      {R"("kind":"OTHER")", 0, {}},
      {R"("tags":{"span.kind":"internal"})", 1, {}},
      {R"("tags":{"span.kind":"consumer"})", 5, {}},
      {R"("tags":{"span.kind":"odd"})", 0, {{"span.kind", "odd"}}},
      {R"("kind":"CLIENT","tags":{"span.kind":"server"})", 3, {{"span.kind", "server"}}},
  };
  for (const KindCase& with : kCases) {
    Batch batch;
    const Span& span = Only(with.fields, batch);
    EXPECT_EQ(span.kind, with.kind) << with.fields;
    EXPECT_EQ(Texts(span.attributes, batch), with.rest) << with.fields;
  }
}

TEST(DecodeZipkinJson, TagsOfResourceAndScopeGoThere) {
  Batch batch;
  const Span& span = Only(
      R"("localEndpoint":{"serviceName":"shop"},"tags":{"service.name":"shop","k8s.pod.name":"p",)"
      R"("telemetry.sdk.language":"python","otel.library.name":"z","otel.library.version":"1",)"
      R"("otel.scope.name":"z2","w3c.tracestate":"a=1"})",
      batch);
  EXPECT_EQ(span.attributes.count, 0U);
  EXPECT_EQ(span.trace_state, "a=1");
  ASSERT_EQ(batch.resources.size(), 1U);
  EXPECT_EQ(batch.resources[0].service, "shop");
  EXPECT_EQ(
      Texts(batch.resources[0].attributes, batch),
      (TextMap{
          {"k8s.pod.name", "p"}, {"service.name", "shop"}, {"telemetry.sdk.language", "python"}}));
  ASSERT_EQ(batch.scopes.size(), 1U);
  EXPECT_EQ(batch.scopes[0].name, "z2");
  EXPECT_EQ(batch.scopes[0].version, "1");
}

TEST(DecodeZipkinJson, OneResourceAndScopeForEqualOnes) {
  const std::string shop =
      R"("localEndpoint":{"serviceName":"shop"},"tags":{"otel.scope.name":"z"})";
  Batch batch;
  const auto decoded = DecodeJson(
      "[" + GoodSpan(shop) + "," + GoodSpan(R"("localEndpoint":{"serviceName":"cart"})") + "," +
          GoodSpan(shop) + "," + GoodSpan("") + "," +
          GoodSpan(R"("localEndpoint":{"serviceName":"OTLPResourceNoServiceName"})") + "]",
      batch);
  ASSERT_TRUE(decoded);
  ASSERT_EQ(batch.spans.size(), 5U);
  EXPECT_EQ(batch.resources.size(), 2U);
  EXPECT_EQ(batch.scopes.size(), 1U);
  EXPECT_EQ(batch.spans[0].resource, batch.spans[2].resource);
  EXPECT_EQ(batch.ServiceOf(batch.spans[1]), "cart");
  EXPECT_EQ(batch.spans[3].resource, kNoIndex);
  EXPECT_EQ(batch.spans[4].resource, kNoIndex);
}

TEST(DecodeZipkinJson, TheServicesNameMayStandForAnotherAttribute) {
  Batch batch;
  const Span& span = Only(
      R"("localEndpoint":{"serviceName":"fn"},"tags":{"otlp.service.name.source":"faas.name"})",
      batch);
  EXPECT_EQ(batch.ServiceOf(span), "");
  EXPECT_EQ(Texts(batch.resources.at(0).attributes, batch), (TextMap{{"faas.name", "fn"}}));
}

TEST(DecodeZipkinJson, TheOrderOfTagsChangesNothing) {
  Batch one;
  Batch other;
  const std::uint64_t identity =
      Only(R"("tags":{"b":"2","a":"1","service.version":"1","host.name":"h"})", one).identity;
  const Span& span =
      Only(R"("tags":{"host.name":"h","a":"0","service.version":"1","a":"1","b":"2"})", other);
  EXPECT_EQ(span.identity, identity);
  EXPECT_EQ(Texts(span.attributes, other), (TextMap{{"a", "1"}, {"b", "2"}}));
}

TEST(DecodeZipkinJson, TagsKeepTheirTypes) {
  Batch batch;
  const Span& span = Only(R"("tags":{"i":7,"d":1.5,"b":false,"n":null,"s":"7"})", batch);
  ASSERT_EQ(span.attributes.count, 4U);
  const auto attributes = batch.Of(span.attributes);
  EXPECT_EQ(ReadValue(attributes[0].value()).type, ValueType::kBool);
  EXPECT_EQ(ReadValue(attributes[1].value()).number, 1.5);
  EXPECT_EQ(ReadValue(attributes[2].value()).integer, 7);
  EXPECT_EQ(ReadValue(attributes[3].value()).type, ValueType::kString);
}

struct EventCase {
  std::string value;  // JSON.
  const char* name;
  TextMap attributes;
};

TEST(DecodeZipkinJson, AnnotationsAreEvents) {
  const EventCase kCases[] = {
      {R"("ws")", "ws", {}},
      {R"("")", "", {}},
      {R"("a|b")", "a|b", {}},
      {R"("a|b|3")", "a|b|3", {}},
      {R"("lock|{\"wait\":3,\"who\":\"x|y\",\"deep\":{\"n\":null}}|2")",
       "lock",
       {{"deep", R"({"n":null})"}, {"wait", "3"}, {"who", "x|y"}}},
      {R"("lock|{\"wait\":}|2")", R"(lock|{"wait":}|2)", {}},
      {R"("{\"e\": {\"x\": 1}}")", "e", {{"x", "1"}}},
      {R"("{\"e\": {\"x\": 1}, \"f\": {}}")", R"({"e": {"x": 1}, "f": {}})", {}},
      {R"("{\"e\": 1}")", R"({"e": 1})", {}},
      {R"("{\"e\": {\"x\": 1}} more")", R"({"e": {"x": 1}} more)", {}},
      {R"("{")", "{", {}},
  };
  for (const EventCase& with : kCases) {
    Batch batch;
    const Span& span = Only(R"("annotations":[{"timestamp":2,"value":)" + with.value + "}]", batch);
    ASSERT_EQ(span.events.count, 1U);
    const SpanEvent& event = batch.EventsOf(span)[0];
    EXPECT_EQ(event.name, with.name);
    EXPECT_EQ(event.time_unix_ns, 2000U);
    EXPECT_EQ(Texts(event.attributes, batch), with.attributes) << with.value;
    EXPECT_EQ(span.attributes.count, 0U);
  }
}

TEST(DecodeZipkinJson, LinksComeFromTheCollectorsTags) {
  Batch batch;
  const auto decoded = DecodeJson(
      "[" +
          GoodSpan(R"("tags":{"otlp.link.1":"463ac35c9f6413ad48485a3953bb6124|00f067aa0ba902b7||)"
                   R"({}|0","otlp.link.0":"463ac35c9f6413ad48485a3953bb6124|a2fb4a1d1a96d312|)"
                   R"(k=v|{\"why\":\"a|b\"}|0","otlp.link.2":"short|x||{}|0","otlp.link.x":"y"})") +
          "]",
      batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_EQ(batch.spans.size(), 1U);
  const Span& span = batch.spans[0];
  EXPECT_EQ(decoded->dropped_links, 1U);
  EXPECT_EQ(Texts(span.attributes, batch), (TextMap{{"otlp.link.x", "y"}}));
  ASSERT_EQ(span.links.count, 2U);
  EXPECT_EQ(ToHex(batch.LinksOf(span)[0].span_id), kSpan);
  EXPECT_EQ(batch.LinksOf(span)[0].trace_state, "k=v");
  EXPECT_EQ(Texts(batch.LinksOf(span)[0].attributes, batch), (TextMap{{"why", "a|b"}}));
  EXPECT_EQ(ToHex(batch.LinksOf(span)[1].span_id), "00f067aa0ba902b7");
}

TEST(DecodeZipkinJson, SharedSpansMakeOneBranch) {
  Batch batch;
  const auto decoded = DecodeJson(
      "[" +
          SpanOf(Quoted(kTrace), Quoted("2"),
                 R"("parentId":"1","kind":"SERVER","shared":true,"timestamp":20,"duration":60,)"
                 R"("localEndpoint":{"serviceName":"back"})") +
          "," +
          SpanOf(Quoted(kTrace), Quoted("2"),
                 R"("parentId":"1","kind":"CLIENT","timestamp":10,"duration":80,)"
                 R"("localEndpoint":{"serviceName":"front"})") +
          "," +
          SpanOf(Quoted(kTrace), Quoted("1"),
                 R"("kind":"SERVER","timestamp":1,"duration":100,)"
                 R"("localEndpoint":{"serviceName":"front"})") +
          "]",
      batch);
  ASSERT_TRUE(decoded);
  ASSERT_EQ(batch.spans.size(), 3U);
  EXPECT_NE(batch.spans[0].identity, batch.spans[1].identity);
  const TraceTree tree = BuildTraceTree(batch);
  EXPECT_EQ(tree.order, (std::vector<std::uint32_t>{2, 1, 0}));
  EXPECT_EQ(tree.parent, (std::vector<std::uint32_t>{kNoIndex, 0, 1}));
}

TEST(DecodeZipkinJson, TooMuchCostsOnlyItsSpan) {
  std::string tags = R"("tags":{)";
  std::string annotations = R"("annotations":[)";
  std::string event = R"("annotations":[{"value":"{\"e\":{)";
  for (int i = 0; i < 9; ++i) {
    const std::string comma = i == 0 ? "" : ",";
    tags += comma + '"' + std::to_string(i) + R"(":"x")";
    annotations += comma + R"({"value":"x"})";
    event += comma + R"(\"k)" + std::to_string(i) + R"(\":1)";
  }
  Batch batch;
  const auto decoded = DecodeJson("[" + GoodSpan(tags + "}") + "," + GoodSpan(annotations + "]") +
                                      "," + GoodSpan(event + R"(}}"}])") + "," + GoodSpan("") + "]",
                                  batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->accepted, 1U);
  EXPECT_EQ(decoded->first_rejection,
            "span 0: more than 8 tags; span 1: more than 8 annotations; "
            "span 2: more than 8 attributes");
  EXPECT_TRUE(batch.attributes.empty());
  EXPECT_TRUE(batch.events.empty());
}

TEST(DecodeZipkinJson, TooManySpans) {
  std::string text = "[";
  for (int i = 0; i < 101; ++i) text += (i == 0 ? "" : ",") + GoodSpan("");
  Batch batch;
  const auto decoded = DecodeJson(text + "]", batch);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
  EXPECT_EQ(decoded.error().message, "more than 100 spans in one request");
}

struct BadCase {
  const char* name;
  std::string text;
  const char* message;
};

class ZipkinJsonBad : public testing::TestWithParam<BadCase> {};

TEST_P(ZipkinJsonBad, SaysWhere) {
  Batch batch;
  const auto decoded = DecodeJson(GetParam().text, batch);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kInvalidArgument);
  EXPECT_NE(decoded.error().message.find(GetParam().message), std::string::npos)
      << decoded.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    All, ZipkinJsonBad,
    testing::Values(BadCase{"Empty", "", "byte 0"},
                    BadCase{"Object", "{}", "the request is an object, want an array"},
                    BadCase{"Number", "[1]", "[0]: is a number, want an object"},
                    BadCase{"Trailing", "[] x", "byte 3"},
                    BadCase{"IdIsNumber", "[" + SpanOf("1", "\"1\"", "") + "]",
                            "[0].traceId: is a number, want a string"},
                    BadCase{"TimestampIsText",
                            "[" + GoodSpan("") + "," + GoodSpan(R"("timestamp":"soon")") + "]",
                            "[1].timestamp: is a string that is no integer"},
                    BadCase{"TagsAreAList", "[" + GoodSpan(R"("tags":[])") + "]",
                            "[0].tags: is an array, want an object"},
                    BadCase{"TagIsAnObject", "[" + GoodSpan(R"("tags":{"a":{}})") + "]",
                            "[0].tags.a: is an object, want a string"},
                    BadCase{"AnnotationValue",
                            "[" + GoodSpan(R"("annotations":[{"value":1}])") + "]",
                            "[0].annotations[0].value: is a number, want a string"},
                    BadCase{"DebugIsText", "[" + GoodSpan(R"("debug":"true")") + "]",
                            "[0].debug: is a string, want a boolean"},
                    BadCase{"NoUtf8", "[" + GoodSpan("\"name\":\"\xff\"") + "]", "byte"}),
    [](const auto& test) { return test.param.name; });

TEST(DecodeZipkinProto, BadBytesSayWhere) {
  Batch batch;
  for (const std::string& bytes :
       {Field(1, Fixed(1, 1)), Field(1, Field(5, "\xff")), std::string("\x0a\x7f"),
        Field(1, Field(8, Field(1, "\xff"))), Field(1, Tag("\xff", "")), Number(1, 3)}) {
    const auto decoded = DecodeProto(bytes, batch);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, Errc::kInvalidArgument);
    EXPECT_TRUE(decoded.error().message.starts_with("byte ")) << decoded.error().message;
  }
}

TEST(DecodeZipkinProto, EveryPrefixIsReadWithinIt) {
  samples::ForEachPrefix(FullProto(), [](std::string_view prefix) {
    Batch batch;
    const auto decoded = DecodeZipkinProto(prefix, kOptions, batch);
    EXPECT_TRUE(!decoded || decoded->accepted + decoded->rejected == decoded->received);
  });
}

TEST(DecodeZipkinJson, EveryPrefixIsRefused) {
  const std::string text = FullJson();
  for (std::size_t size = 0; size < text.size(); ++size) {
    Batch batch;
    EXPECT_FALSE(DecodeJson(text.substr(0, size), batch)) << size;
  }
}

}  // namespace
}  // namespace throughline::spans
