#include <charconv>
#include <cmath>

#include "api/query/traceql.h"
#include "api/query/traceql_names.h"

namespace throughline::api::query::traceql {
namespace {

// With a point or an exponent, so that it stays a float.
void AppendFloat(double number, std::string& out) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  const std::string_view text(digits, static_cast<std::size_t>(end.ptr - digits));
  out += text;
  if (text.find_first_of(".en") == text.npos) out += ".0";
}

void AppendText(const Constant& constant, std::string& out) {
  switch (constant.type) {
    case Type::kNil: out += "nil"; break;
    case Type::kBool: out += constant.integer != 0 ? "true" : "false"; break;
    case Type::kInt: out += std::to_string(constant.integer); break;
    case Type::kFloat: AppendFloat(constant.number, out); break;
    case Type::kDuration: out += std::to_string(constant.integer) + "ns"; break;
    case Type::kString: out += QuotedText(constant.text); break;
    case Type::kStatus: out += kStatusWords[static_cast<std::size_t>(constant.integer)]; break;
    case Type::kKind: out += kKindWords[static_cast<std::size_t>(constant.integer)]; break;
  }
}

// Whether every byte may stand in a bare name.
bool IsPlain(std::string_view key) {
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.' || c == '-' || c == ':';
    if (!plain) return false;
  }
  return true;
}

void AppendText(const Field& field, std::string& out) {
  if (field.intrinsic != Intrinsic::kNone) {
    out += NameOf(field.intrinsic);
    return;
  }
  constexpr std::array<std::string_view, 6> kScopes = {".",      "span.", "resource.",
                                                       "event.", "link.", "instrumentation."};
  if (field.of_parent) out += field.scope == FieldScope::kAny ? "parent" : "parent.";
  out += kScopes[static_cast<std::size_t>(field.scope)];
  // A digit behind the dot would begin a number.
  if (IsPlain(field.key) && !(field.key[0] >= '0' && field.key[0] <= '9')) {
    out += field.key;
  } else {
    out += QuotedText(field.key);
  }
}

void AppendText(const Expr& expr, std::string& out) {
  switch (expr.kind) {
    case Expr::Kind::kConstant: AppendText(expr.constant, out); break;
    case Expr::Kind::kField: AppendText(expr.field, out); break;
    case Expr::Kind::kUnary:
      out += kOpSymbols[static_cast<std::size_t>(expr.op)];
      out += '(';
      AppendText(*expr.left, out);
      out += ')';
      break;
    case Expr::Kind::kBinary: {
      const bool nested_left = expr.left->kind == Expr::Kind::kBinary;
      const bool nested_right = expr.right->kind == Expr::Kind::kBinary;
      if (nested_left) out += '(';
      AppendText(*expr.left, out);
      if (nested_left) out += ')';
      out += ' ';
      out += kOpSymbols[static_cast<std::size_t>(expr.op)];
      out += ' ';
      if (nested_right) out += '(';
      AppendText(*expr.right, out);
      if (nested_right) out += ')';
      break;
    }
  }
}

void AppendFields(const std::vector<Field>& fields, std::string& out) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ", ";
    AppendText(fields[i], out);
  }
}

void AppendText(const Pipeline& pipeline, std::string& out);

void AppendText(const Spanset& spanset, std::string& out) {
  switch (spanset.kind) {
    case Spanset::Kind::kFilter:
      out += '{';
      if (spanset.filter != nullptr) {
        out += ' ';
        AppendText(*spanset.filter, out);
        out += ' ';
      }
      out += '}';
      break;
    case Spanset::Kind::kOperation:
      out += '(';
      AppendText(*spanset.left, out);
      out += ' ';
      if (spanset.negated) out += '!';
      if (spanset.unites) out += '&';
      out += kSpansetSymbols[static_cast<std::size_t>(spanset.op)];
      out += ' ';
      AppendText(*spanset.right, out);
      out += ')';
      break;
    case Spanset::Kind::kPipeline:
      out += '(';
      AppendText(*spanset.pipeline, out);
      out += ')';
      break;
  }
}

void AppendText(const Stage& stage, std::string& out) {
  switch (stage.kind) {
    case Stage::Kind::kSpanset: AppendText(*stage.spanset, out); break;
    case Stage::Kind::kSelect:
      out += "select(";
      AppendFields(stage.fields, out);
      out += ')';
      break;
    case Stage::Kind::kBy:
      out += "by(";
      AppendText(*stage.by, out);
      out += ')';
      break;
    case Stage::Kind::kCoalesce: out += "coalesce()"; break;
    case Stage::Kind::kAggregate:
      out += kAggregateWords[static_cast<std::size_t>(stage.aggregate)];
      out += '(';
      if (stage.of != nullptr) AppendText(*stage.of, out);
      out += ") ";
      out += kOpSymbols[static_cast<std::size_t>(stage.op)];
      out += ' ';
      AppendText(stage.bound, out);
      break;
  }
}

void AppendText(const Pipeline& pipeline, std::string& out) {
  for (std::size_t i = 0; i < pipeline.stages.size(); ++i) {
    if (i > 0) out += " | ";
    AppendText(pipeline.stages[i], out);
  }
}

void AppendText(const Metrics& metrics, std::string& out) {
  out += kMetricWords[static_cast<std::size_t>(metrics.function)];
  out += '(';
  if (metrics.of) AppendText(*metrics.of, out);
  for (const double quantile : metrics.quantiles) {
    out += ", ";
    AppendFloat(quantile, out);
  }
  if (metrics.selection != nullptr) {
    AppendText(*metrics.selection, out);
    out += ", " + std::to_string(metrics.top_values);
    if (metrics.selection_end_unix_ns != 0) {
      out += ", " + std::to_string(metrics.selection_start_unix_ns) + ", " +
             std::to_string(metrics.selection_end_unix_ns);
    }
  }
  out += ')';
  if (!metrics.by.empty()) {
    out += " by(";
    AppendFields(metrics.by, out);
    out += ')';
  }
  if (metrics.top > 0) out += " | topk(" + std::to_string(metrics.top) + ")";
  if (metrics.bottom > 0) out += " | bottomk(" + std::to_string(metrics.bottom) + ")";
}

template <typename Part>
std::string TextOf(const Part& part) {
  std::string out;
  AppendText(part, out);
  return out;
}

}  // namespace

std::string QuotedText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      case '"':
      case '\\':
        out += '\\';
        out += c;
        break;
      default: out += c;
    }
  }
  return out + '"';
}

std::string ToText(const Query& query) {
  std::string out = TextOf(query.pipeline);
  if (query.metrics) out += " | " + TextOf(*query.metrics);
  return out;
}

std::string ToText(const Field& field) { return TextOf(field); }
std::string ToText(const Expr& expr) { return TextOf(expr); }

}  // namespace throughline::api::query::traceql
