#include "api/query/traceql_parser.h"

#include <algorithm>
#include <utility>

#include "api/query/traceql_names.h"

namespace throughline::api::query::traceql {
namespace {

struct SpansetInfix {
  SpansetOp op;
  bool negated = false;
  bool unites = false;
};

std::optional<SpansetInfix> SpansetInfixOf(std::string_view symbol) {
  if (const auto index = IndexOf(kSpansetSymbols, symbol)) {
    return SpansetInfix{.op = static_cast<SpansetOp>(*index)};
  }
  if (symbol.size() < 2 || (symbol[0] != '!' && symbol[0] != '&')) return std::nullopt;
  const auto index = IndexOf(kSpansetSymbols, symbol.substr(1));
  if (!index || *index < static_cast<std::size_t>(SpansetOp::kChild)) return std::nullopt;
  return SpansetInfix{.op = static_cast<SpansetOp>(*index),
                      .negated = symbol[0] == '!',
                      .unites = symbol[0] == '&'};
}

class QueryParser {
 public:
  QueryParser(std::string_view text, std::vector<Token> tokens) : in_(text, std::move(tokens)) {}

  Result<Query> Run() {
    Query query;
    TL_TRY(Stages(query.pipeline, &query.metrics));
    if (in_.IsWord("with")) TL_TRY(With());
    if (!in_.AtEnd()) return in_.Unexpected("| or the end of the query");
    return query;
  }

 private:
  // `metrics` is null in parentheses, where none may stand.
  Result<void> Stages(Pipeline& pipeline, std::optional<Metrics>* metrics) {
    Stage first;
    TL_TRY_ASSIGN(first.spanset, SpansetExpression(1));
    pipeline.stages.push_back(std::move(first));
    while (in_.TakeSymbol("|")) {
      TL_TRY(in_.Count());
      const Token& word = in_.Peek();
      if (word.kind == Token::Kind::kWord && IndexOf(kMetricWords, word.text)) {
        if (metrics == nullptr) return in_.Wrong(word, "a metrics function in parentheses");
        return MetricsStage(metrics->emplace());
      }
      Stage stage;
      TL_TRY(OneStage(stage));
      pipeline.stages.push_back(std::move(stage));
    }
    return {};
  }

  Result<void> OneStage(Stage& stage) {
    const Token& word = in_.Peek();
    if (in_.IsSymbol("{") || in_.IsSymbol("(")) {
      TL_TRY_ASSIGN(stage.spanset, SpansetExpression(1));
      return {};
    }
    if (in_.IsWord("select")) {
      in_.Advance();
      stage.kind = Stage::Kind::kSelect;
      TL_TRY_ASSIGN(stage.fields, Fields());
      return {};
    }
    if (in_.IsWord("by")) {
      in_.Advance();
      stage.kind = Stage::Kind::kBy;
      TL_TRY(in_.WantSymbol("("));
      TL_TRY_ASSIGN(stage.by, in_.Expression());
      return in_.WantSymbol(")");
    }
    if (in_.IsWord("coalesce")) {
      in_.Advance();
      stage.kind = Stage::Kind::kCoalesce;
      TL_TRY(in_.WantSymbol("("));
      return in_.WantSymbol(")");
    }
    if (word.kind == Token::Kind::kWord) {
      if (const auto index = IndexOf(kAggregateWords, word.text)) {
        return AggregateStage(static_cast<Aggregate>(*index), stage);
      }
    }
    return in_.Unexpected(
        "a spanset, select, by, coalesce, count, min, max, avg, sum or a metrics function");
  }

  Result<void> AggregateStage(Aggregate aggregate, Stage& stage) {
    in_.Advance();
    stage.kind = Stage::Kind::kAggregate;
    stage.aggregate = aggregate;
    TL_TRY(in_.WantSymbol("("));
    if (aggregate != Aggregate::kCount) {
      TL_TRY_ASSIGN(stage.of, in_.Expression());
    }
    TL_TRY(in_.WantSymbol(")"));
    const auto op = IndexOf(kOpSymbols, in_.Peek().text);
    const bool compares = op && in_.Peek().kind == Token::Kind::kSymbol &&
                          *op >= static_cast<std::size_t>(Op::kEqual) &&
                          *op <= static_cast<std::size_t>(Op::kGreaterEqual);
    if (!compares) return in_.Unexpected("a comparison (= != < <= > >=) of the aggregate");
    stage.op = static_cast<Op>(*op);
    in_.Advance();
    const Token& value = in_.Peek();
    TL_TRY_ASSIGN(stage.bound, in_.OneConstant());
    const Type type = stage.bound.type;
    if (type == Type::kInt || type == Type::kFloat || type == Type::kDuration) return {};
    return in_.Wrong(value, "want a number or a duration");
  }

