#include "logs/loki.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/attribute.h"
#include "logs/loki_labels.h"
#include "bench/protobuf_message.h"
#include "tests/proto/truncation.h"

namespace throughline::logs {
namespace {

using bench::Message;

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kSpan = "b7ad6b7169203331";
constexpr std::string_view kOther = "c413d5b5fea3657325ff663320c7fd10";

std::string Join(const Batch& batch, Range range) {
  std::string all;
  for (const Attribute& attribute : batch.Of(range)) {
    if (!all.empty()) all += ' ';
    all += std::string(attribute.key()) + '=' + ValueText(attribute.value());
  }
  return all;
}

// The batch and what was said of it; the bytes stay with it.
struct Push {
  Batch batch;
  Result<Decoded> decoded = Decoded();

  const LogLine& operator[](std::size_t i) const { return batch.logs.at(i); }
  std::string Body(std::size_t i) const { return ValueText((*this)[i].body); }
  std::string Labels(std::size_t i) const {
    const Resource* const resource = batch.ResourceOf((*this)[i].resource);
    return resource == nullptr ? "none" : Join(batch, resource->attributes);
  }
  std::string Metadata(std::size_t i) const { return Join(batch, (*this)[i].attributes); }
};

constexpr DecodeOptions kKeep{.hash_seed = 7, .keep_unlinked = true};

Push Json(std::string_view text, const DecodeOptions& options = kKeep) {
  Push push;
  push.batch.body = Body::Of(text);
  push.decoded = DecodeLokiJson(push.batch.body.view(), options, push.batch);
  return push;
}

Push Proto(std::string_view bytes, const DecodeOptions& options = kKeep) {
  Push push;
  push.batch.body = Body::Of(bytes);
  push.decoded = DecodeLokiProto(push.batch.body.view(), options, push.batch);
  return push;
}

// {"streams":[{"stream":{labels},"values":[values]}]}
std::string OfStream(std::string_view labels, std::string_view values) {
  return R"({"streams":[{"stream":{)" + std::string(labels) + R"(},"values":[)" +
         std::string(values) + "]}]}";
}

std::string Traced(std::string_view text) {
  return std::string(text) + " trace_id=" + std::string(kTrace);
}

std::string Timestamp(std::int64_t seconds, std::int64_t nanos) {
  Message time;
  time.Varint(1, static_cast<std::uint64_t>(seconds));
  time.Varint(2, static_cast<std::uint64_t>(nanos));
  return time.text();
}

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

std::string Entry(std::string_view time, std::string_view line, const Pairs& metadata = {}) {
  Message entry;
  entry.Bytes(1, time);
  entry.Bytes(2, line);
  for (const auto& [name, value] : metadata) {
    Message pair;
    pair.Bytes(1, name);
    pair.Bytes(2, value);
    entry.Bytes(3, pair.text());
  }
  return entry.text();
}

std::string Stream(std::string_view labels, const std::vector<std::string>& entries) {
  Message stream;
  stream.Bytes(1, labels);
  for (const std::string& entry : entries) stream.Bytes(2, entry);
  stream.Varint(3, 12345);
  return stream.text();
}

std::string Request(const std::vector<std::string>& streams) {
  Message request;
  for (const std::string& stream : streams) request.Bytes(1, stream);
  return request.text();
}

TEST(LokiLabels, EveryFormOfText) {
  struct Case {
    std::string_view text;
    std::string_view pairs;    // "name=value;" each.
    std::string_view problem;  // Empty: good.
  };
  const Case cases[] = {
      {"", "", ""},
      {"{}", "", ""},
      {" { } ", "", ""},
      {R"({app="shop"})", "app=shop;", ""},
      {R"({ app = "shop" , env="x", } )", "app=shop;env=x;", ""},
      {R"({q="a\"b\\c",z="}"})", "q=a\"b\\c;z=};", ""},
      {R"({a='it\'s "x"', b=`raw\n"'`})", "a=it's \"x\";b=raw\\n\"';", ""},
      {R"({weird-label.x="1", "quoted name"="2", 9="3"})", "weird-label.x=1;quoted name=2;9=3;",
       ""},
      {R"({e="\a\b\f\n\r\t\v\x41\101\u00fc\U0001f600"})",
       "e=\a\b\f\n\r\t\v"
       "AA\u00fc\U0001f600;",
       ""},
      {R"({a=""})", "a=;", ""},
      {R"({a="1",a="2"})", "a=1;a=2;", ""},
      {"x", "", "want {"},
      {"{", "", "want a name"},
      {R"({="x"})", "", "want a name"},
      {R"({app})", "", "want = after a name"},
      {R"({app!="x"})", "", "want = after a name"},
      {R"({app=~"x"})", "", "want a quoted value"},
      {R"({app=x})", "", "want a quoted value"},
      {R"({app="a)", "", "a quoted text does not end"},
      {R"({app="a\)", "", "a quoted text does not end"},
      {R"({app="a"; b="c"})", "", "want , or } after a value"},
      {R"({app="a"} x)", "app=a;", "text after the closing }"},
      {R"({app="\q"})", "", "unknown escape"},
      {R"({app="\ud800"})", "", "unknown escape"},
      {R"({app="\777"})", "", "unknown escape"},
      {R"({app="\x4"})", "", "unknown escape"},
      {R"({,})", "", "want a name"},
  };
  for (const Case& c : cases) {
    std::string pairs;
    LokiLabels labels(c.text);
    while (labels.Next()) {
      pairs.append(labels.name()).append("=").append(labels.value()).append(";");
    }
    EXPECT_EQ(labels.problem(), c.problem) << c.text;
    EXPECT_EQ(pairs, c.pairs) << c.text;
    EXPECT_FALSE(labels.Next()) << c.text;
  }
}

