#include "logs/lines.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/attribute.h"
#include "correlate/hash.h"

namespace throughline::logs {
namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kSpan = "b7ad6b7169203331";
constexpr std::string_view kOther = "c413d5b5fea3657325ff663320c7fd10";

// The batch and what was said of it; the bytes stay with it.
struct Lines {
  Batch batch;
  Result<Decoded> decoded = Decoded();

  const LogLine& operator[](std::size_t i) const { return batch.logs.at(i); }
  std::string Body(std::size_t i) const { return ValueText((*this)[i].body); }
  // "key=value key=value", in order.
  std::string Attributes(std::size_t i) const {
    std::string all;
    for (const Attribute& attribute : batch.Of((*this)[i].attributes)) {
      if (!all.empty()) all += ' ';
      all += std::string(attribute.key()) + '=' + ValueText(attribute.value());
    }
    return all;
  }
};

Lines Decode(std::string_view text, LineFormat format, DecodeOptions options = {.hash_seed = 7}) {
  Lines lines;
  lines.batch.body = Body::Of(text);
  lines.decoded = DecodeLines(lines.batch.body.view(), format, options, lines.batch);
  return lines;
}

Lines Keep(std::string_view text, LineFormat format = LineFormat::kNdjson) {
  return Decode(text, format, {.hash_seed = 7, .keep_unlinked = true});
}

std::string WithTrace(std::string_view members) {
  return "{\"trace_id\":\"" + std::string(kTrace) + "\"," + std::string(members) + "}";
}

// With the ids in the place of $T, $S and $O.
std::string Fill(std::string text) {
  const auto replace = [&](std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
      text.replace(at, what.size(), with);
    }
  };
  replace("$T", kTrace);
  replace("$S", kSpan);
  replace("$O", kOther);
  return text;
}

TEST(DecodeLines, JsonFieldsBecomeTheModel) {
  const Lines lines = Keep(
      R"({"time":"2026-01-24T12:00:00.5Z","level":"warn","msg":"order late","n":3,"trace_id":")" +
      std::string(kTrace) + R"(","span_id":")" + std::string(kSpan) +
      R"(","service":"desk","ratio":0.25,"ok":true,"none":null,"in":{"a":[1,"x"]}})");
  ASSERT_TRUE(lines.decoded);
  EXPECT_EQ(lines.decoded->received, 1U);
  EXPECT_EQ(lines.decoded->accepted, 1U);
  const LogLine& line = lines[0];
  EXPECT_EQ(ToHex(line.trace_id), kTrace);
  EXPECT_EQ(ToHex(line.span_id), kSpan);
  EXPECT_EQ(line.found_by, FoundBy::kField);
  EXPECT_EQ(line.time_unix_ns, 1'769'256'000'500'000'000U);
  EXPECT_EQ(line.severity_number, 13U);
  EXPECT_EQ(line.severity_text, "warn");
  EXPECT_EQ(line.service, "desk");
  EXPECT_EQ(lines.Body(0), "order late");
  EXPECT_EQ(lines.Attributes(0), "n=3 trace_id=" + std::string(kTrace) +
                                     " span_id=" + std::string(kSpan) +
                                     R"( service=desk ratio=0.25 ok=true none= in={"a":[1,"x"]})");
}

TEST(DecodeLines, NumbersAreExact) {
  const Lines lines =
      Keep(R"({"a":9223372036854775807,"b":-9223372036854775808,"c":9223372036854775808,"d":1.5,)"
           R"("e":1e400,"f":-0,"g":123456789012345678901234567890})");
  ASSERT_EQ(lines.batch.logs.size(), 1U);
  const auto attributes = lines.batch.Of(lines[0].attributes);
  const ValueType types[] = {ValueType::kInt,    ValueType::kInt,    ValueType::kString,
                             ValueType::kDouble, ValueType::kString, ValueType::kDouble,
                             ValueType::kString};
  ASSERT_EQ(attributes.size(), std::size(types));
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    EXPECT_EQ(ReadValue(attributes[i].value()).type, types[i]) << attributes[i].key();
  }
  EXPECT_EQ(ReadValue(attributes[0].value()).integer, INT64_MAX);
  EXPECT_EQ(ReadValue(attributes[1].value()).integer, INT64_MIN);
  EXPECT_EQ(ValueText(attributes[2].value()), "9223372036854775808");
}

