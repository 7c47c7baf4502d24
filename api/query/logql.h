// LogQL, read into a tree whose expressions and templates are compiled.
//
// What is read: selectors; line filters with `or`; json, logfmt, regexp, pattern, decolorize; label
// filters; drop, keep; label_format and line_format with the templates of logql_template.h;
// count_over_time, rate, bytes_over_time and bytes_rate, and the functions over numbers that unwrap
// takes out of lines, with an offset; sum, count, min, max, avg, stddev, stdvar, topk and bottomk,
// all with by and without; arithmetic and comparisons; vector(). The rest of LogQL is refused by
// name.
//
// Two liberties: {} selects all lines, and a text of hex digits that the end of the query closes is
// one (a revision of Grafana asks so).
// Source: grafana.com/docs/loki/latest/query; errors are in the words that Loki's clients know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/query/logql_template.h"
#include "api/query/text_match.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline::api::query {

// Queries that are longer, deeper, or have more stages, matchers or operators are refused.
inline constexpr std::size_t kMaxLogQlBytes = 64UL << 10U;
inline constexpr std::size_t kMaxLogQlDepth = 100;
inline constexpr std::size_t kMaxLogQlParts = 200;

// A matcher, and the same ready to use.
struct LabelMatch {
  Matcher matcher;
  TextMatch match;
};

// `level="error" and (status >= 500 or duration > 1s)`
struct LabelCondition {
  enum class Kind { kAnd, kOr, kText, kNumber };
  enum class Compare { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  enum class Unit { kNone, kSeconds, kBytes };
  Kind kind = Kind::kText;
  std::vector<LabelCondition> both;  // Of kAnd and kOr.
  LabelMatch text;                   // Of kText; the key is the label of kNumber, too.
  Compare compare = Compare::kEqual;
  Unit unit = Unit::kNone;
  double number = 0;
};

// What a json or logfmt stage takes out, under which name.
struct Extraction {
  std::string label;
  std::string path;
};

struct LogStage {
  enum class Kind {
    kLineFilter,   // texts: one of them; op
    kCondition,    // condition
    kJson,         // extractions; none: all
    kLogfmt,       // extractions, keep_empty
    kRegexp,       // regex
    kPattern,      // pattern
    kLineFormat,   // formats[0].second
    kLabelFormat,  // formats; a template that is one label alone renames, with `renames`
    kDrop,         // drops
    kKeep,         // drops
    kDecolorize,
  };
  struct Format {
    std::string label;
    Template text;
    std::string renames;  // The label whose name changes; empty: `text` is rendered.
  };
  struct Dropped {
    std::string label;
    std::optional<TextMatch> only;
  };
  Kind kind = Kind::kLineFilter;
  Matcher::Op op = Matcher::Op::kEqual;
  std::vector<std::string> texts;
  std::vector<TextMatch> matches;  // Of `texts`, without the negation of `op`.
  LabelCondition condition;
  std::vector<Extraction> extractions;
  bool keep_empty = false;
  std::shared_ptr<const re2::RE2> regex;
  LinePattern pattern;
  std::vector<Format> formats;
  std::vector<Dropped> dropped;
};

struct LogSelection {
  std::vector<LabelMatch> stream;
  std::vector<LogStage> stages;
};

// Which label of a line is its number.
struct Unwrap {
  std::string label;
  LabelCondition::Unit unit = LabelCondition::Unit::kNone;
  std::vector<LabelCondition> conditions;  // Behind it, all of them: | __error__=""
};

struct LogQl {
  enum class Kind {
    kLines,      // selection
    kRange,      // text: count_over_time, ...; selection, unwrap, range_ns, offset_ns, grouping;
                 // number: of quantile_over_time
    kAggregate,  // text: sum, ...; grouping; number: of topk and bottomk; one argument
    kBinary,     // text: + - * / % ^ == != > >= < <=; as_bool; two arguments
    kNumber,     // number
    kVector,     // number
  };
  Kind kind = Kind::kLines;
  LogSelection selection;
  std::string text;
  std::uint64_t range_ns = 0;
  std::uint64_t offset_ns = 0;
  std::optional<Unwrap> unwrap;
  bool grouped = false;  // by or without is there, with these labels.
  bool without = false;
  std::vector<std::string> labels;
  bool as_bool = false;  // A comparison that is 0 or 1, where others leave out what is false.
  double number = 0;
  std::vector<LogQl> arguments;

  bool IsMetric() const { return kind != Kind::kLines; }
};

// kInvalidArgument: "parse error at line 1, col 12: syntax error: ...", or "unsupported by
// Throughline: ...".
Result<LogQl> ParseLogQl(std::string_view text);

// A selector alone, as /labels and /series take it.
Result<LogSelection> ParseLogSelector(std::string_view text);

}  // namespace throughline::api::query
