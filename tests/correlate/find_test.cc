#include "correlate/find.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace throughline {
namespace {

// In the lines T is a trace id, S a span id, U another trace id and V its span.
constexpr char kT[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kS[] = "00f067aa0ba902b7";
constexpr char kU[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kV[] = "b7ad6b7169203331";
constexpr char kEsc = '\x1b';

// {T}, {S}, {U}, {V} become the ids, {E} the escape byte.
std::string Line(std::string_view text) {
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 2 < text.size() && text[i] == '{' && text[i + 2] == '}') {
      const std::size_t size = line.size();
      switch (text[i + 1]) {
        case 'T': line += kT; break;
        case 'S': line += kS; break;
        case 'U': line += kU; break;
        case 'V': line += kV; break;
        case 'E': line += kEsc; break;
        default: break;
      }
      if (line.size() > size) {
        i += 2;
        continue;
      }
    }
    line += text[i];
  }
  return line;
}

std::string Show(const FoundIds& found) {
  std::string text;
  for (std::size_t i = 0; i < found.count; ++i) {
    if (i > 0) text += ' ';
    const Resolved& id = found.ids[i].id;
    const std::string trace = ToHex(id.trace_id);
    text += trace == kT ? "{T}" : trace == kU ? "{U}" : trace;
    if (!id.span_id.IsValid()) continue;
    const std::string span = ToHex(id.span_id);
    text += "/" + (span == kS ? "{S}" : span == kV ? "{V}" : span);
  }
  return text;
}

struct Case {
  const char* name;
  const char* line;
  std::string ids = "{T}";  // Trace and span of each; empty: none.
  FoundBy found_by = FoundBy::kKey;
  const char* key = nullptr;  // As written, if it is checked.
  Sampled sampled = Sampled::kUnknown;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name << ": " << one.line; }

class FindTest : public testing::TestWithParam<Case> {};

void Check(const Case& one, const std::string& line, const FoundIds& found) {
  EXPECT_EQ(Show(found), one.ids);
  EXPECT_EQ(found.sampled, one.sampled);
  for (std::size_t i = 0; i < found.count; ++i) {
    EXPECT_EQ(found.ids[i].found_by, one.found_by);
    EXPECT_LE(found.ids[i].offset + found.ids[i].length, line.size());
  }
  if (one.key != nullptr && found.count > 0) {
    EXPECT_EQ(found.ids[0].key, one.key);
  }
}

TEST_P(FindTest, Finds) {
  const std::string line = Line(GetParam().line);
  FoundIds found;
  FindIds(line, found);
  Check(GetParam(), line, found);
}

TEST_P(FindTest, FindsByThePortableScan) {
  const std::string line = Line(GetParam().line);
  FoundIds found;
  FindIdsPortable(line, found);
  Check(GetParam(), line, found);
}

// Wherever the line stands among the blocks of the scan.
TEST_P(FindTest, FindsAtEveryPlace) {
  for (std::size_t before = 0; before < 70; ++before) {
    for (const std::size_t after : {0U, 1U, 40U}) {
      const std::string text = Line(GetParam().line);
      if (after > 0 && text.ends_with("\"" + std::string(kT))) continue;  // Cut off no longer.
      const std::string line = std::string(before, ' ') + text + std::string(after, ' ');
      FoundIds found;
      FindIds(line, found);
      ASSERT_EQ(Show(found), GetParam().ids) << before << " before, " << after << " after";
    }
  }
}

std::string Name(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Keys, FindTest,
    testing::Values(
        Case{.name = "KeyEqualsValue", .line = "level=info trace_id={T} msg=x", .key = "trace_id"},
        Case{.name = "KeyColonValue",
             .line = "trace-id: {T}, span-id: {S}",
             .ids = "{T}/{S}",
             .key = "trace-id"},
        Case{.name = "Json",
             .line = R"({"traceId":"{T}","spanId":"{S}"})",
             .ids = "{T}/{S}",
             .key = "traceId"},
        Case{.name = "JsonSpaced",
             .line = R"({"trace_id" : "{T}", "span_id" : "{S}"})",
             .ids = "{T}/{S}"},
        Case{.name = "JsonInJson",
             .line = R"({"log":"{\"trace_id\":\"{T}\",\"span_id\":\"{S}\"}"})",
             .ids = "{T}/{S}"},
        Case{.name = "JsonInJsonInJson", .line = R"(\\\"trace_id\\\":\\\"{T}\\\")"},
        Case{.name = "JsonEscapedQuotes", .line = R"({\u0022TraceId\u0022:\u0022{T}\u0022})"},
        Case{.name = "Brackets", .line = "[trace_id={T} span_id={S}] paid", .ids = "{T}/{S}"},
        Case{.name = "KeySpaceValue", .line = "handled trace id {T} in 3 ms", .key = "trace id"},
        Case{.name = "KeyTabValue", .line = "TRACE_ID\t{T}"},
        Case{.name = "KeyInBrackets", .line = "[TraceId] {T} done"},
        Case{.name = "ValueInBrackets",
             .line = "headers: map[Traceparent:[00-{T}-{S}-01]]",
             .ids = "{T}/{S}"},
        Case{.name = "ValueInParentheses", .line = "trace ID ({T})"},
        Case{.name = "Arrow", .line = ":trace_id => \"{T}\""},
        Case{.name = "WideColon",
             .line = "traceId\xef\xbc\x9a{T}\xef\xbc\x8c"
                     "next"},
        Case{.name = "PythonDict",
             .line = "{'trace_id': '{T}', 'span_id': '{S}'}",
             .ids = "{T}/{S}"},
        Case{.name = "PythonBytes", .line = "{b'x-b3-traceid': b'{T}'}", .key = "x-b3-traceid"},
        Case{.name = "PythonTuple",
             .line = "[('x-b3-traceid', '{T}'), ('x-b3-spanid', '{S}')]",
             .ids = "{T}/{S}"},
        Case{.name = "Colours",
             .line = "{E}[33mspan_id{E}[0m={S} {E}[1;33mtrace_id{E}[0m={E}[36m{T}{E}[0m",
             .ids = "{T}/{S}",
             .key = "trace_id"},
        Case{.name = "ColoursInJson",
             .line = R"("msg":"\u001b[33mtrace_id\u001b[0m=\u001b[36m{T}\u001b[0m")"},
        Case{.name = "EscapedLineBreak",
             .line = R"({"log":"first\ntrace_id={T}\n"})",
             .key = "trace_id"},
        Case{.name = "Cri", .line = R"(2026-01-01T00:00:00.1Z stdout F {"trace_id":"{T}"})"},
        Case{.name = "CamelCase", .line = "traceID={T} spanID={S} - paid", .ids = "{T}/{S}"},
        Case{.name = "PascalCase", .line = "TraceID: {T} SpanID: {S} [x]", .ids = "{T}/{S}"},
        Case{.name = "UpperCase", .line = "TRACE_ID={T}, SPAN_ID={S}", .ids = "{T}/{S}"},
        Case{.name = "Glued", .line = "traceid={T} spanid={S}", .ids = "{T}/{S}"},
        Case{.name = "Otel",
             .line = "otel.trace_id={T} otel.span_id={S}",
             .ids = "{T}/{S}",
             .key = "otel.trace_id"},
        Case{.name = "Ecs",
             .line = R"({"trace.id":"{T}","transaction.id":"{V}"})",
             .key = "trace.id"},
        Case{.name = "EcsNested",
             .line = R"({"trace":{"id":"{T}"},"span":{"id":"{S}"}})",
             .ids = "{T}/{S}",
             .key = "trace"},
        Case{.name = "EcsNestedLater", .line = R"({"trace":{"sampled":true,"id":"{T}"}})"},
        Case{.name = "RequestTraceId", .line = "request_trace_id={T}", .key = "request_trace_id"},
        Case{.name = "GcpKey",
             .line = R"("logging.googleapis.com/trace":"projects/p-1/traces/{T}")",
             .key = "logging.googleapis.com/trace"},
        Case{.name = "GcpKeyBareId", .line = R"("logging.googleapis.com/trace":"{T}")"},
        Case{.name = "GcpSpan",
             .line = R"("logging.googleapis.com/spanId":"{S}","trace_id":"{T}")",
             .ids = "{T}/{S}"},
        Case{.name = "CloudTraceContext",
             .line = "X-Cloud-Trace-Context: {T}/10808677672313042198;o=1",
             .ids = "{T}/960023137dea3516"},
        Case{.name = "B3Multi",
             .line = "{x-b3-traceid: {T}, x-b3-spanid: {S}, x-b3-sampled: 1}",
             .ids = "{T}/{S}"},
        Case{.name = "B3MultiUnsampled",
             .line = "X-B3-TraceId: {T}, X-B3-Sampled: 0",
             .sampled = Sampled::kNo},
        Case{.name = "B3ParentIsNoSpan", .line = "X-B3-TraceId: {T}, X-B3-ParentSpanId: {S}"},
        Case{.name = "B3Single", .line = "b3: {T}-{S}-d-{V}", .ids = "{T}/{S}", .key = "b3"},
        Case{.name = "B3SingleUnsampled",
             .line = R"({"b3":"{T}-{S}-0"})",
             .ids = "{T}/{S}",
             .sampled = Sampled::kNo},
        Case{.name = "Uber",
             .line = "uber-trace-id: {T}:{S}:0:03",
             .ids = "{T}/{S}",
             .key = "uber-trace-id"},
        Case{.name = "UberEncoded", .line = "uber-trace-id={T}%3A{S}%3A0%3A1", .ids = "{T}/{S}"},
        Case{.name = "UberUnsampledIsNoEvidence",
             .line = "uber-trace-id={T}:{S}:0:0",
             .ids = "{T}/{S}"},
        Case{.name = "Traceparent",
             .line = R"("GET /" 200 traceparent="00-{T}-{S}-01")",
             .ids = "{T}/{S}",
             .key = "traceparent"},
        Case{.name = "TraceparentUnsampled",
             .line = "traceparent: 00-{T}-{S}-00",
             .ids = "{T}/{S}",
             .sampled = Sampled::kNo},
        Case{.name = "TraceparentFuture",
             .line = "traceparent=cc-{T}-{S}-01-what-may-come",
             .ids = "{T}/{S}"},
        Case{.name = "TraceparentTwo",
             .line = "traceparent: 00-{T}-{S}-01, parent traceparent: 00-{U}-{V}-00",
             .ids = "{T}/{S} {U}/{V}"},
        Case{.name = "TraceparentTutorial",
             .line = "traceparent: 00-1234567890abcdef-aaa000000000001-01",
             .ids = "00000000000000001234567890abcdef"},
        Case{.name = "Hex64",
             .line = "[trace_id=1234567890abcdef] Payment failed",
             .ids = "00000000000000001234567890abcdef"},
        Case{.name = "HexPrefix", .line = "trace_id=0x{T} x", .ids = "{T}"},
        Case{.name = "Uuid", .line = "trace_id=4bf92f35-77b3-4da6-a3ce-929d0e0e4736"},
        Case{.name = "DecimalDigitsAreHex",
             .line = "trace_id=12345678901234567890123456789012 span_id=1234567890123456",
             .ids = "12345678901234567890123456789012/1234567890123456"},
        Case{.name = "Datadog",
             .line =
                 "[dd.service=a dd.trace_id=14316271286187297676 dd.span_id=12009903900988138768]",
             .ids = "0000000000000000c6ad9ce249518b8c/a6abbff77cf9e510",
             .key = "dd.trace_id"},
        Case{.name = "DatadogSixteenDigitSpan",
             .line = "dd.trace_id=14316271286187297676 dd.span_id=1234567890123456",
             .ids = "0000000000000000c6ad9ce249518b8c/000462d53c8abac0"},
        Case{.name = "DatadogHex",
             .line = "dd.trace_id={T} dd.span_id=10808677672313042198",
             .ids = "{T}/960023137dea3516"},
        Case{.name = "DatadogHeader",
             .line = "x-datadog-trace-id: 14316271286187297676",
             .ids = "0000000000000000c6ad9ce249518b8c"},
        Case{.name = "DatadogObject",
             .line = R"({"dd":{"span_id":"8046148960688920053","trace_id":"8046148960688920053"}})",
             .ids = "00000000000000006fa9a9d973bdd5f5/6fa9a9d973bdd5f5"},
        Case{.name = "XRayKey",
             .line = "AWS-XRAY-TRACE-ID: 1-4bf92f35-77b34da6a3ce929d0e0e4736@{S}",
             .ids = "{T}/{S}"},
        Case{.name = "XRayHeader",
             .line = "{'X-Amzn-Trace-Id': 'Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent={S};"
                     "Sampled=0'}",
             .ids = "{T}/{S}",
             .sampled = Sampled::kNo},
        Case{.name = "XRaySelfFirst",
             .line = "X-Amzn-Trace-Id: Self=1-dc60cd1d-723571bc4e13af157a33daae;"
                     "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736"},
        Case{.name = "Lambda",
             .line = "XRAY TraceId: 1-4bf92f35-77b34da6a3ce929d0e0e4736\tSegmentId: {S}\t"
                     "Sampled: false",
             .ids = "{T}/{S}",
             .sampled = Sampled::kNo},
        Case{.name = "RequestId",
             .line = "Request-Id: |{T}.{S}.",
             .ids = "{T}/{S}",
             .key = "Request-Id"},
        Case{.name = "EscapedBytes",
             .line = R"(trace_id="K\xf9/5w\xb3M\xa6\xa3\xce\x92\x9d\x0e\x0eG6" next)"},
        Case{.name = "EscapedBytesUnquoted",
             .line =
                 R"(trace_id=\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36 x)"},
        Case{.name = "EscapedBytesEscaped",
             .line = R"(\"trace_id\":\"K\\xf9/5w\\xb3M\\xa6\\xa3\\xce\\x92\\x9d\\x0e\\x0eG6\")"},
        Case{.name = "FullStop", .line = "failed, see trace_id {T}."},
        Case{.name = "SampledFalse",
             .line = "[trace_id={T} span_id={S} trace_sampled=False] x",
             .ids = "{T}/{S}",
             .sampled = Sampled::kNo},
        Case{.name = "SampledTrue",
             .line = "[trace_id={T} span_id={S} trace_sampled=True] x",
             .ids = "{T}/{S}"},
        Case{.name = "SpanFirst", .line = "span_id={S} trace_id={T}", .ids = "{T}/{S}"},
        Case{.name = "ParentSpanIsNoSpan",
             .line = R"({"parent_span_id":"{V}","span_id":"{S}","trace_id":"{T}"})",
             .ids = "{T}/{S}"},
        Case{.name = "ParentSpanCamelCase",
             .line = "traceId={T} parentSpanId={V} spanId={S}",
             .ids = "{T}/{S}"},
        Case{.name = "Pairs",
             .line = "trace_id={T} span_id={S} trace_id={U} span_id={V}",
             .ids = "{T}/{S} {U}/{V}"},
        Case{.name = "PairsSpanFirst",
             .line = "span_id={S} trace_id={T} span_id={V} trace_id={U}",
             .ids = "{T}/{S} {U}/{V}"},
        Case{.name = "StrippedSpan",
             .line = "trace_id={T} span_id=f067aa0ba902b7",
             .ids = "{T}/{S}"},
        Case{.name = "ShortSpanIsNone", .line = "trace_id={T} span_id=42"},
        Case{.name = "Twice", .line = "trace_id={T} traceparent=00-{T}-{S}-01", .ids = "{T}/{S}"},
        Case{.name = "TwiceWithTwoSpans",
             .line = "b3: {T}-{S}-1 traceparent=00-{T}-{V}-01",
             .ids = "{T}/{S} {T}/{V}"}),
    Name);

INSTANTIATE_TEST_SUITE_P(
    Shapes, FindTest,
    testing::Values(
        Case{.name = "Traceparent",
             .line = R"("GET / HTTP/1.1" 200 "00-{T}-{S}-01")",
             .ids = "{T}/{S}",
             .found_by = FoundBy::kShape,
             .key = ""},
        Case{.name = "TraceparentInCsv",
             .line = "200,12,00-{T}-{S}-01,5",
             .ids = "{T}/{S}",
             .found_by = FoundBy::kShape},
        Case{.name = "XRayRoot",
             .line = "header Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent={S};Sampled=1",
             .ids = "{T}/{S}",
             .found_by = FoundBy::kShape},
        Case{.name = "XRayBare",
             .line = "order 1-4bf92f35-77b34da6a3ce929d0e0e4736 done",
             .found_by = FoundBy::kShape},
        Case{.name = "GcpPath",
             .line = R"("trace":"projects/my-proj/traces/{T}")",
             .found_by = FoundBy::kShape},
        Case{.name = "Sleuth",
             .line = "INFO [shop,{T},{S}] 1 --- [main]",
             .ids = "{T}/{S}",
             .found_by = FoundBy::kShape},
        Case{.name = "SleuthExported",
             .line = "INFO [shop,{T},{S},false] done",
             .ids = "{T}/{S}",
             .found_by = FoundBy::kShape},
        Case{.name = "SleuthNarrow",
             .line = "[shop,a3ce929d0e0e4736,{S}] x",
             .ids = "0000000000000000a3ce929d0e0e4736/{S}",
             .found_by = FoundBy::kShape},
        Case{.name = "SpringBoot3",
             .line = "INFO 1 --- [main] [{T}-{S}] a.b.C : x",
             .ids = "{T}/{S}",
             .found_by = FoundBy::kShape}),
    Name);

INSTANTIATE_TEST_SUITE_P(
    None, FindTest,
    testing::Values(
        Case{.name = "EmptyLine", .line = "", .ids = ""},
        Case{.name = "BareHex", .line = "accepted {T} for 7", .ids = ""},
        Case{.name = "RequestIdUuid",
             .line = "request_id=d13c7cc2-a12b-42c2-b4b0-a4aa5dc2c419 done",
             .ids = ""},
        Case{.name = "RequestIdHex", .line = "rid={T} request-id={T}", .ids = ""},
        Case{
            .name = "GitSha", .line = "commit cc33bc635dd6ba674793694b63d6c60fe76d8b51", .ids = ""},
        Case{.name = "ETag", .line = "ETag: \"{T}\" cache=HIT", .ids = ""},
        Case{.name = "Sha256", .line = "image sha256:{T}{U} pulled", .ids = ""},
        Case{.name = "Session", .line = "session={T} user=7", .ids = ""},
        Case{.name = "EmptyValues", .line = "trace_id= span_id= msg=x", .ids = ""},
        Case{.name = "EmptyQuotes", .line = "trace_id=\"\" {T}", .ids = ""},
        Case{.name = "EmptyBrackets", .line = "trace_id=[] {T}", .ids = ""},
        Case{.name = "Call", .line = "get_trace_id() {T}", .ids = ""},
        Case{.name = "Null", .line = "trace_id=null msg=x", .ids = ""},
        Case{.name = "Dash", .line = "trace_id=- traceparent=\"-\"", .ids = ""},
        Case{.name = "NotApplicable", .line = "trace_id=N/A TID: N/A", .ids = ""},
        Case{.name = "AllZero", .line = "traceID=00000000000000000000000000000000", .ids = ""},
        Case{.name = "Zero", .line = "dd.trace_id=0 trace_id=0", .ids = ""},
        Case{.name = "Hex48", .line = "trace_id={T}{S} msg=x", .ids = ""},
        Case{.name = "Hex31", .line = "trace_id=bf92f3577b34da6a3ce929d0e0e4736 msg=x", .ids = ""},
        Case{.name = "Trailing", .line = "trace_id={T}trailing", .ids = ""},
        Case{.name = "TrailingDash", .line = "trace_id={T}-more", .ids = ""},
        Case{.name = "TrailingDot", .line = "trace_id={T}.more", .ids = ""},
        Case{.name = "Ellipsis", .line = "trace_id=4bf92f3577b34da6...", .ids = ""},
        Case{.name = "WideEllipsis", .line = "trace_id=4bf92f3577b34da6\xe2\x80\xa6", .ids = ""},
        Case{.name = "Masked", .line = "trace_id=4bf92f3577b34da6****************", .ids = ""},
        Case{.name = "CutOff", .line = R"(stdout P {"trace_id":"4bf92f3577b34da6a3)", .ids = ""},
        Case{.name = "StackTraceId", .line = "stack trace id 42: at com.x.Y", .ids = ""},
        Case{.name = "StackTraceHash", .line = "stack trace id {T}", .ids = ""},
        Case{.name = "StackTraceIdName", .line = "stackTraceId={T} stack_trace_id={T}", .ids = ""},
        Case{.name = "ParentTraceId", .line = "parent_trace_id={T} linked.trace_id={T}", .ids = ""},
        Case{.name = "LongerName",
             .line = "trace_id_hash={T} trace_ids={T} traceIdentity={T}",
             .ids = ""},
        Case{.name = "GluedName", .line = "retraceid={T}", .ids = ""},
        Case{.name = "EndOfSentence", .line = R"(msg="no trace id" {T})", .ids = ""},
        Case{.name = "EndOfSentenceInList", .line = R"(["no trace id","{T}"])", .ids = ""},
        Case{.name = "DecimalUnderTraceKey", .line = "trace_id=14316271286187297676", .ids = ""},
        Case{.name = "DecimalInOtherObject",
             .line = R"({"a":{"trace_id":"8046148960688920053"}})",
             .ids = ""},
        Case{.name = "TraceparentZeroParent",
             .line = "traceparent=00-{T}-0000000000000000-01",
             .ids = ""},
        Case{.name = "TraceparentVersionFf", .line = "traceparent=ff-{T}-{S}-01", .ids = ""},
        Case{.name = "TraceparentInjected",
             .line = R"("x\x22 traceparent=\x2200-{T}-{S}-01" traceparent="-")",
             .ids = ""},
        Case{
            .name = "TraceparentInLongerToken", .line = "a00-{T}-{S}-01 00-{T}-{S}-01b", .ids = ""},
        Case{.name = "XRayShortRoot",
             .line = "X-Amzn-Trace-Id: Root=1-4bf92f35-77b34da6a3ce929d0e0e473;Parent={S}",
             .ids = ""},
        Case{.name = "XRaySelf", .line = "Self=1-4bf92f35-77b34da6a3ce929d0e0e4736", .ids = ""},
        Case{.name = "SleuthEmpty", .line = "INFO [shop,,,] [shop,,] done", .ids = ""},
        Case{.name = "SleuthZero",
             .line = "[shop,00000000000000000000000000000000,0000000000000000]",
             .ids = ""},
        Case{.name = "ListOfIds", .line = "[{T},{U},{T}]", .ids = ""},
        Case{.name = "PipedHash", .line = "INFO|{T}.{S}.|done", .ids = ""},
        Case{.name = "PathWithoutProject", .line = "GET /api/traces/{T}", .ids = ""},
        Case{.name = "B3Word", .line = "job b3 started {T}-{S}-1", .ids = ""},
        Case{.name = "B3Deny", .line = "b3: 0", .ids = ""},
        Case{.name = "ThreadId", .line = "tid=1234 TID: 77", .ids = ""},
        Case{.name = "SampledOnly", .line = "trace_sampled=false", .ids = ""},
        Case{.name = "SpanOnly", .line = "span_id={S}", .ids = ""},
        Case{.name = "UnsampledWordIsNoKey", .line = "sampled=0 trace_flags=00", .ids = ""}),
    Name);

TEST(FindIds, SaysWhereTheValueIs) {
  const std::string line = Line("a traceparent=\"00-{T}-{S}-01\" b trace_id={U} c");
  FoundIds found;
  FindIds(line, found);
  ASSERT_EQ(found.count, 2U);
  EXPECT_EQ(line.substr(found.ids[0].offset, found.ids[0].length), Line("00-{T}-{S}-01"));
  EXPECT_EQ(line.substr(found.ids[1].offset, found.ids[1].length), kU);
  EXPECT_EQ(found.ids[0].key, "traceparent");
  EXPECT_EQ(found.ids[0].id.spelling, Spelling::kTraceparent);
}

TEST(FindIds, SkyWalking) {
  const std::string id = "ddd92f52207c468e9cd03ddd107cd530.69.16181331190470001";
  FoundIds found;
  FindIds("INFO [TID: " + id + "] paid", found);
  ASSERT_EQ(found.count, 1U);
  EXPECT_EQ(found.ids[0].id.trace_id, Resolve(id, Strictness::kLookup, KeyKind::kNone).trace_id);
  FindIds(
      "sw8: 1-ZGRkOTJmNTIyMDdjNDY4ZTljZDAzZGRkMTA3Y2Q1MzAuNjkuMTYxODEzMzExOTA0NzAwMDE=-c2Vn-3-"
      "c2hvcA==-cG9k-L29yZGVy-ZGI=",
      found);
  ASSERT_EQ(found.count, 1U);
  EXPECT_EQ(found.ids[0].id.trace_id, Resolve(id, Strictness::kLookup, KeyKind::kNone).trace_id);
}

TEST(FindIds, CountIsBounded) {
  std::string line;
  for (int i = 0; i < 20; ++i) {
    line += "trace_id=" + std::string(30, 'a') + std::to_string(10 + i) + " ";
  }
  FoundIds found;
  FindIds(line, found);
  EXPECT_EQ(found.count, kMaxFound);
  EXPECT_EQ(ToHex(found.ids[7].id.trace_id), std::string(30, 'a') + "17");
}

TEST(FindIds, IdAtTheEndOfALongLine) {
  for (const std::size_t size : {1000U, 200'000U}) {
    FoundIds found;
    FindIds(std::string(size, 'x') + " trace_id=" + kT, found);
    ASSERT_EQ(found.count, 1U);
    EXPECT_EQ(found.ids[0].offset, size + 10);
  }
}

// The answers of both scans, and of a line in an allocation of its own size.
void ExpectSame(const std::string& line) {
  const auto copy = std::make_unique<char[]>(line.size());
  line.copy(copy.get(), line.size());
  const std::string_view view(copy.get(), line.size());
  FoundIds fast;
  FoundIds portable;
  FindIds(view, fast);
  FindIdsPortable(view, portable);
  ASSERT_EQ(fast.count, portable.count) << line;
  EXPECT_EQ(fast.sampled, portable.sampled) << line;
  for (std::size_t i = 0; i < fast.count; ++i) {
    EXPECT_EQ(fast.ids[i].id.trace_id, portable.ids[i].id.trace_id) << line;
    EXPECT_EQ(fast.ids[i].id.span_id, portable.ids[i].id.span_id) << line;
    EXPECT_EQ(fast.ids[i].offset, portable.ids[i].offset) << line;
    EXPECT_EQ(fast.ids[i].length, portable.ids[i].length) << line;
    EXPECT_EQ(fast.ids[i].found_by, portable.ids[i].found_by) << line;
    EXPECT_TRUE(fast.ids[i].id.IsValid()) << line;
  }
}

TEST(FindIds, BothScansAgreeOnRandomLines) {
  const std::vector<std::string> pieces = {
      kT,        kS,         kU,           "trace_id", "traceparent",
      "span_id", "=",        ": ",         "\"",       "\\\"",
      "00-",     "-01",      "-",          ",",        "[",
      "]",       "|",        ".",          " ",        "b3",
      "1-",      "Root=",    "dd.",        "x-b3-",    "projects/p/traces/",
      "{",       "}",        "Request-Id", "sw8",      "TID",
      "xyz",     "\x1b[33m", "\\x4b",      ";",        "@",
      "/",       ":"};
  const unsigned seed = 20260101;
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string line;
    const std::size_t count = 1 + random() % 40;
    for (std::size_t k = 0; k < count; ++k) line += pieces[random() % pieces.size()];
    ExpectSame(line);
    if (HasFailure()) FAIL() << "seed " << seed << ", line " << i;
  }
}

TEST(FindIds, EveryTruncation) {
  const std::string lines[] = {
      Line("trace_id={T} span_id={S} traceparent=00-{U}-{V}-01"),
      Line("INFO [shop,{T},{S}] X-Amzn-Trace-Id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736"),
      Line(R"({"dd":{"trace_id":"8046148960688920053"},"trace":{"id":"{T}"}})"),
      R"(trace_id="K\xf9/5w\xb3M\xa6\xa3\xce\x92\x9d\x0e\x0eG6")"};
  for (const std::string& line : lines) {
    for (std::size_t size = 0; size <= line.size(); ++size) ExpectSame(line.substr(0, size));
  }
}

// Work that grows with the square of the size would take hours here.
TEST(FindIds, HostileMegabytes) {
  constexpr std::size_t kBytes = 1U << 20U;
  for (const std::string unit :
       {"trace", "trace_id=", "trace_id=\"", "[", "-", ",", "sw8=", "b3=", "Request-Id: |",
        "trace_id=\\\\", "\"trace\":{", "a.span_id:", "trace_id=\\x41", "Root=1-aaaaaaaa-",
        "projects/p/traces/"}) {
    std::string line;
    while (line.size() < kBytes) line += unit;
    FoundIds found;
    FindIds(line, found);
    EXPECT_EQ(found.count, 0U) << unit;
    FindIdsPortable(line, found);
    EXPECT_EQ(found.count, 0U) << unit;
  }
}

TEST(TraceKeyKind, Names) {
  struct Row {
    const char* key;
    const char* parent;
    KeyKind kind;
  };
  const Row rows[] = {
      {"trace_id", "", KeyKind::kTraceId},
      {"traceid", "", KeyKind::kTraceId},
      {"traceId", "", KeyKind::kTraceId},
      {"trace-id", "", KeyKind::kTraceId},
      {"trace.id", "", KeyKind::kTraceId},
      {"TraceID", "", KeyKind::kTraceId},
      {"TRACE_ID", "", KeyKind::kTraceId},
      {"otelTraceID", "", KeyKind::kTraceId},
      {"otel.trace_id", "", KeyKind::kTraceId},
      {"request_trace_id", "", KeyKind::kTraceId},
      {"x-b3-traceid", "", KeyKind::kTraceId},
      {"X-B3-TraceId", "headers", KeyKind::kTraceId},
      {"logging.googleapis.com/trace", "", KeyKind::kTraceId},
      {"X-Cloud-Trace-Context", "", KeyKind::kTraceId},
      {"trace_id", "span", KeyKind::kTraceId},
      {"trace_id", "OTEL", KeyKind::kTraceId},
      {"id", "trace", KeyKind::kTraceId},
      {"@tr", "", KeyKind::kTraceId},
      {"trace", "", KeyKind::kGcp},
      {"dd.trace_id", "", KeyKind::kDatadog},
      {"dd_trace_id", "", KeyKind::kDatadog},
      {"x-datadog-trace-id", "", KeyKind::kDatadog},
      {"trace_id", "dd", KeyKind::kDatadog},
      {"traceparent", "", KeyKind::kTraceparent},
      {"Elastic-Apm-Traceparent", "", KeyKind::kTraceparent},
      {"b3", "headers", KeyKind::kB3},
      {"uber-trace-id", "", KeyKind::kUberTraceId},
      {"x-amzn-trace-id", "", KeyKind::kXRay},
      {"AWS-XRAY-TRACE-ID", "", KeyKind::kXRay},
      {"Request-Id", "", KeyKind::kRequestId},
      {"sw8", "", KeyKind::kOpaque},
      {"TID", "", KeyKind::kOpaque},
      {"", "", KeyKind::kNone},
      {"id", "", KeyKind::kNone},
      {"id", "user", KeyKind::kNone},
      {"span_id", "", KeyKind::kNone},
      {"trace_id", "parent", KeyKind::kNone},
      {"trace_id", "links", KeyKind::kNone},
      {"parent_trace_id", "", KeyKind::kNone},
      {"stackTraceId", "", KeyKind::kNone},
      {"stacktrace", "", KeyKind::kNone},
      {"error.stack_trace", "", KeyKind::kNone},
      {"retraceid", "", KeyKind::kNone},
      {"trace_id_hash", "", KeyKind::kNone},
      {"x-request-id", "", KeyKind::kNone},
      {"request_id", "", KeyKind::kNone},
      {"requestId", "", KeyKind::kNone},
      {"tid", "", KeyKind::kNone},
      {"web3", "", KeyKind::kNone},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(TraceKeyKind(row.key, row.parent), row.kind) << row.key << " in " << row.parent;
  }
}

TEST(IsSpanIdKey, Names) {
  for (const char* key : {"span_id", "spanId", "SpanID", "span-id", "span.id", "dd.span_id",
                          "otelSpanID", "x-b3-spanid", "logging.googleapis.com/spanId", "@sp"}) {
    EXPECT_TRUE(IsSpanIdKey(key, "")) << key;
  }
  EXPECT_TRUE(IsSpanIdKey("id", "span"));
  EXPECT_TRUE(IsSpanIdKey("span_id", "span"));
  for (const char* key : {"parent_span_id", "parentSpanId", "x-b3-parentspanid", "transaction.id",
                          "id", "trace_id", "span", "spanid_count", "root_span_id", ""}) {
    EXPECT_FALSE(IsSpanIdKey(key, "")) << key;
  }
  EXPECT_FALSE(IsSpanIdKey("span_id", "parent"));
  EXPECT_FALSE(IsSpanIdKey("span_id", "links"));
  EXPECT_FALSE(IsSpanIdKey("id", "transaction"));
}

}  // namespace
}  // namespace throughline