TEST(DecodeLines, RolesByPreference) {
  // One text, one time, one severity; what does not serve stays an attribute.
  const Lines lines = Keep(
      R"({"message":"second","log":"first","ts":12.5,"time":1769256000,"severity":"x","level":30})"
      "\n"
      R"({"log":{"level":"info"},"body":7,"msg":"text","timestamp":"soon","level":{"a":1}})"
      "\n"
      R"({"log.level":"ERROR","@timestamp":"2026-01-24T12:00:00Z","event":"no text"})");
  ASSERT_EQ(lines.batch.logs.size(), 3U);
  EXPECT_EQ(lines.Body(0), "first");
  EXPECT_EQ(lines[0].time_unix_ns, 1'769'256'000'000'000'000U);
  EXPECT_EQ(lines[0].severity_number, 9U);
  EXPECT_EQ(lines.Attributes(0), "message=second ts=12.5 severity=x");
  EXPECT_EQ(lines.Body(1), "text");
  EXPECT_EQ(lines[1].time_unix_ns, 0U);
  EXPECT_EQ(lines[1].severity_number, 9U);
  EXPECT_EQ(lines.Attributes(1), R"(log={"level":"info"} body=7 level={"a":1} timestamp=soon)");
  EXPECT_EQ(lines[2].severity_number, 17U);
  EXPECT_EQ(lines[2].time_unix_ns, 1'769'256'000'000'000'000U);
  EXPECT_EQ(lines.Body(2),
            R"({"log.level":"ERROR","@timestamp":"2026-01-24T12:00:00Z","event":"no text"})");
}

TEST(DecodeLines, ElasticsFieldsNestedAndDotted) {
  struct Case {
    const char* name;
    const char* line;
    std::uint32_t severity_number;
    const char* severity_text;
    const char* attributes;
  };
  const Case cases[] = {
      {"Nested", R"({"log":{"level":"error"},"message":"x","trace":{"id":"$T"}})", 17, "error",
       R"(log={"level":"error"} trace={"id":"$T"})"},
      {"Dotted", R"({"log.level":"error","message":"x","trace.id":"$T"})", 17, "error",
       "trace.id=$T"},
      {"NestedWithMore",
       R"({"message":"x","log":{"logger":"a.B","level":"WARN","origin":{}},"trace":{"id":"$T"}})",
       13, "WARN", R"(log={"logger":"a.B","level":"WARN","origin":{}} trace={"id":"$T"})"},
      {"AnyCase", R"({"Log":{"Level":"Error"},"Message":"x","trace":{"id":"$T"}})", 17, "Error",
       R"(Log={"Level":"Error"} trace={"id":"$T"})"},
      {"DottedBeforeNested",
       R"({"log":{"level":"info"},"log.level":"error","message":"x","trace.id":"$T"})", 17, "error",
       R"(log={"level":"info"} trace.id=$T)"},
      {"LevelBeforeNested",
       R"({"log":{"level":"info"},"level":"odd","message":"x","trace.id":"$T"})", 0, "odd",
       R"(log={"level":"info"} trace.id=$T)"},
      {"NestedUnknown", R"({"log":{"level":"odd"},"message":"x","trace.id":"$T"})", 0, "odd",
       R"(log={"level":"odd"} trace.id=$T)"},
      {"NestedIsNoText", R"({"log":{"level":{"a":1}},"message":"x","trace.id":"$T"})", 0, "",
       R"(log={"level":{"a":1}} trace.id=$T)"},
      {"NotInAnother", R"({"a":{"log":{"level":"error"}},"message":"x","trace.id":"$T"})", 0, "",
       R"(a={"log":{"level":"error"}} trace.id=$T)"},
  };
  for (const Case& c : cases) {
    const Lines lines = Keep(Fill(c.line));
    ASSERT_EQ(lines.batch.logs.size(), 1U) << c.name;
    EXPECT_EQ(lines[0].severity_number, c.severity_number) << c.name;
    EXPECT_EQ(lines[0].severity_text, c.severity_text) << c.name;
    EXPECT_EQ(lines.Body(0), "x") << c.name;
    EXPECT_EQ(lines.Attributes(0), Fill(c.attributes)) << c.name;
    EXPECT_EQ(ToHex(lines[0].trace_id), kTrace) << c.name;
    EXPECT_EQ(lines[0].found_by, FoundBy::kField) << c.name;
  }
}

