// The client commands' pure parts: an answer of the API in, text for people and an exit code out.
#include "gateway/cli_render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/cli_answer.h"
#include "gateway/cli_compare.h"
#include "gateway/cli_doctor.h"
#include "gateway/cli_explain.h"
#include "gateway/cli_state.h"
#include "gateway/cli_waterfall.h"
#include "gateway/http_client.h"
#include "gateway/terminal.h"

namespace throughline::gateway {
namespace {

const TerminalStyle kPlain{.width = 80, .clip = true, .colour = false, .unicode = false};

// A root of 100 ms; a child that fails, with a line; one whose parent is not there.
constexpr const char* kTrace = R"({
 "trace_id":"000102030405060708090a0b0c0d0e0f","state":"live","reason":"3 spans are here","complete":true,
 "summary":{"root_service":"web","root_operation":"GET /","start_unix_nano":"1700000000000000000",
   "duration_ns":100000000,"span_count":3,"error_count":1,"log_count":2,"exemplar_count":1,
   "services":["pay","web"],"versions":["1.2"]},
 "spans":[
  {"span_id":"aaaaaaaaaaaaaaaa","parent_span_id":"","service":"web","name":"GET /",
   "start_unix_nano":"1700000000000000000","duration_ns":100000000,"status":"unset"},
  {"span_id":"bbbbbbbbbbbbbbbb","parent_span_id":"aaaaaaaaaaaaaaaa","service":"pay","name":"charge",
   "start_unix_nano":"1700000000050000000","duration_ns":50000000,"status":"error","status_message":"card refused"},
  {"span_id":"cccccccccccccccc","parent_span_id":"9999999999999999","service":"pay","name":"late",
   "start_unix_nano":"1700000000090000000","duration_ns":1000000,"status":"ok"}],
 "logs":[
  {"span_id":"bbbbbbbbbbbbbbbb","time_unix_nano":"1700000000060000000","severity":"warn","severity_number":13,"body":"slow card"},
  {"span_id":"","time_unix_nano":"1700000000010000000","severity":"info","severity_number":9,"body":"no span"}],
 "exemplars":[{"metric":"latency","value":0.05,"le":0.1,"span_id":"bbbbbbbbbbbbbbbb"}],
 "integrity":{"roots":1,"missing_parents":["9999999999999999"],"duplicates":0,"loops":0,"skew":[]},
 "critical_path":[{"span_id":"aaaaaaaaaaaaaaaa","self_ns":50000000},{"span_id":"bbbbbbbbbbbbbbbb","self_ns":50000000}]})";

std::string Rendering(const std::string& json, const TerminalStyle& style) {
  JsonDocument document;
  EXPECT_TRUE(document.Parse(json));
  return RenderTrace(document.root(), WaterfallLimits(), style);
}

TEST(Waterfall, DrawsSpansWithTheirLinesBeneath) {
  EXPECT_EQ(Rendering(kTrace, kPlain),
            R"(trace 000102030405060708090a0b0c0d0e0f  live  web  GET /  100 ms
started 2023-11-14 22:13:20.000 UTC  3 spans, 1 error, 2 log lines, 1 exemplar
services pay, web  versions 1.2

                  0                    50.0 ms               100 ms
web  GET /        #################################################    100 ms *
  pay  charge                             ########################    50.0 ms *!
    error: card refused
    - 22:13:20.060 warn  slow card
    + latency 0.05 (le 0.1)
pay  late                                                     #       1.00 ms

without a span here:
  - 22:13:20.010 info  no span

* on the critical path   ! error
note: 1 missing parent
)");
}

TEST(Waterfall, BarsFillTheWidthAndNoLineIsLonger) {
  for (const std::size_t width : {40U, 60U, 80U, 133U, 400U}) {
    TerminalStyle style = kPlain;
    style.width = width;
    const std::string text = Rendering(kTrace, style);
    std::size_t begin = text.find("\n\n") + 2;  // The header wraps as it likes.
    for (std::size_t end = text.find('\n', begin); end != std::string::npos;
         begin = end + 1, end = text.find('\n', begin)) {
      EXPECT_LE(DisplayWidth(text.substr(begin, end - begin)), width) << text;
    }
  }
}