  Result<std::vector<Field>> Fields() {
    std::vector<Field> fields;
    TL_TRY(in_.WantSymbol("("));
    do {
      TL_TRY(in_.Count());
      TL_TRY_ASSIGN(Field field, in_.OneField());
      fields.push_back(std::move(field));
    } while (in_.TakeSymbol(","));
    TL_TRY(in_.WantSymbol(")"));
    return fields;
  }

  // Structural operators bind closer than && and ||.
  Result<std::unique_ptr<Spanset>> SpansetExpression(int least) {
    TL_TRY_ASSIGN(std::unique_ptr<Spanset> left, SpansetOperand());
    while (in_.Peek().kind == Token::Kind::kSymbol) {
      const auto infix = SpansetInfixOf(in_.Peek().text);
      if (!infix) break;
      const int level = infix->op <= SpansetOp::kOr ? 1 : 2;
      if (level < least) break;
      TL_TRY(in_.Count());
      in_.Advance();
      auto operation = std::make_unique<Spanset>();
      operation->kind = Spanset::Kind::kOperation;
      operation->op = infix->op;
      operation->negated = infix->negated;
      operation->unites = infix->unites;
      operation->left = std::move(left);
      TL_TRY_ASSIGN(operation->right, SpansetExpression(level + 1));
      left = std::move(operation);
    }
    return left;
  }

  Result<std::unique_ptr<Spanset>> SpansetOperand() {
    TL_TRY(in_.Count());
    auto spanset = std::make_unique<Spanset>();
    if (in_.TakeSymbol("{")) {
      if (in_.TakeSymbol("}")) return spanset;
      TL_TRY_ASSIGN(spanset->filter, in_.Expression());
      TL_TRY(in_.WantSymbol("}"));
      return spanset;
    }
    if (!in_.IsSymbol("(")) return in_.Unexpected("{ or (");
    TL_TRY(in_.Enter());
    in_.Advance();
    auto pipeline = std::make_unique<Pipeline>();
    TL_TRY(Stages(*pipeline, nullptr));
    TL_TRY(in_.WantSymbol(")"));
    in_.Leave();
    if (pipeline->stages.size() == 1) return std::move(pipeline->stages.front().spanset);
    spanset->kind = Spanset::Kind::kPipeline;
    spanset->pipeline = std::move(pipeline);
    return spanset;
  }

  Result<void> MetricsStage(Metrics& metrics) {
    const auto index = IndexOf(kMetricWords, in_.Peek().text);
    metrics.function = static_cast<Metric>(index.value_or(0));
    in_.Advance();
    TL_TRY(in_.WantSymbol("("));
    switch (metrics.function) {
      case Metric::kRate:
      case Metric::kCountOverTime: break;
      case Metric::kCompare: TL_TRY(CompareArguments(metrics)); break;
      default: {
        TL_TRY_ASSIGN(metrics.of, in_.OneField());
        if (metrics.function == Metric::kQuantileOverTime) TL_TRY(Quantiles(metrics));
      }
    }
    TL_TRY(in_.WantSymbol(")"));
    if (in_.IsWord("by")) {
      const Token& by = in_.Peek();
      in_.Advance();
      TL_TRY_ASSIGN(metrics.by, Fields());
      if (metrics.function == Metric::kCompare) return in_.Wrong(by, "compare() has no by()");
      if (metrics.by.size() > kMaxGroupFields) {
        return in_.Wrong(by, "more than " + std::to_string(kMaxGroupFields) + " fields in by()");
      }
    }
    while (in_.TakeSymbol("|")) {
      const bool top = in_.IsWord("topk");
      if (!top && !in_.IsWord("bottomk")) return in_.Unexpected("topk or bottomk");
      in_.Advance();
      TL_TRY(in_.WantSymbol("("));
      TL_TRY_ASSIGN(const std::uint64_t count, Whole("a number of series"));
      (top ? metrics.top : metrics.bottom) = std::max<std::size_t>(count, 1);
      TL_TRY(in_.WantSymbol(")"));
    }
    return {};
  }

