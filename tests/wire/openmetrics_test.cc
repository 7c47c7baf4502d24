#include "wire/openmetrics.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/proto/truncation.h"

namespace throughline::wire {
namespace {

using Dialect = OpenMetricsReader::Dialect;
using Kind = OpenMetricsReader::Kind;

std::string TextOf(const OpenMetricsText& text) {
  std::string out;
  text.AppendTo(out);
  return out;
}

std::string TextOf(const std::vector<OpenMetricsLabel>& labels) {
  std::string out;
  for (const OpenMetricsLabel& label : labels) {
    out += '[' + TextOf(label.name) + '=' + TextOf(label.value) + ']';
  }
  return out;
}

// What a text says, a line each, and then the error.
std::string Read(std::string_view text, Dialect dialect) {
  std::string out;
  OpenMetricsReader reader(text, dialect, 100);
  while (reader.Next()) {
    if (reader.kind() != Kind::kSample) {
      out += (reader.kind() == Kind::kType ? "type " : "unit ") + TextOf(reader.family()) + ' ' +
             std::string(reader.word()) + '\n';
      continue;
    }
    const OpenMetricsSample& sample = reader.sample();
    out += TextOf(sample.name) + TextOf(sample.labels);
    if (sample.unix_ns != 0) out += " @" + std::to_string(sample.unix_ns);
    if (sample.has_exemplar) {
      out += " # " + TextOf(sample.exemplar_labels) + ' ' + std::to_string(sample.exemplar_value) +
             ' ' + std::to_string(sample.exemplar_unix_ns);
    }
    out += '\n';
  }
  return reader.ok() ? out : out + reader.ErrorText();
}

struct Case {
  const char* name;
  std::string text;
  std::string open_metrics;
  std::string text_format;
};

class OpenMetricsLines : public testing::TestWithParam<Case> {};

TEST_P(OpenMetricsLines, AreRead) {
  const Case& wanted = GetParam();
  EXPECT_EQ(Read(wanted.text, Dialect::kOpenMetrics), wanted.open_metrics);
  EXPECT_EQ(Read(wanted.text, Dialect::kText), wanted.text_format);
}

// Both dialects say the same.
Case Same(const char* name, const std::string& text, const std::string& wanted) {
  return {name, text, wanted, wanted};
}

INSTANTIATE_TEST_SUITE_P(
    Lines, OpenMetricsLines,
    testing::Values(
        Same("Descriptors",
             "# HELP a what it is\n# TYPE a counter\n# UNIT a seconds\na_total 1\n# EOF\n",
             "type a counter\nunit a seconds\na_total\n"),
        Same("EndsWithoutLineFeed", "a 1\n# EOF", "a\n"),
        Same("Labels", "a{b=\"c\",d=\"\"} 1\n# EOF\n", "a[b=c][d=]\n"),
        Same("NoLabels", "a{} 1\n# EOF\n", "a\n"),
        Same("LastComma", "a{b=\"c\",} 1\n# EOF\n", "a[b=c]\n"),
        Same("Blanks", "a { b = \"c\" , d=\"e\" }  1   0\n# EOF\n", "a[b=c][d=e]\n"),
        Case{"TimeInSecondsOrMilliseconds", "a 1 1700000000.5\nb 1\n# EOF\n",
             "a @1700000000500000000\nb\n", "a @1700000000500000\nb\n"},
        Same("TimeBeforeTheEpoch", "a 1 -2\n# EOF\n", "a @1\n"),
        Same("Escapes", "a{b=\"q\\\"\\\\\\n} # {\\x\"} 1\n# EOF\n", "a[b=q\"\\\n} # {\\x]\n"),
        Same("QuotedNames", "{\"my.metric\",\"a.b\"=\"c\"} 1\n# EOF\n", "my.metric[a.b=c]\n"),
        Same("QuotedNameAlone", "{\"my.metric\"} 1\n# EOF\n", "my.metric\n"),
        Same("QuotedFamily", "# TYPE \"my \\\"m\\\"\" gauge\n# EOF\n", "type my \"m\" gauge\n"),
        Same("Exemplar", "a_bucket{le=\"1\"} 5 # {t=\"x\",s=\"y\"} 0.5 1700000000.25\n# EOF\n",
             "a_bucket[le=1] # [t=x][s=y] 0.500000 1700000000250000000\n"),
        Same("ExemplarWithoutTime", "a 5 0 # {} -1e3\n# EOF\n", "a #  -1000.000000 0\n"),
        Same("Values", "a +Inf\nb -inf\nc NaN\nd 1.\ne .5\nf -1e-3\ng +1\n# EOF\n",
             "a\nb\nc\nd\ne\nf\ng\n"),
        Same("ValueMissing", "a\n# EOF\n", "line 1: the value is no number"),
        Same("ValueBad", "a 1\na x\n# EOF\n", "a\nline 2: the value is no number"),
        Same("ValueTwoSigns", "a +-1\n# EOF\n", "line 1: the value is no number"),
        Same("ValueTooGreat", "a 1e999\n# EOF\n", "line 1: the value is no number"),
        Same("TimeBad", "a 1 x\n# EOF\n", "line 1: the timestamp is no number"),
        Same("TimeNaN", "a 1 NaN\n# EOF\n", "line 1: the timestamp is no number"),
        Same("TextBehindTime", "a 1 2 3\n# EOF\n", "line 1: text behind the timestamp"),
        Same("NoName", "{b=\"c\"} 1\n# EOF\n", "line 1: no metric name"),
        Same("TwoNames", "a{\"b\"} 1\n# EOF\n", "line 1: want = behind the name of a label"),
        Same("NameBad", "1a 1\n# EOF\n", "line 1: want a name"),
        Same("LabelsNotClosed", "a{b=\"c\" 1\n# EOF\n", "line 1: want , or } behind a label"),
        Same("LabelsEndless", "a{\n# EOF\n", "line 1: want a name"),
        Same("ValueNotQuoted", "a{b=c} 1\n# EOF\n", "line 1: want a quoted label value"),
        Same("ValueNotClosed", "a{b=\"c} 1\n# EOF\n", "line 1: a quoted text is not closed"),
        Same("EndsInEscape", "a{b=\"c\\\n# EOF\n", "line 1: a quoted text is not closed"),
        Same("ExemplarNotClosed", "a 1 # {t=\"4bf9\n# EOF\n",
             "line 1: a quoted text is not closed"),
        Same("ExemplarBad", "a 1 # {t=\"x\"} abc\n# EOF\n", "line 1: the value is no number"),
        Same("ExemplarWithoutLabels", "a 1 # 1\n# EOF\n",
             "line 1: want { for the labels of an exemplar"),
        Same("ExemplarTimeBad", "a 1 # {} 1 x\n# EOF\n",
             "line 1: the timestamp of the exemplar is no number"),
        Same("TextBehindExemplar", "a 1 # {} 1 2 3\n# EOF\n", "line 1: text behind the exemplar"),
        Same("ExemplarName", "a 1 # {\"b\"} 1\n# EOF\n",
             "line 1: want = behind the name of a label"),
        Same("TypeOfNothing", "# TYPE\n# EOF\n", "line 1: want a name"),
        Same("TypeTwice", "# TYPE a counter gauge\n# EOF\n",
             "line 1: text behind the type or unit"),
        Case{"Empty", "", "line 0: the text ends without # EOF", ""},
        Case{"NoEof", "a 1\n", "a\nline 1: the text ends without # EOF", "a\n"},
        Case{"LineNotEnded", "a 1", "line 1: the line is not ended", "a\n"},
        Case{"AfterEof", "a 1\n# EOF\na 2\n", "a\nline 3: text after # EOF", "a\na\n"},
        Case{"EmptyLine", "a 1\n\nb 1\n# EOF\n", "a\nline 2: the line is empty", "a\nb\n"},
        Case{"Comment", "# so it is\n#\n#x\na 1\n# EOF\n",
             "line 1: a comment that is none of HELP, TYPE, UNIT and EOF", "a\n"},
        Case{"IndentedLine", "  a 1\n\t# TYPE a gauge\n# EOF\n", "line 1: want a name",
             "a\ntype a gauge\n"}),
    [](const auto& param) { return param.param.name; });

TEST(OpenMetricsReader, PrefixesAreUnfinished) {
  const std::string text =
      "# TYPE \"a b\" counter\n{\"a b_total\",c=\"\\\"\"} 1 2 # {t=\"x\"} 0.5 1700000000.25\n# "
      "EOF\n";
  samples::ForEachPrefix(text, [&text](std::string_view prefix) {
    for (const Dialect dialect : {Dialect::kOpenMetrics, Dialect::kText}) {
      OpenMetricsReader reader(prefix, dialect, 100);
      while (reader.Next()) continue;
      if (dialect == Dialect::kOpenMetrics) {
        EXPECT_EQ(reader.ok(), prefix.size() + 1 >= text.size()) << prefix.size();
      }
    }
  });
}

TEST(OpenMetricsReader, GivesTheValue) {
  OpenMetricsReader reader("a -1e-3\nb +Inf 5 # {} 7\n", Dialect::kText, 3);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.sample().value, -0.001);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.sample().value, std::numeric_limits<double>::infinity());
}