TEST(Waterfall, ParentLoopsAreCut) {
  const std::string text = Rendering(
      R"({"trace_id":"01","state":"live","spans":[
        {"span_id":"a","parent_span_id":"b","service":"s","name":"first","start_unix_nano":"10","duration_ns":5},
        {"span_id":"b","parent_span_id":"a","service":"s","name":"second","start_unix_nano":"11","duration_ns":2},
        {"span_id":"c","parent_span_id":"c","service":"s","name":"itself","start_unix_nano":"12","duration_ns":1}]})",
      kPlain);
  for (const char* name : {"first", "second", "itself"}) {
    const std::size_t at = text.find(name);
    ASSERT_NE(at, std::string::npos) << text;
    EXPECT_EQ(text.find(name, at + 1), std::string::npos) << text;
  }
}

TEST(Waterfall, TimesAtTheEndOfSixtyFourBitsAreDrawn) {
  const std::string text = Rendering(
      R"({"state":"live","spans":[
        {"span_id":"a","service":"s","name":"huge","start_unix_nano":"18446744073709551615","duration_ns":9007199254740991},
        {"span_id":"b","service":"s","name":"zero","start_unix_nano":"0","duration_ns":0}]})",
      kPlain);
  EXPECT_NE(text.find("huge"), std::string::npos);
  EXPECT_NE(text.find("zero"), std::string::npos);
}

TEST(Waterfall, LimitsSayWhatTheyLeaveOut) {
  JsonDocument document;
  ASSERT_TRUE(document.Parse(kTrace));
  const std::string text = RenderTrace(document.root(), {.spans = 1, .lines_a_span = 0}, kPlain);
  EXPECT_NE(text.find("2 more spans"), std::string::npos) << text;
  EXPECT_EQ(text.find("late"), std::string::npos) << text;
}

TEST(Waterfall, AnswersWithoutAnythingDoNotCrash) {
  for (const char* json : {"{}", "[]", "null", R"({"spans":7,"logs":{},"summary":[]})"}) {
    EXPECT_FALSE(Rendering(json, kPlain).empty());
  }
}