  Result<void> Quantiles(Metrics& metrics) {
    TL_TRY(in_.WantSymbol(","));
    do {
      const Token& token = in_.Peek();
      TL_TRY_ASSIGN(const Constant constant, in_.OneConstant());
      const double quantile =
          constant.type == Type::kInt ? static_cast<double>(constant.integer) : constant.number;
      const bool number = constant.type == Type::kInt || constant.type == Type::kFloat;
      if (!number || !(quantile >= 0 && quantile <= 1)) {
        return in_.Wrong(token, "want a quantile from 0 to 1");
      }
      if (metrics.quantiles.size() == kMaxQuantiles) {
        return in_.Wrong(token, "more than " + std::to_string(kMaxQuantiles) + " quantiles");
      }
      metrics.quantiles.push_back(quantile);
    } while (in_.TakeSymbol(","));
    return {};
  }

  // compare({selection}), compare({selection}, 10), compare({selection}, 10, start ns, end ns).
  Result<void> CompareArguments(Metrics& metrics) {
    TL_TRY_ASSIGN(metrics.selection, SpansetOperand());
    if (!in_.TakeSymbol(",")) return {};
    TL_TRY_ASSIGN(metrics.top_values, Whole("a number of values"));
    if (!in_.TakeSymbol(",")) return {};
    TL_TRY_ASSIGN(metrics.selection_start_unix_ns, Whole("a time in ns"));
    TL_TRY(in_.WantSymbol(","));
    TL_TRY_ASSIGN(metrics.selection_end_unix_ns, Whole("a time in ns"));
    return {};
  }

  Result<std::uint64_t> Whole(std::string_view want) {
    const Constant& constant = in_.Peek().constant;
    const bool whole = in_.Peek().kind == Token::Kind::kConstant && constant.type == Type::kInt;
    if (!whole) return in_.Unexpected(want);
    const auto value = static_cast<std::uint64_t>(constant.integer);
    in_.Advance();
    return value;
  }

  // Hints for another engine: read, and passed by.
  Result<void> With() {
    in_.Advance();
    TL_TRY(in_.WantSymbol("("));
    do {
      if (in_.Peek().kind != Token::Kind::kWord) return in_.Unexpected("the name of a hint");
      in_.Advance();
      TL_TRY(in_.WantSymbol("="));
      TL_TRY_ASSIGN(const Constant ignored, in_.OneConstant());
      static_cast<void>(ignored);
    } while (in_.TakeSymbol(","));
    return in_.WantSymbol(")");
  }

  ExprParser in_;
};

// The text of a comparison that can be read by itself; empty where it cannot.
std::string_view ReadableComparison(std::string_view text) {
  auto tokens = Tokenize(text);
  if (!tokens) return {};
  ExprParser parser(text, *std::move(tokens));
  const auto expr = parser.Expression();
  const bool whole = expr && parser.AtEnd();
  return whole && (*expr)->kind == Expr::Kind::kBinary && IsComparison((*expr)->op)
             ? text
             : std::string_view();
}

}  // namespace

Result<Query> Parse(std::string_view text) {
  TL_TRY_ASSIGN(std::vector<Token> tokens, Tokenize(text));
  return QueryParser(text, std::move(tokens)).Run();
}

Query ParseLeniently(std::string_view text) {
  if (auto query = Parse(text)) return *std::move(query);
  std::string sure;
  const std::size_t open = text.find('{');
  const std::size_t close = std::min(text.find('}'), text.size());
  // What stands beside || does not have to hold.
  if (open < close && text.size() <= kMaxQueryBytes && text.find("||") == text.npos) {
    std::string_view rest = text.substr(open + 1, close - open - 1);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find("&&"), rest.size());
      const std::string_view comparison = ReadableComparison(rest.substr(0, end));
      if (!comparison.empty()) {
        if (!sure.empty()) sure += " && ";
        sure += comparison;
      }
      rest.remove_prefix(std::min(end + 2, rest.size()));
    }
  }
  if (auto query = Parse("{" + sure + "}")) return *std::move(query);
  Query everything;
  everything.pipeline.stages.emplace_back().spanset = std::make_unique<Spanset>();
  return everything;
}

Result<Field> ParseField(std::string_view text) {
  TL_TRY_ASSIGN(std::vector<Token> tokens, Tokenize(text));
  ExprParser parser(text, std::move(tokens));
  TL_TRY_ASSIGN(Field field, parser.OneField());
  if (!parser.AtEnd()) return parser.Unexpected("the end of the name");
  return field;
}

}  // namespace throughline::api::query::traceql