TEST(LokiLabels, TruncatedAnywhereNeverReadsOutside) {
  samples::ForEachPrefix(R"({app = "a\"\u00fc\x41",'b'="c", "q"=`r` , })",
                         [](std::string_view text) {
                           LokiLabels labels(text);
                           while (labels.Next()) {
                           }
                         });
}

TEST(LokiJson, LabelsMetadataAndLine) {
  const Push push = Json(OfStream(
      R"("app":"shop","level":"error","weird-label.x":"v\"q\\")",
      R"(["1795381951871000000","{\"message\":\"order \u00ab0\u00bb\"}",)"
      R"({"level":"warn","trace_id":")" +
          std::string(kTrace) + R"(","span_id":")" + std::string(kSpan) + R"("}],["2","plain"])"));
  ASSERT_TRUE(push.decoded) << push.decoded.error().message;
  EXPECT_EQ(push.decoded->received, 2U);
  EXPECT_EQ(push.decoded->accepted, 1U);
  EXPECT_EQ(push.decoded->unlinked, 1U);
  ASSERT_EQ(push.batch.logs.size(), 2U);
  const LogLine& line = push[0];
  EXPECT_EQ(ToHex(line.trace_id), kTrace);
  EXPECT_EQ(ToHex(line.span_id), kSpan);
  EXPECT_EQ(line.found_by, FoundBy::kField);
  EXPECT_EQ(line.time_unix_ns, 1'795'381'951'871'000'000U);
  EXPECT_EQ(line.severity_text, "warn");
  EXPECT_EQ(line.severity_number, 13U);
  EXPECT_EQ(line.service, "shop");
  EXPECT_EQ(push.Body(0), "{\"message\":\"order «0»\"}");
  EXPECT_EQ(push.Labels(0), R"(app=shop level=error weird-label.x=v"q\)");
  EXPECT_EQ(push.Metadata(0),
            "level=warn trace_id=" + std::string(kTrace) + " span_id=" + std::string(kSpan));
  EXPECT_EQ(push[1].severity_text, "error");
  EXPECT_EQ(push[1].time_unix_ns, 2U);
  EXPECT_EQ(push[1].resource, line.resource);
  EXPECT_EQ(push[1].attributes.count, 0U);
  EXPECT_EQ(push.batch.resources.size(), 1U);
}