TEST(Terminal, TakesControlCharactersOut) {
  EXPECT_EQ(Printable("a\x1b[31mb\nc\td"), "a [31mb c d");
  EXPECT_EQ(Printable("bad \xff\xc3 bytes"), "bad ?? bytes");
  EXPECT_EQ(Printable("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "evil"),
            " evil");  // Right-to-left override.
  EXPECT_EQ(Printable("\xc2\x9b"
                      "2J"),
            " 2J");  // CSI in one code point.
}

TEST(Terminal, MeasuresAndClipsInColumns) {
  EXPECT_EQ(DisplayWidth("caf\xc3\xa9"), 4U);
  EXPECT_EQ(DisplayWidth("\xe6\x97\xa5\xe6\x9c\xac"), 4U);  // Two wide characters.
  EXPECT_EQ(Clip("abcdef", 6, kPlain), "abcdef");
  EXPECT_EQ(Clip("abcdef", 4, kPlain), "abc~");
  EXPECT_EQ(Clip("\xe6\x97\xa5\xe6\x9c\xac", 3, kPlain), "\xe6\x97\xa5~");
  EXPECT_EQ(Clip("abc", 0, kPlain), "");
}

TEST(Terminal, TablesAlign) {
  Table table({"NAME", "N", "TEXT"});
  table.Add({"a", {"1", Colour::kNone, true}, "x"});
  table.Add({"longer", {"100", Colour::kNone, true}, "y\nz"});
  EXPECT_EQ(table.Render(kPlain),
            "NAME    N    TEXT\n"
            "a         1  x\n"
            "longer  100  y z\n");
}

TEST(Terminal, TablesShrinkToTheWidthButNeverCutIds) {
  TerminalStyle narrow = kPlain;
  narrow.width = 40;
  const std::string id = "000102030405060708090a0b";
  Table table({{"ID", true}, "A", "B"});
  table.Add({id, "some longer text", "another one, longer still"});
  const std::string text = table.Render(narrow);
  EXPECT_NE(text.find(id), std::string::npos);
  EXPECT_EQ(text, "ID                        A         B\n" + id + "  some lo~  another~\n")
      << text;
  narrow.clip = false;
  EXPECT_NE(table.Render(narrow).find("longer still"), std::string::npos);
}

TEST(Terminal, ColoursOnlyWhereTheStyleHasThem) {
  TerminalStyle coloured = kPlain;
  coloured.colour = true;
  EXPECT_EQ(Paint("x", Colour::kRed, kPlain), "x");
  EXPECT_EQ(Paint("x", Colour::kRed, coloured), "\x1b[31mx\x1b[0m");
}

struct DurationCase {
  std::uint64_t ns;
  const char* text;
};

TEST(Texts, Durations) {
  for (const DurationCase& c : {DurationCase{0, "0"},
                                {999, "999 ns"},
                                {1'000, "1.00 us"},
                                {12'345, "12.3 us"},
                                {999'999, "1.00 ms"},
                                {1'840'000'000, "1.84 s"},
                                {61'000'000'000, "61.0 s"},
                                {3'600'000'000'000, "3600 s"}}) {
    EXPECT_EQ(DurationText(c.ns), c.text);
  }
}

TEST(Texts, Times) {
  EXPECT_EQ(TimeText(1'700'000'000'007'000'000), "2023-11-14 22:13:20.007");
  EXPECT_EQ(TimeText(0), "-");
  EXPECT_FALSE(TimeText(UINT64_MAX).empty());
}

TEST(Render, LocateShowsEveryMatchAndExitsByTheState) {
  JsonDocument document;
  const auto answer = [](const std::string& state) {
    return R"({"input":"ab","spelling":"hex64","matches":[{"trace_id":"00ab","state":")" + state +
           R"(","reason":"why","first_unix_nano":"1700000000000000000","last_unix_nano":"1700000001000000000",
             "window":{"start":"S","end":"E"},"services":["web"],"hosts":["h1"],"counts":{"spans":2,"logs":1,"exemplars":0},
             "queries":[{"backend":"tempo","language":"traceql","query":"{trace:id=\"ab\"}","url":"http://t/x"}]}]})";
  };
  ASSERT_TRUE(document.Parse(answer("live")));
  const Rendered live = RenderLocate(document.root(), kPlain);
  EXPECT_EQ(live.exit_code, kExitFound);
  for (const char* part : {"00ab", "live  why", "2 spans, 1 log line, 0 exemplars", "S .. E", "web",
                           "h1", "tempo (traceql)", "http://t/x", "hex64"}) {
    EXPECT_NE(live.text.find(part), std::string::npos) << part << " in\n" << live.text;
  }
  ASSERT_TRUE(document.Parse(answer("pending")));
  EXPECT_EQ(RenderLocate(document.root(), kPlain).exit_code, kExitFound);
  ASSERT_TRUE(document.Parse(answer("never_seen")));
  EXPECT_EQ(RenderLocate(document.root(), kPlain).exit_code, kExitNotFound);
  ASSERT_TRUE(document.Parse(R"({"matches":[]})"));
  EXPECT_EQ(RenderLocate(document.root(), kPlain).exit_code, kExitNotFound);
}

TEST(Render, ListsSayWhenTheyAreNotWhole) {
  JsonDocument document;
  ASSERT_TRUE(document.Parse(
      R"({"logs":[{"time_unix_nano":"1700000000000000000","severity":"error","severity_number":17,
          "service":"pay","trace_id":"00ab","body":{"a":1}}],"cursor":"c1","complete":false,"incomplete_reason":"limit"})"));
  const Rendered logs = RenderLogs(document.root(), kPlain);
  EXPECT_EQ(logs.exit_code, kExitFound);
  EXPECT_NE(logs.text.find("incomplete: limit"), std::string::npos) << logs.text;
  EXPECT_NE(logs.text.find("{\"a\":1}"), std::string::npos) << logs.text;
  ASSERT_TRUE(document.Parse(R"({"logs":[],"cursor":"","complete":true})"));
  EXPECT_EQ(RenderLogs(document.root(), kPlain).exit_code, kExitNotFound);
}

TEST(Render, Exemplars) {
  JsonDocument document;
  ASSERT_TRUE(document.Parse(
      R"({"exemplars":[{"metric":"m","labels":{"k":"v"},"value":1.8401234567891,"time_unix_nano":"1700000000000000000",
          "le":"+Inf","trace_id":"00ab","link":{"state":"live"},
          "trace":{"root_service":"web","root_operation":"GET /","duration_ns":1000000}}],"complete":true})"));
  const Rendered rendered = RenderExemplars(document.root(), {.width = 200, .unicode = false});
  EXPECT_EQ(rendered.exit_code, kExitFound);
  for (const char* part : {"1.84012", "+Inf", "web GET /", "1.00 ms", "m{k=v}"}) {
    EXPECT_NE(rendered.text.find(part), std::string::npos) << part << " in\n" << rendered.text;
  }
}