TEST(DecodeLines, ServiceByPreference) {
  struct Case {
    const char* members;
    const char* service;
  };
  const Case cases[] = {
      {R"("service.name":"a","service":"b")", "a"},
      {R"("app":"d","service_name":"a")", "a"},
      {R"("service":{"name":"a","version":"1"})", "a"},
      {R"("app":"a")", "a"},
      {R"("kubernetes":{"labels":{"app":"b","app.kubernetes.io/name":"a"},"host":"h"})", "a"},
      {R"("kubernetes":{"pod_name":"p"},"dd":{"service":"a"})", "a"},
      {R"("service":"","app":7)", ""},
      {R"("name":"x")", ""},
  };
  for (const Case& c : cases) {
    const Lines lines = Keep("{" + std::string(c.members) + "}");
    ASSERT_EQ(lines.batch.logs.size(), 1U) << c.members;
    EXPECT_EQ(lines[0].service, c.service) << c.members;
  }
}

struct IdCase {
  const char* name;
  std::string line;
  std::string trace_id;  // Empty: none.
  std::string span_id;
  FoundBy found_by = FoundBy::kField;
};

TEST(DecodeLines, FindsIds) {
  const std::string trace(kTrace);
  const std::string span(kSpan);
  const IdCase cases[] = {
      {"TopLevel", R"({"traceId":"$T","spanId":"$S"})", trace, span},
      {"Nested", R"({"otel":{"trace_id":"$T","span_id":"$S"}})", trace, span},
      {"TraceObject", R"({"trace":{"id":"$T"},"span":{"id":"$S"}})", trace, span},
      {"DottedKeys", R"({"trace.id":"$T","span.id":"$S"})", trace, span},
      {"Datadog", R"({"dd":{"trace_id":"8046148960688920053","span_id":"8046148960688920053"}})",
       "00000000000000006fa9a9d973bdd5f5", "6fa9a9d973bdd5f5"},
      {"DatadogNumber", R"({"dd":{"trace_id":8046148960688920053,"span_id":8046148960688920053}})",
       "00000000000000006fa9a9d973bdd5f5", "6fa9a9d973bdd5f5"},
      {"Header", R"({"headers":{"uber-trace-id":"$T:$S:0:01"}})", trace, span},
      {"Traceparent", R"({"traceparent":"00-$T-$S-01"})", trace, span},
      {"ShallowestFirst", R"({"upstream":{"trace_id":"$O"},"trace_id":"$T"})", trace, ""},
      {"SpanOfTheSameMap",
       R"({"span_id":"00000000000000ff","ctx":{"trace_id":"$T","span_id":"$S"}})", trace, span},
      {"TextOfTheMessage", R"({"msg":"x trace_id=$T span_id=$S y"})", trace, span, FoundBy::kKey},
      {"EscapedMessage", R"({"msg":"x\ttrace_id=$T\tspan_id=$S\n"})", trace, span, FoundBy::kKey},
      {"JsonInTheMessage", R"({"log":"{\"trace_id\":\"$T\",\"span_id\":\"$S\"}"})", trace, span,
       FoundBy::kKey},
      {"ShapeInTheMessage", R"({"msg":"got 00-$T-$S-01"})", trace, span, FoundBy::kShape},
      {"OtherText", R"({"msg":"done","detail":["at trace_id=$T"]})", trace, "", FoundBy::kKey},
      {"FieldBeforeText", R"({"msg":"trace_id=$O","trace_id":"$T"})", trace, ""},
      {"BadFieldThenText", R"({"trace_id":"none","msg":"trace_id=$T"})", trace, "", FoundBy::kKey},
      {"NullField", R"({"trace_id":null,"span_id":null})", "", "", FoundBy::kNone},
      {"ZeroField", R"({"trace_id":"00000000000000000000000000000000"})", "", "", FoundBy::kNone},
      {"HashIsNone", R"({"sha":"$T","etag":"$T","msg":"$T"})", "", "", FoundBy::kNone},
      {"PlainText", "WARN [trace_id=$T span_id=$S] late", trace, span, FoundBy::kKey},
      {"BrokenJsonIsText", R"({"trace_id":"$T","msg":"cut)", trace, "", FoundBy::kKey},
  };
  for (const IdCase& c : cases) {
    const Lines lines = Keep(Fill(c.line));
    ASSERT_EQ(lines.batch.logs.size(), 1U) << c.name;
    const LogLine& line = lines[0];
    EXPECT_EQ(line.trace_id.IsValid() ? ToHex(line.trace_id) : "", c.trace_id) << c.name;
    EXPECT_EQ(line.span_id.IsValid() ? ToHex(line.span_id) : "", c.span_id) << c.name;
    EXPECT_EQ(line.found_by, c.found_by) << c.name;
  }
}