TEST(LokiJson, TheOldShape) {
  const Push push = Json(
      R"({"streams":[{"labels":"{app=\"a\", q=\"x\\\"y\"}","entries":[)"
      R"({"ts":"2026-01-24T12:00:00.5+01:00","line":"one"},{"line":"two","ts":"1769256000000000000"},)"
      R"({"line":"three"},{"ts":"soon","line":"x"},{"ts":"2026-01-24T12:00:00Z"},7]}]})");
  ASSERT_TRUE(push.decoded) << push.decoded.error().message;
  EXPECT_EQ(push.decoded->received, 6U);
  EXPECT_EQ(push.decoded->rejected, 3U);
  EXPECT_EQ(push.decoded->first_rejection,
            "entry 3: ts is no time; entry 4: line is missing; entry 5: want an object");
  ASSERT_EQ(push.batch.logs.size(), 3U);
  EXPECT_EQ(push.Labels(0), R"(app=a q=x"y)");
  EXPECT_EQ(push[0].time_unix_ns, 1'769'252'400'500'000'000U);
  EXPECT_EQ(push[1].time_unix_ns, 1'769'256'000'000'000'000U);
  EXPECT_EQ(push[2].time_unix_ns, 0U);
  EXPECT_EQ(push.Body(2), "three");
}

TEST(LokiJson, MembersComeInAnyOrder) {
  const std::string values = R"([["1","a"],["2","b",{"k":"v"}]])";
  const std::string stream = R"({"app":"x"})";
  const Push first = Json(R"({"streams":[{"stream":)" + stream + R"(,"values":)" + values + "}]}");
  const Push last = Json(R"({"z":[{}],"streams":[{"more":{"a":[1]},"values":)" + values +
                         R"(,"stream":)" + stream + R"(}],"y":null})");
  ASSERT_TRUE(first.decoded);
  ASSERT_TRUE(last.decoded);
  ASSERT_EQ(first.batch.logs.size(), 2U);
  ASSERT_EQ(last.batch.logs.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(last[i].identity, first[i].identity);
    EXPECT_EQ(last.Labels(i), "app=x");
    EXPECT_EQ(last.Metadata(i), first.Metadata(i));
  }
}

TEST(LokiJson, BadEntriesCostOnlyThemselves) {
  struct Case {
    std::string_view labels;
    std::string_view value;
    std::string_view reason;  // Empty: accepted.
  };
  const Case cases[] = {
      {R"("app":"a")", R"([1795380174493000000,"x"])", ""},
      {R"("app":"a")", R"(["-1","x"])", ""},
      {R"("app":"a")", R"(["1795380174","x"])", ""},
      {"", R"(["1","x"])", ""},
      {R"("a-b.c":"x")", R"(["1","x",{}])", ""},
      {R"("app":"a")", R"(["1",5])", "line is no string"},
      {R"("app":"a")", R"(["soon","x"])", "time is no integer of nanoseconds"},
      {R"("app":"a")", R"([1.5,"x"])", "time is no integer of nanoseconds"},
      {R"("app":"a")", R"(["99999999999999999999","x"])", "time is no integer of nanoseconds"},
      {R"("app":"a")", R"([{},"x"])", "time is no string"},
      {R"("app":"a")", R"(["1"])", "less than two elements"},
      {R"("app":"a")", "[]", "less than two elements"},
      {R"("app":"a")", "{}", "want [time, line]"},
      {R"("app":"a")", R"(["1","x",5])", "structured metadata is no object"},
      {R"("app":"a")", R"(["1","x",{},[1,[2]]])", "more than three elements"},
      {R"("app":"a")", R"(["1","x",{"trace_id":5}])",
       "structured metadata: the value of trace_id is no string"},
      {R"("app":"a")", R"(["1","x",{"a":{"b":"c"}}])",
       "structured metadata: the value of a is no string"},
      {R"("app":1)", R"(["1","x"])", "labels: the value of app is no string"},
      {R"("b":"x","app":{"c":[]})", R"(["1","x"])", "labels: the value of app is no string"},
  };
  for (const Case& c : cases) {
    // A good stream stands before and behind it.
    const std::string good = R"({"stream":{"app":"g"},"values":[["1","good"]]})";
    const Push push = Json(R"({"streams":[)" + good + R"(,{"stream":{)" + std::string(c.labels) +
                           R"(},"values":[)" + std::string(c.value) + "]}," + good + "]}");
    ASSERT_TRUE(push.decoded) << c.value << push.decoded.error().message;
    EXPECT_EQ(push.decoded->received, 3U) << c.value;
    EXPECT_EQ(push.decoded->unlinked, c.reason.empty() ? 3U : 2U) << c.value;
    EXPECT_EQ(push.decoded->first_rejection,
              c.reason.empty() ? "" : "entry 1: " + std::string(c.reason));
    EXPECT_EQ(push.batch.logs.size(), c.reason.empty() ? 3U : 2U) << c.value;
    EXPECT_EQ(push.batch.logs.back().service, "g");
  }
}

TEST(LokiJson, LabelsThatCannotBeReadCostTheirStream) {
  struct Case {
    std::string_view labels;
    std::string_view reason;
  };
  const Case cases[] = {
      {R"("labels":"{app=\"a")", "labels: a quoted text does not end"},
      {R"("labels":5)", "labels: want an object, or text in `labels`"},
      {R"("stream":[])", "labels: want an object, or text in `labels`"},
      {R"("stream":{},"labels":"{}")", "labels: given twice"},
  };
  for (const Case& c : cases) {
    const Push push =
        Json(R"({"streams":[{)" + std::string(c.labels) + R"(,"values":[["1","a"],["2","b"]]}]})");
    ASSERT_TRUE(push.decoded) << c.labels;
    EXPECT_EQ(push.decoded->received, 2U) << c.labels;
    EXPECT_EQ(push.decoded->rejected, 2U) << c.labels;
    EXPECT_EQ(push.decoded->first_rejection,
              "entry 0: " + std::string(c.reason) + "; entry 1: " + std::string(c.reason));
    EXPECT_TRUE(push.batch.logs.empty());
    EXPECT_TRUE(push.batch.attributes.empty());
  }
}

TEST(LokiJson, BodiesThatAreNoPush) {
  struct Case {
    std::string_view text;
    std::string_view message;  // Empty: taken.
  };
  const Case cases[] = {
      {R"({"streams": []})", ""},
      {R"({"streams":null})", ""},
      {R"({"streams":[{"stream":{"a":"b"},"values":null}]})", ""},
      {"{}", ""},
      {"", "json: want an object at byte 0"},
      {"[]", "json: want an object at byte 0"},
      {R"({"streams":{}})", "json: want an array at byte 11"},
      {R"({"streams":[5]})", "json: want an object at byte 12"},
      {R"({"streams":[{"values":{}}]})", "json: want an array at byte 22"},
      {R"({"streams":[{"stream":{},"entries":5}]})", "json: want an array at byte 35"},
      {R"({"streams":[{"stream":{"app":"a"},"val)", "json: string does not end at byte 38"},
      {R"({"streams":[]}x)", "json: bytes after the document at byte 14"},
  };
  for (const Case& c : cases) {
    const Push push = Json(c.text);
    EXPECT_EQ(push.decoded.has_value(), c.message.empty()) << c.text;
    if (!push.decoded) {
      EXPECT_EQ(push.decoded.error().code, Errc::kInvalidArgument);
      EXPECT_EQ(push.decoded.error().message, c.message) << c.text;
    }
  }
}

TEST(LokiJson, IdsInOrder) {
  const auto of = [](std::string_view labels, std::string_view line, std::string_view metadata) {
    Push push = Json(OfStream(
        labels, R"(["1",")" + std::string(line) + R"(",{)" + std::string(metadata) + "}]"));
    return push;
  };
  const std::string trace(kTrace);
  const std::string other(kOther);
  // Metadata, labels, text.
  const Push all = of(R"("traceID":")" + other + '"', "trace_id=00000000000000000000000000000abc",
                      R"("trace_id":")" + trace + '"');
  ASSERT_EQ(all.batch.logs.size(), 1U);
  EXPECT_EQ(ToHex(all[0].trace_id), trace);
  EXPECT_EQ(all[0].related.count, 2U);
  const Push label = of(R"("traceID":")" + other + R"(","span_id":"b7ad6b7169203331")", "x", "");
  EXPECT_EQ(ToHex(label[0].trace_id), other);
  EXPECT_EQ(ToHex(label[0].span_id), kSpan);
  EXPECT_EQ(label[0].found_by, FoundBy::kField);
  const Push text = of(R"("app":"a")", Traced("x"), "");
  EXPECT_EQ(ToHex(text[0].trace_id), trace);
  EXPECT_EQ(text[0].found_by, FoundBy::kKey);
  const Push json = of(R"("app":"a")", R"({\"msg\":\"m\",\"trace_id\":\")" + trace + R"(\"})", "");
  EXPECT_EQ(ToHex(json[0].trace_id), trace);
  // A hash is none.
  EXPECT_FALSE(of(R"("commit":")" + other + '"', other, "")[0].trace_id.IsValid());
}

TEST(LokiJson, ServiceAndSeverity) {
  struct Case {
    std::string_view labels;
    std::string_view metadata;
    std::string_view service;
    std::uint32_t severity;
  };
  const Case cases[] = {
      {R"("service_name":"a","app":"b")", "", "a", 0},
      {R"("app_kubernetes_io_name":"a","level":"WARN")", "", "a", 13},
      {R"("job":"x")", R"("service":"a","severity":"error")", "a", 17},
      {R"("app":"a")", R"("service":"b")", "a", 0},
      {R"("severity":"info","detected_level":"debug")", "", "", 5},
      {R"("level":"warn")", R"("detected_level":"error")", "", 17},
  };
  for (const Case& c : cases) {
    const Push push = Json(OfStream(c.labels, R"(["1","x",{)" + std::string(c.metadata) + "}]"));
    ASSERT_EQ(push.batch.logs.size(), 1U) << c.labels;
    EXPECT_EQ(push[0].service, c.service) << c.labels;
    EXPECT_EQ(push[0].severity_number, c.severity) << c.labels;
  }
}

TEST(LokiJson, InvalidUtf8IsReplaced) {
  const Push push = Json(OfStream("\"app\":\"\xff\"", "[\"1\",\"a\xc3(\"]"));
  ASSERT_TRUE(push.decoded) << push.decoded.error().message;
  ASSERT_EQ(push.batch.logs.size(), 1U);
  EXPECT_EQ(push.Body(0), "a\ufffd(");
  EXPECT_EQ(push.Labels(0), "app=\ufffd");
}

TEST(LokiJson, StreamsWithoutLinesLeaveNothing) {
  const std::string text = R"({"streams":[{"stream":{"app":"a"},"values":[["1","unlinked"]]},)"
                           R"({"stream":{"app":"b"},"values":[["1",")" +
                           Traced("x") + R"("]]},{"stream":{"app":"c"},"values":[]}]})";
  const Push push = Json(text, {.hash_seed = 7});
  ASSERT_TRUE(push.decoded);
  EXPECT_EQ(push.decoded->unlinked, 1U);
  ASSERT_EQ(push.batch.logs.size(), 1U);
  EXPECT_EQ(push.Labels(0), "app=b");
  EXPECT_EQ(push.batch.resources.size(), 1U);
  EXPECT_EQ(push.batch.attributes.size(), 1U);
}