struct ResolveCase {
  const char* name;
  const char* answer;
  int exit_code;
};

TEST(Render, ResolveExitsByTheWorstOfWhatIsNamed) {
  const ResolveCase cases[] = {
      {"live",
       R"({"ids":[{"trace_id":"ab","state":"live","spelling":"hex64"}],"lines":[{"found":[]}]})",
       0},
      {"dead", R"({"ids":[{"trace_id":"ab","state":"never_seen"}],"lines":[{"found":[]}]})", 1},
      {"malformed",
       R"({"ids":[{"trace_id":null,"reason":"all zero","state":"malformed"}],"lines":[{"found":[]}]})",
       1},
      {"only lines",
       R"({"ids":[],"lines":[{"found":[{"trace_id":"ab","found_by":"key"}],"state":"live"}]})", 0},
      {"cut short",
       R"({"ids":[{"trace_id":"ab","state":"live"}],"lines":[],"complete":false,"incomplete_reason":"deadline"})",
       3},
      {"nothing named", R"({"ids":[],"lines":[{"found":[]}]})", 1},
  };
  for (const ResolveCase& c : cases) {
    JsonDocument document;
    ASSERT_TRUE(document.Parse(c.answer));
    EXPECT_EQ(RenderResolve(document.root(), {"ab"}, {"a line"}, kPlain).exit_code, c.exit_code)
        << c.name;
  }
}

TEST(Render, ProblemsInOneLine) {
  JsonDocument document;
  ASSERT_TRUE(document.Parse(
      R"({"title":"not found","status":404,"detail":"nothing carries the id","state":"never_seen"})"));
  EXPECT_EQ(RenderProblem(document.root(), 404), "nothing carries the id (never_seen)");
  EXPECT_EQ(RenderProblem(Json(), 502), "the gateway answered with status 502");
}

