// TraceQL, Tempo's query language: its syntax tree, and the parser.
//
//   { resource.service.name = "pay" && status = error } >> { duration > 1s } | by(name) | count() >
//   2
//
// Taken: spanset filters over every scope and intrinsic in both spellings; comparisons, regular
// expressions (RE2, anchored), arithmetic; `&& ||` in and between spansets, which bind equally and
// from left to right, as in Tempo; the structural operators with their negated and union forms;
// select, by, coalesce, aggregate filters; the metrics functions with by(), topk and bottomk;
// `with(...)`, which is passed by; comments. What is not taken is an error that names it.
// Source: grafana.com/docs/tempo/latest/traceql.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"

namespace re2 {
class RE2;
}

namespace throughline::api::query::traceql {

inline constexpr std::size_t kMaxQueryBytes = 32UL << 10U;
inline constexpr int kMaxDepth = 64;                        // Of parentheses, and of operators.
inline constexpr std::size_t kMaxNodes = 2000;              // Of expressions, fields and stages.
inline constexpr std::size_t kMaxRegexBytes = 4096;         // Of one expression's text.
inline constexpr std::size_t kMaxQuantiles = 20;            // Of one quantile_over_time.
inline constexpr std::size_t kMaxGroupFields = 5;           // Of one by() of a metric.
inline constexpr std::int64_t kRegexMemoryBytes = 1 << 20;  // Of one expression, compiled.

enum class Type : std::uint8_t { kNil, kBool, kInt, kFloat, kDuration, kString, kStatus, kKind };

struct Constant {
  Type type = Type::kNil;
  // kInt; kDuration in ns; kStatus and kKind by OTLP's numbers; kBool: 0 or 1.
  std::int64_t integer = 0;
  double number = 0;      // kFloat.
  std::string text = {};  // kString.
};

enum class Intrinsic : std::uint8_t {
  kNone,  // An attribute.
  kDuration,
  kName,
  kStatus,
  kStatusMessage,
  kKind,
  kChildCount,
  kSpanId,
  kParentId,
  kTraceDuration,
  kRootName,
  kRootService,
  kTraceId,
  kNestedSetLeft,
  kNestedSetRight,
  kNestedSetParent,
  kEventName,
  kEventTimeSinceStart,
  kLinkSpanId,
  kLinkTraceId,
  kInstrumentationName,
  kInstrumentationVersion,
};

enum class FieldScope : std::uint8_t {
  kAny,  // ".foo": of the span, else of its resource.
  kSpan,
  kResource,
  kEvent,
  kLink,
  kInstrumentation,
};

struct Field {
  Intrinsic intrinsic = Intrinsic::kNone;
  FieldScope scope = FieldScope::kAny;  // Of an attribute.
  bool of_parent = false;               // "parent.span.foo".
  std::string key;                      // Of an attribute.
  std::string text;                     // As it was written, for labels.

  bool operator==(const Field& other) const {
    return intrinsic == other.intrinsic && scope == other.scope && of_parent == other.of_parent &&
           key == other.key;
  }
};

enum class Op : std::uint8_t {
  kAnd,
  kOr,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kRegex,
  kNotRegex,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kNot,  // Unary, as the next.
  kNegate,
};

struct Expr {
  enum class Kind : std::uint8_t { kConstant, kField, kUnary, kBinary } kind = Kind::kConstant;
  Op op = Op::kAnd;
  Constant constant;
  Field field;
  std::unique_ptr<Expr> left;  // The operand of a unary operator.
  std::unique_ptr<Expr> right;
  std::shared_ptr<const re2::RE2> regex;  // Of kRegex and kNotRegex, for `right`'s text.
};

enum class SpansetOp : std::uint8_t {
  kAnd,
  kOr,
  kChild,
  kDescendant,
  kParent,
  kAncestor,
  kSibling
};

struct Pipeline;

struct Spanset {
  enum class Kind : std::uint8_t { kFilter, kOperation, kPipeline } kind = Kind::kFilter;
  std::unique_ptr<Expr> filter;  // kFilter; null: {}.
  SpansetOp op = SpansetOp::kAnd;
  bool negated = false;  // !> !>> !< !<< !~
  bool unites = false;   // &> &>> &< &<< &~
  std::unique_ptr<Spanset> left;
  std::unique_ptr<Spanset> right;
  std::unique_ptr<Pipeline> pipeline;  // kPipeline: in parentheses.
};

enum class Aggregate : std::uint8_t { kCount, kMin, kMax, kAvg, kSum };

enum class Metric : std::uint8_t {
  kRate,
  kCountOverTime,
  kMinOverTime,
  kMaxOverTime,
  kAvgOverTime,
  kSumOverTime,
  kQuantileOverTime,
  kHistogramOverTime,
  kCompare,
};

struct Metrics {
  Metric function = Metric::kRate;
  std::optional<Field> of;        // What the functions over time look at.
  std::vector<double> quantiles;  // 0 to 1.
  std::vector<Field> by;
  std::unique_ptr<Spanset> selection;  // kCompare: this, and in this time where one is given.
  std::size_t top_values = 10;
  std::uint64_t selection_start_unix_ns = 0;
  std::uint64_t selection_end_unix_ns = 0;  // 0: no time.
  std::size_t top = 0;                      // topk: so many series; 0: all.
  std::size_t bottom = 0;                   // bottomk.
};

struct Stage {
  enum class Kind : std::uint8_t {
    kSpanset,
    kSelect,
    kBy,
    kCoalesce,
    kAggregate
  } kind = Kind::kSpanset;
  std::unique_ptr<Spanset> spanset;
  std::vector<Field> fields;  // kSelect.
  std::unique_ptr<Expr> by;   // kBy.
  Aggregate aggregate = Aggregate::kCount;
  std::unique_ptr<Expr> of;  // kAggregate but for count().
  Op op = Op::kGreater;      // A comparison.
  Constant bound;
};

struct Pipeline {
  std::vector<Stage> stages;  // At least one; the first is a spanset.
};

struct Query {
  Pipeline pipeline;
  std::optional<Metrics> metrics;
};

// kInvalidArgument: "parse error at line 1, col 5: ...".
Result<Query> Parse(std::string_view text);

// What a half-written query says for sure: those of its comparisons that can be read, where they
// are joined by && alone; {} for everything else.
Query ParseLeniently(std::string_view text);

// One field as it stands in a URL: "resource.service.name", "name", "trace:rootName", ".foo".
Result<Field> ParseField(std::string_view text);

// The query, a field or an expression, written out so that it reads as the same.
std::string ToText(const Query& query);
std::string ToText(const Field& field);
std::string ToText(const Expr& expr);
// A text as a constant: in double quotes, escaped.
std::string QuotedText(std::string_view text);

}  // namespace throughline::api::query::traceql