TEST(LokiJson, BoundsAreKept) {
  const DecodeOptions options{
      .hash_seed = 7, .keep_unlinked = true, .records_per_request = 2, .attributes_per_record = 2};
  const Push many = Json(OfStream("", R"(["1","a"],["1","b"],["1","c"])"), options);
  ASSERT_FALSE(many.decoded);
  EXPECT_EQ(many.decoded.error().code, Errc::kTooLarge);
  EXPECT_EQ(many.decoded.error().message, "more than 2 entries in one request");
  const Push metadata = Json(
      OfStream("", R"(["1","a",{"a":"1","b":"2","c":"3"}],["1","b",{"a":"1","b":"2"}])"), options);
  ASSERT_TRUE(metadata.decoded);
  EXPECT_EQ(metadata.decoded->first_rejection,
            "entry 0: more than 2 pieces of structured metadata");
  EXPECT_EQ(metadata.batch.logs.size(), 1U);
  const Push labels = Json(OfStream(R"("a":"1","b":"2","c":"3")", R"(["1","a"])"), options);
  ASSERT_TRUE(labels.decoded);
  EXPECT_EQ(labels.decoded->first_rejection, "entry 0: more than 2 labels");
  const std::string name((64U << 10U) + 1, 'n');
  const Push long_name = Json(OfStream('"' + name + R"(":"1")", R"(["1","a"])"), options);
  ASSERT_TRUE(long_name.decoded);
  EXPECT_EQ(long_name.decoded->first_rejection, "entry 0: labels: a name of more than 64 KiB");
  const Push shown = Json(OfStream('"' + name + R"(":1)", R"(["1","a"])"), options);
  ASSERT_TRUE(shown.decoded);
  EXPECT_LT(shown.decoded->first_rejection.size(), 200U);
}

TEST(LokiJson, TruncatedAnywhereIsRefused) {
  const std::string text =
      R"({"streams":[{"stream":{"app":"a\n"},"values":[["1","line",{"k":"v"}]]},)"
      R"({"entries":[{"ts":"1","line":"x"}],"labels":"{a=\"b\"}"}]})";
  samples::ForEachPrefix(text, [&](std::string_view prefix) {
    Batch batch;
    const auto decoded = DecodeLokiJson(prefix, kKeep, batch);
    EXPECT_EQ(decoded.has_value(), prefix.size() == text.size()) << prefix;
  });
}