TEST(DecodeLines, FurtherIdsAreRelated) {
  const Lines lines = Keep(Fill(R"({"trace_id":"$T","msg":"after trace_id=$O and trace_id=$T"})"));
  ASSERT_EQ(lines.batch.logs.size(), 1U);
  const auto related = lines.batch.RelatedOf(lines[0]);
  ASSERT_EQ(related.size(), 1U);
  EXPECT_EQ(ToHex(related[0].trace_id), kOther);
}

TEST(DecodeLines, SampledOnlyByEvidence) {
  const auto sampled = [](std::string_view line) {
    const Lines lines = Keep(Fill(std::string(line)));
    return lines.batch.logs.size() == 1 ? lines[0].sampled : Sampled::kUnknown;
  };
  EXPECT_EQ(sampled(R"({"traceparent":"00-$T-$S-00"})"), Sampled::kNo);
  EXPECT_EQ(sampled(R"({"trace_id":"$T","trace_sampled":false})"), Sampled::kNo);
  EXPECT_EQ(sampled(R"({"trace_id":"$T","trace_flags":"00"})"), Sampled::kUnknown);
  EXPECT_EQ(sampled("trace_id=$T trace_sampled=False"), Sampled::kNo);
  EXPECT_EQ(sampled("trace_id=$T"), Sampled::kUnknown);
}

TEST(DecodeLines, LinesAreCutAtNewlines) {
  const std::string id = "trace_id=" + std::string(kTrace);
  const Lines lines = Keep("one " + id + "\r\n\n \t\n\r\ntwo\n{\"msg\":\"three\"}\r\n[1]\nlast",
                           LineFormat::kNdjson);
  ASSERT_TRUE(lines.decoded);
  EXPECT_EQ(lines.decoded->received, 5U);
  EXPECT_EQ(lines.decoded->accepted, 1U);
  EXPECT_EQ(lines.decoded->unlinked, 4U);
  EXPECT_EQ(lines.Body(0), "one " + id);
  EXPECT_EQ(lines.Body(2), "three");
  EXPECT_EQ(lines.Body(3), "[1]");
  EXPECT_EQ(lines.Body(4), "last");
}

TEST(DecodeLines, TextIsNeverParsed) {
  const Lines lines = Keep(WithTrace(R"("msg":"x")"), LineFormat::kText);
  ASSERT_EQ(lines.batch.logs.size(), 1U);
  EXPECT_EQ(lines.Body(0), WithTrace(R"("msg":"x")"));
  EXPECT_EQ(lines[0].attributes.count, 0U);
  EXPECT_EQ(lines[0].found_by, FoundBy::kKey);
}

TEST(DecodeLines, UnlinkedLinesAreCountedAndDropped) {
  const Lines lines =
      Decode("{\"a\":1}\nplain\n" + WithTrace("\"b\":2") + "\n", LineFormat::kNdjson);
  ASSERT_TRUE(lines.decoded);
  EXPECT_EQ(lines.decoded->received, 3U);
  EXPECT_EQ(lines.decoded->unlinked, 2U);
  EXPECT_EQ(lines.decoded->accepted, 1U);
  ASSERT_EQ(lines.batch.logs.size(), 1U);
  EXPECT_EQ(lines.batch.attributes.size(), 2U) << "those of dropped lines are dropped too";
  EXPECT_EQ(lines.Attributes(0), "trace_id=" + std::string(kTrace) + " b=2");
}