TEST(Resolve, TellsLinesFromIds) {
  for (const char* id : {"4bf92f3577b34da6a3ce929d0e0e4736", "1-620ca1d6-07f7494e51e410242c9d67f3",
                         "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "3:4:0:1"}) {
    EXPECT_FALSE(IsLine(id)) << id;
  }
  for (const char* line :
       {"trace_id=1234567890abcdef", "[app,1,2]", "paid ok", "{\"traceId\":\"1\"}"}) {
    EXPECT_TRUE(IsLine(line)) << line;
  }
}

TEST(Url, EncodesAndLeavesEmptyParametersOut) {
  EXPECT_EQ(UrlOf("http://h:1/", "/p", {{"a", ""}, {"b", "x y&z"}, {"c", "\xc3\xa9"}}),
            "http://h:1/p?b=x%20y%26z&c=%C3%A9");
}

TEST(Explain, TheQuestionBecomesABody) {
  EXPECT_EQ(ExplainBody({}), R"({"window":{"start":"now-5m","end":"now"}})");
  ExplainQuestion question;
  question.trace_id = "4bf9";
  EXPECT_EQ(ExplainBody(question), R"({"trace_id":"4bf9"})");
  question = {};
  question.window.since = "1h";
  question.baseline.start = "now-3h";
  question.baseline.end = "now-2h";
  question.service = "pay";
  question.limit = "3";
  EXPECT_EQ(ExplainBody(question),
            R"({"window":{"start":"now-1h","end":"now"},)"
            R"("baseline":[{"start":"now-3h","end":"now-2h"}],"service":"pay","limit":3})");
  question.limit = "many";
  EXPECT_THAT(ExplainBody(question), testing::HasSubstr(R"("limit":"many")"));
}

TEST(Explain, PrintsTheTextAndNothingThatSteersATerminal) {
  JsonDocument document;
  ASSERT_TRUE(document.Parse(R"({"verdict":"culprit","text":"culprit: a\u001b[2Jb\n  more\n"})"));
  const Rendered named = RenderExplain(document.root(), kPlain);
  EXPECT_EQ(named.text, "culprit: a [2Jb\n  more\n");
  EXPECT_EQ(named.exit_code, kExitFound);
  JsonDocument nobody;
  ASSERT_TRUE(nobody.Parse(R"({"verdict":"no_clear_culprit","text":"no clear culprit"})"));
  EXPECT_EQ(RenderExplain(nobody.root(), kPlain).exit_code, kExitNotFound);
}

TEST(Compare, TheQuestionBecomesABody) {
  CompareQuestion question;
  question.window.since = "1h";
  question.service = "pay";
  question.baseline = {"service.version=1.4", "k8s.pod.name=a=b"};
  question.candidate = {"service.version=1.5", "odd"};
  EXPECT_EQ(CompareBody(question),
            R"({"window":{"start":"now-1h","end":"now"},"service":"pay",)"
            R"("baseline":{"attributes":{"service.version":"1.4","k8s.pod.name":"a=b"}},)"
            R"("candidate":{"attributes":{"service.version":"1.5","odd":""}}})");
  question = {};
  question.operation = "charge";
  question.baseline_window = {.since = {}, .start = "now-2h", .end = "now-1h"};
  EXPECT_EQ(CompareBody(question),
            R"({"window":{"start":"now-5m","end":"now"},"operation":"charge",)"
            R"("baseline":{"window":{"start":"now-2h","end":"now-1h"}},"candidate":{}})");
}

TEST(Compare, TheVerdictIsTheExitCode) {
  const auto code = [](const char* verdict) {
    JsonDocument document;
    EXPECT_TRUE(document.Parse("{\"verdict\":\"" + std::string(verdict) + "\",\"text\":\"x\\n\"}"));
    const Rendered rendered = RenderCompare(document.root(), kPlain);
    EXPECT_EQ(rendered.text, "x\n");
    return rendered.exit_code;
  };
  EXPECT_EQ(code("pass"), 0);
  EXPECT_EQ(code("fail"), 1);
  EXPECT_EQ(code("inconclusive"), 4);
}

constexpr char kCoverage[] = R"({"wrong":1,"advice":[
  {"fault":"lines_without_ids","wrong":true,"service":"pay\u001b[2J","records":9,"of":10,
   "evidence":"9 of 10 lines carry no trace id",
   "changes":[{"where":"environment of the process","text":"OTEL_PYTHON_LOG_CORRELATION=true"}]},
  {"fault":"no_exemplars","wrong":false,"service":"","records":10,"of":10,
   "evidence":"10 spans came, and no exemplar","changes":[]}],
 "services":[
  {"service":"","named":false,"spans":{"count":3,"share_with_lines":0.999},
   "lines":{"count":0,"share_with_ids":null,"spellings":[]},
   "exemplars":{"count":0,"share_opening":null}},
  {"service":"pay","named":true,"spans":{"count":10,"share_with_lines":1},
   "lines":{"count":10,"share_with_ids":0.1,"spellings":[{"spelling":"hex32","lines":1},
                                                         {"spelling":"decimal","lines":1}]},
   "exemplars":{"count":0,"share_opening":null}}],
 "skew":[],"unknown":["the states of 2 links: not looked up"],
 "complete":false,"incomplete_reason":"limit"})";

TEST(Doctor, PrintsATableAndWhatToChange) {
  JsonDocument document;
  ASSERT_TRUE(document.Parse(kCoverage));
  const Rendered rendered = RenderDoctor(document.root(), kPlain);
  EXPECT_EQ(rendered.exit_code, 1);
  EXPECT_EQ(rendered.text, R"(SERVICE  SPANS  WITH LINES  LINES  WITH IDS  EXEMPLARS  OPEN  IDS
(none)       3        99 %      0         -          0     -  -
pay         10       100 %     10      10 %          0     -  hex32, decimal

wrong: lines_without_ids, pay [2J: 9 of 10 lines carry no trace id
  environment of the process:
      OTEL_PYTHON_LOG_CORRELATION=true
hint: no_exemplars: 10 spans came, and no exemplar

not known: the states of 2 links: not looked up
not all was read: limit
)");
}

TEST(Doctor, ExitsWithOneWhereSomethingIsWrongOrNothingCame) {
  const auto code = [](const char* json) {
    JsonDocument document;
    EXPECT_TRUE(document.Parse(json));
    return RenderDoctor(document.root(), kPlain).exit_code;
  };
  EXPECT_EQ(code(R"({"wrong":0,"services":[{"service":"pay"}]})"), 0);
  EXPECT_EQ(code(R"({"wrong":2,"services":[{"service":"pay"}]})"), 1);
  EXPECT_EQ(code(R"({"wrong":0,"services":[]})"), 1);
  EXPECT_EQ(code("{}"), 1);
}

}  // namespace
}  // namespace throughline::gateway