TEST(LokiProto, StreamsEntriesAndMetadata) {
  const Push push = Proto(
      Request({Stream(R"({app="shop", q="a\"b\\c", svc="s0"})",
                      {Entry(Timestamp(1'795'382'172, 411'040'467), Traced("order «0»")),
                       Entry(Timestamp(1, 5), "x", {{"trace_id", kOther}, {"level", "error"}})}),
               Stream("{}", {Entry("", "no time")})}));
  ASSERT_TRUE(push.decoded) << push.decoded.error().message;
  EXPECT_EQ(push.decoded->received, 3U);
  EXPECT_EQ(push.decoded->accepted, 2U);
  ASSERT_EQ(push.batch.logs.size(), 3U);
  EXPECT_EQ(push[0].time_unix_ns, 1'795'382'172'411'040'467U);
  EXPECT_EQ(ToHex(push[0].trace_id), kTrace);
  EXPECT_EQ(push[0].found_by, FoundBy::kKey);
  EXPECT_EQ(push[0].service, "shop");
  EXPECT_EQ(push.Labels(0), R"(app=shop q=a"b\c svc=s0)");
  EXPECT_EQ(push.Body(0), Traced("order «0»"));
  EXPECT_EQ(ToHex(push[1].trace_id), kOther);
  EXPECT_EQ(push[1].found_by, FoundBy::kField);
  EXPECT_EQ(push[1].severity_number, 17U);
  EXPECT_EQ(push.Metadata(1), "trace_id=" + std::string(kOther) + " level=error");
  EXPECT_EQ(push[1].resource, push[0].resource);
  EXPECT_EQ(push.Labels(2), "none");
  EXPECT_EQ(push[2].time_unix_ns, 0U);
}