TEST(DecodeLines, ArraysOfObjectsAndTexts) {
  const Lines lines = Keep(" [ " + WithTrace("\"msg\":\"a\"") + " , \"text \\u00e9\", 5, {} ]\n",
                           LineFormat::kJsonArray);
  ASSERT_TRUE(lines.decoded);
  EXPECT_EQ(lines.decoded->received, 4U);
  EXPECT_EQ(lines.decoded->rejected, 1U);
  EXPECT_EQ(lines.decoded->first_rejection, "line 2: neither an object nor a string");
  ASSERT_EQ(lines.batch.logs.size(), 3U);
  EXPECT_EQ(lines.Body(0), "a");
  EXPECT_EQ(lines.Body(1), "text \u00e9");
  EXPECT_EQ(lines.Attributes(0), "trace_id=" + std::string(kTrace))
      << "what is refused takes nothing from its neighbours";
}

TEST(DecodeLines, ObjectsWithoutAnArray) {
  for (const char* between : {"", "\n", " "}) {
    const Lines lines =
        Keep(WithTrace("\"n\":1") + between + WithTrace("\"n\":2"), LineFormat::kJsonArray);
    ASSERT_TRUE(lines.decoded) << lines.decoded.error().message;
    EXPECT_EQ(lines.decoded->accepted, 2U);
  }
}

TEST(DecodeLines, BrokenArraysAreRefusedWithThePlace) {
  for (const std::string_view text :
       {"", "[", "[{}", "[{},]", "[{}]x", "[{\"a\":]", "5", "\"x\"", "{}]"}) {
    const Lines lines = Keep(text, LineFormat::kJsonArray);
    ASSERT_FALSE(lines.decoded) << text;
    EXPECT_EQ(lines.decoded.error().code, Errc::kInvalidArgument);
    EXPECT_NE(lines.decoded.error().message.find("at byte"), std::string::npos);
  }
}

TEST(DecodeLines, InvalidUtf8IsReplacedInText) {
  const Lines lines =
      Keep("caf\xe9 trace_id=" + std::string(kTrace) + "\n{\"msg\":\"\xff\"}\nplain \u00e9");
  ASSERT_EQ(lines.batch.logs.size(), 3U);
  EXPECT_EQ(lines.Body(0), "caf\ufffd trace_id=" + std::string(kTrace));
  EXPECT_EQ(ToHex(lines[0].trace_id), kTrace);
  EXPECT_EQ(lines.Body(1), "{\"msg\":\"\ufffd\"}");
  EXPECT_EQ(lines.Body(2), "plain \u00e9");
}

TEST(DecodeLines, DeepNestingIsText) {
  const std::string deep = "{\"a\":" + std::string(100, '[') + std::string(100, ']') +
                           ",\"trace_id\":\"" + std::string(kTrace) + "\"}";
  const Lines lines = Keep(deep);
  ASSERT_EQ(lines.batch.logs.size(), 1U);
  EXPECT_EQ(lines.Body(0), deep);
  EXPECT_EQ(lines.batch.attributes.size(), 0U);
  EXPECT_EQ(ToHex(lines[0].trace_id), kTrace);
}

TEST(DecodeLines, IdentitiesRepeatWithTheRequest) {
  const std::string timed = WithTrace(R"("time":"2026-01-24T12:00:00Z","msg":"x")") + "\n";
  const std::string plain = "trace_id=" + std::string(kTrace) + "\n";
  const std::string untimed = WithTrace(R"("msg":"x")") + "\n";
  // Two equal lines: the same record when timed, two records when not.
  const Lines lines = Keep(timed + timed + plain + plain + untimed + untimed);
  const Lines again = Keep(timed + timed + plain + plain + untimed + untimed);
  ASSERT_EQ(lines.batch.logs.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(lines[i].identity, again[i].identity) << i;
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_EQ(lines[i].identity == lines[j].identity, i == 1 && j == 0) << i << ' ' << j;
    }
  }
  EXPECT_NE(Keep(plain)[0].identity, lines[2].identity) << "another request";
  EXPECT_EQ(Keep(timed)[0].identity, lines[0].identity) << "the same record in another request";
}