TEST(OpenMetricsReader, LabelsAreBounded) {
  std::string text = "a{";
  for (int i = 0; i < 10; ++i) text += "b=\"c\",";
  text += "} 1\n";
  OpenMetricsReader reader(text, Dialect::kText, 3);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.sample().labels.size(), 4U);
}

TEST(OpenMetricsReader, TakesAnErrorOfTheCaller) {
  OpenMetricsReader reader("a 1\nb 2\n", Dialect::kText, 3);
  ASSERT_TRUE(reader.Next());
  ASSERT_TRUE(reader.Next());
  EXPECT_FALSE(reader.Fail("no b here"));
  EXPECT_FALSE(reader.Next());
  EXPECT_EQ(reader.ErrorText(), "line 2: no b here");
}

TEST(ParseOpenMetricsNumber, FollowsTheGrammar) {
  EXPECT_EQ(ParseOpenMetricsNumber("0.005"), 0.005);
  EXPECT_EQ(ParseOpenMetricsNumber("+1e+06"), 1e6);
  EXPECT_EQ(ParseOpenMetricsNumber("-Infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(ParseOpenMetricsNumber("nan").value()));
  for (const char* text : {"", "+", "-", "1 ", " 1", "0x1", "1e", "nan(1)", "--1", "++1", "1,5"}) {
    EXPECT_FALSE(ParseOpenMetricsNumber(text)) << text;
  }
}

TEST(ParseUnixSeconds, KeepsEveryNanosecond) {
  EXPECT_EQ(ParseUnixSeconds("1795381471.635669"), 1795381471635669000U);
  EXPECT_EQ(ParseUnixSeconds("1.7953814742401724e+09"), 1795381474240172400U);
  EXPECT_EQ(ParseUnixSeconds("1795381474.123456789"), 1795381474123456789U);
  EXPECT_EQ(ParseUnixSeconds("1795381474.1234567891234567890123"), 1795381474123456789U);
  EXPECT_EQ(ParseUnixSeconds("000000000000000000000000000001.5"), 1500000000U);
  EXPECT_EQ(ParseUnixSeconds("100000000000000000000000000000E-29"), 1000000000U);
  EXPECT_EQ(ParseUnixSeconds("0"), 0U);
  EXPECT_EQ(ParseUnixSeconds(".5"), 500000000U);
  EXPECT_EQ(ParseUnixSeconds("5."), 5000000000U);
  EXPECT_EQ(ParseUnixSeconds("-5"), 1U);
  EXPECT_EQ(ParseUnixSeconds("-0"), 0U);
  EXPECT_EQ(ParseUnixSeconds("1e-10"), 0U);
  EXPECT_EQ(ParseUnixSeconds("1e99999999999999999999"), UINT64_MAX);
  EXPECT_EQ(ParseUnixSeconds("0e99999999999999999999"), 0U);
  EXPECT_EQ(ParseUnixSeconds("18446744073.70955161"), 18446744073709551610U);
  EXPECT_EQ(ParseUnixSeconds("18446744074"), UINT64_MAX);
  for (const char* text : {"", ".", "-", "+-1", "1e", "1e+", "1x", "Inf", "NaN", "1 ", "e5"}) {
    EXPECT_FALSE(ParseUnixSeconds(text)) << text;
  }
}

TEST(ParseUnixMillis, IsTheSameAThousandTimesFiner) {
  EXPECT_EQ(ParseUnixMillis("1795381471635"), 1795381471635000000U);
  EXPECT_EQ(ParseUnixMillis("1795381471635.5"), 1795381471635500000U);
  EXPECT_EQ(ParseUnixMillis("-5"), 1U);
  EXPECT_EQ(ParseUnixMillis("18446744073710"), UINT64_MAX);
  EXPECT_FALSE(ParseUnixMillis("x"));
}

}  // namespace
}  // namespace throughline::wire