TEST(LokiProto, EqualToJson) {
  const Push json =
      Json(OfStream(R"("app":"a","level":"info")",
                    R"(["1700000000000000001","one"],["1700000000000000002","two",{"trace_id":")" +
                        std::string(kTrace) + R"("}])"));
  const Push proto =
      Proto(Request({Stream(R"({app="a", level="info"})",
                            {Entry(Timestamp(1'700'000'000, 1), "one"),
                             Entry(Timestamp(1'700'000'000, 2), "two", {{"trace_id", kTrace}})})}));
  ASSERT_EQ(json.batch.logs.size(), 2U);
  ASSERT_EQ(proto.batch.logs.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(proto[i].identity, json[i].identity);
}

TEST(LokiProto, LabelsMayComeLast) {
  Message stream;
  stream.Bytes(2, Entry(Timestamp(1, 1), "x"));
  stream.Bytes(1, R"({app="a"})");
  Message request;
  request.Bytes(2, "a later field");
  request.Bytes(1, stream.text());
  const Push push = Proto(request.text());
  ASSERT_TRUE(push.decoded);
  ASSERT_EQ(push.batch.logs.size(), 1U);
  EXPECT_EQ(push.Labels(0), "app=a");
}

TEST(LokiProto, TimesAtTheEdges) {
  struct Case {
    std::int64_t seconds;
    std::int64_t nanos;
    std::uint64_t unix_ns;
    bool accepted = true;
  };
  const Case cases[] = {
      {1'795'380'174, -5, 1'795'380'173'999'999'995U},
      {-1, 0, 0},
      {0, -1, 0},
      {INT64_MIN, 0, 0},
      {18'446'744'073, 709'551'615, UINT64_MAX},
      {18'446'744'073, 709'551'616, 0, false},
      {INT64_MAX, 0, 0, false},
  };
  for (const Case& c : cases) {
    const Push push = Proto(Request({Stream("{}", {Entry(Timestamp(c.seconds, c.nanos), "x")})}));
    ASSERT_TRUE(push.decoded);
    EXPECT_EQ(push.decoded->rejected, c.accepted ? 0U : 1U) << c.seconds;
    ASSERT_EQ(push.batch.logs.size(), c.accepted ? 1U : 0U) << c.seconds;
    if (!c.accepted) continue;
    EXPECT_EQ(push[0].time_unix_ns, c.unix_ns) << c.seconds;
  }
}

TEST(LokiProto, BadLabelsCostTheirStreamAndBadBytesAreReplaced) {
  const Push push = Proto(
      Request({Stream(R"({app="a)", {Entry(Timestamp(1, 0), "x")}),
               Stream("{app=\"a\xff\"}",
                      {Entry(Timestamp(1, 0), "\xff\xfe " + Traced("x"), {{"k\xff", "v"}})})}));
  ASSERT_TRUE(push.decoded);
  EXPECT_EQ(push.decoded->first_rejection, "entry 0: labels: a quoted text does not end");
  ASSERT_EQ(push.batch.logs.size(), 1U);
  EXPECT_EQ(push.Body(0), "\ufffd\ufffd " + Traced("x"));
  EXPECT_EQ(push.Labels(0), "app=a\ufffd");
  EXPECT_EQ(push.Metadata(0), "k\ufffd=v");
}

TEST(LokiProto, BrokenMessagesAreRefusedWithThePlace) {
  const Push wrong_type = Proto(std::string("\x0a\x02\x10\x05", 4));
  ASSERT_FALSE(wrong_type.decoded);
  EXPECT_EQ(wrong_type.decoded.error().code, Errc::kInvalidArgument);
  EXPECT_EQ(wrong_type.decoded.error().message, "byte 2: field 2: want wire type 2");
  EXPECT_FALSE(Proto("\x0a\xff\xff").decoded);
}

TEST(LokiProto, TruncatedAnywhereNeverReadsOutside) {
  const std::string bytes =
      Request({Stream(R"({app="a"})", {Entry(Timestamp(1'700'000'000, 1), "one", {{"a", "b"}})})});
  samples::ForEachPrefix(bytes, [&](std::string_view prefix) {
    Batch batch;
    const auto decoded = DecodeLokiProto(prefix, kKeep, batch);
    EXPECT_EQ(decoded.has_value(), prefix.empty() || prefix.size() == bytes.size());
  });
}

}  // namespace
}  // namespace throughline::logs