TEST(DecodeLines, BoundsAreKept) {
  const std::string line = WithTrace(R"("a":1,"b":2)") + "\n";
  const Lines many = Decode(line + line + line, LineFormat::kNdjson, {.records_per_request = 2});
  ASSERT_FALSE(many.decoded);
  EXPECT_EQ(many.decoded.error().code, Errc::kTooLarge);
  const Lines wide = Decode(line + "{\"trace_id\":\"" + std::string(kTrace) + "\"}",
                            LineFormat::kNdjson, {.attributes_per_record = 2});
  ASSERT_TRUE(wide.decoded);
  EXPECT_EQ(wide.decoded->rejected, 1U);
  EXPECT_EQ(wide.decoded->accepted, 1U);
  EXPECT_EQ(wide.decoded->first_rejection, "line 0: more than 2 attributes");
  EXPECT_EQ(wide.batch.attributes.size(), 1U);
}

TEST(DecodeLines, TruncatedAnywhereNeverReadsOutside) {
  const std::string text = WithTrace(R"("msg":"a\u00e9","n":[1.5e3,{"k":"v"}],"t":true)");
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const Lines lines = Keep(text.substr(0, size));
    ASSERT_TRUE(lines.decoded);
    EXPECT_EQ(lines.batch.logs.size(), size == 0 ? 0U : 1U);
  }
}

TEST(DecodeLines, PaddingOfRotatedFilesIsLeftOut) {
  const std::string text = "{\"a\":1}\n" + std::string(4096, '\0') + WithTrace("\"msg\":\"x\"") +
                           "\n" + std::string(7, '\0') + "\ntext trace_id=" + std::string(kOther) +
                           std::string(3, '\0');
  const Lines lines = Decode(text, LineFormat::kNdjson);
  ASSERT_TRUE(lines.decoded);
  EXPECT_EQ(lines.decoded->received, 3U);
  EXPECT_EQ(lines.decoded->unlinked, 1U);
  ASSERT_EQ(lines.batch.logs.size(), 2U);
  EXPECT_EQ(lines.Body(0), "x");
  EXPECT_EQ(ToHex(lines[1].trace_id), kOther);
}

TEST(DecodeLines, LinesOfAFileAreTheirPlaces) {
  const std::string first = "same trace_id=" + std::string(kTrace) + "\n";
  const std::string text = first + first + WithTrace("\"time\":1769256000") + "\n" +
                           WithTrace("\"time\":1769256000") + "\n";
  const auto identities = [](std::string_view bytes, LineSource source) {
    Batch batch;
    batch.body = Body::Of(bytes);
    EXPECT_TRUE(
        DecodeLines(batch.body.view(), LineFormat::kNdjson, {.hash_seed = 7}, batch, source));
    std::vector<std::uint64_t> all;
    for (const LogLine& line : batch.logs) all.push_back(line.identity);
    return all;
  };
  const auto whole = identities(text, {.id = 9, .offset = 100});
  ASSERT_EQ(whole.size(), 4U);
  EXPECT_EQ(std::set<std::uint64_t>(whole.begin(), whole.end()).size(), 4U);
  // However they are cut.
  auto cut = identities(std::string_view(text).substr(0, first.size()), {.id = 9, .offset = 100});
  const auto rest = identities(std::string_view(text).substr(first.size()),
                               {.id = 9, .offset = 100 + first.size()});
  cut.insert(cut.end(), rest.begin(), rest.end());
  EXPECT_EQ(cut, whole);
  // Another file, another line; other content at the same place too.
  EXPECT_NE(identities(text, {.id = 8, .offset = 100}), whole);
  EXPECT_NE(identities("x " + first, {.id = 9, .offset = 100})[0], whole[0]);
}

}  // namespace
}  // namespace throughline::logs
