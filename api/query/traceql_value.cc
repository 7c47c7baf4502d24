#include "api/query/traceql_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/query/traceql_names.h"

namespace throughline::api::query::traceql {
namespace {

template <typename T>
bool Holds(Op op, const T& left, const T& right) {
  switch (op) {
    case Op::kEqual: return left == right;
    case Op::kNotEqual: return left != right;
    case Op::kLess: return left < right;
    case Op::kLessEqual: return left <= right;
    case Op::kGreater: return left > right;
    case Op::kGreaterEqual: return left >= right;
    default: return false;
  }
}

Datum OfNumber(double number) { return {.type = Type::kFloat, .number = number}; }

// The nearest duration; nil for what is none.
Datum OfNearest(double ns) {
  if (!(std::fabs(ns) < 9.2e18)) return {};
  return {.type = Type::kDuration, .integer = std::llround(ns)};
}

bool WholeArithmetic(Op op, std::int64_t left, std::int64_t right, std::int64_t& result) {
  switch (op) {
    case Op::kAdd: return !__builtin_add_overflow(left, right, &result);
    case Op::kSubtract: return !__builtin_sub_overflow(left, right, &result);
    case Op::kMultiply: return !__builtin_mul_overflow(left, right, &result);
    case Op::kModulo:
      if (right == 0 || right == -1) return false;
      result = left % right;
      return true;
    default: return false;
  }
}

double FloatArithmetic(Op op, double left, double right) {
  switch (op) {
    case Op::kAdd: return left + right;
    case Op::kSubtract: return left - right;
    case Op::kMultiply: return left * right;
    case Op::kDivide: return left / right;
    case Op::kModulo: return std::fmod(left, right);
    default: return std::pow(left, right);
  }
}

}  // namespace

Datum Of(const Constant& constant) {
  return {.type = constant.type,
          .integer = constant.integer,
          .number = constant.number,
          .text = constant.text};
}

Constant Owned(const Datum& datum) {
  return {.type = datum.type,
          .integer = datum.integer,
          .number = datum.number,
          .text = std::string(datum.text)};
}

Datum OfBool(bool value) { return {.type = Type::kBool, .integer = value ? 1 : 0}; }
Datum OfInt(std::int64_t value) { return {.type = Type::kInt, .integer = value}; }
Datum OfDuration(std::uint64_t ns) {
  return {.type = Type::kDuration,
          .integer = static_cast<std::int64_t>(std::min<std::uint64_t>(ns, INT64_MAX))};
}
Datum OfText(std::string_view text) { return {.type = Type::kString, .text = text}; }

bool IsNumeric(const Datum& datum) {
  return datum.type == Type::kInt || datum.type == Type::kFloat || datum.type == Type::kDuration;
}

double NumberOf(const Datum& datum) {
  return datum.type == Type::kFloat ? datum.number : static_cast<double>(datum.integer);
}

bool Compare(Op op, const Datum& left, const Datum& right) {
  if (IsNumeric(left) && IsNumeric(right)) {
    if (left.type != Type::kFloat && right.type != Type::kFloat) {
      return Holds(op, left.integer, right.integer);
    }
    return Holds(op, NumberOf(left), NumberOf(right));
  }
  if (left.type != right.type) return false;
  if (left.type == Type::kString) return Holds(op, left.text, right.text);
  const bool equality = op == Op::kEqual || op == Op::kNotEqual;
  return equality && left.type != Type::kNil && Holds(op, left.integer, right.integer);
}

Datum Arithmetic(Op op, const Datum& left, const Datum& right) {
  if (!IsNumeric(left) || !IsNumeric(right)) return {};
  const bool left_time = left.type == Type::kDuration;
  const bool right_time = right.type == Type::kDuration;
  // A duration stays one, but for a quotient of two.
  const bool gives_time = op == Op::kDivide ? left_time && !right_time : left_time || right_time;
  std::int64_t whole = 0;
  if (left.type != Type::kFloat && right.type != Type::kFloat &&
      WholeArithmetic(op, left.integer, right.integer, whole)) {
    return {.type = gives_time ? Type::kDuration : Type::kInt, .integer = whole};
  }
  const double number = FloatArithmetic(op, NumberOf(left), NumberOf(right));
  return gives_time ? OfNearest(number) : OfNumber(number);
}

std::string TextOf(const Datum& datum) {
  switch (datum.type) {
    case Type::kNil: return "nil";
    case Type::kBool: return datum.integer != 0 ? "true" : "false";
    case Type::kInt: return std::to_string(datum.integer);
    case Type::kFloat: {
      char digits[40];
      const auto end = std::to_chars(digits, digits + sizeof digits, datum.number);
      return std::string(digits, end.ptr);
    }
    case Type::kDuration: return std::to_string(datum.integer) + "ns";
    case Type::kString: return std::string(datum.text);
    case Type::kStatus: {
      const auto index = static_cast<std::size_t>(datum.integer);
      return index < kStatusWords.size() ? std::string(kStatusWords[index])
                                         : std::to_string(datum.integer);
    }
    case Type::kKind: {
      const auto index = static_cast<std::size_t>(datum.integer);
      return index < kKindWords.size() ? std::string(kKindWords[index])
                                       : std::to_string(datum.integer);
    }
  }
  return {};
}

}  // namespace throughline::api::query::traceql
