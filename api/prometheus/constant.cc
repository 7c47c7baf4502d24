#include "api/prometheus/constant.h"

#include <cmath>
#include <numbers>
#include <string_view>

namespace throughline::api::prometheus {
namespace {

using query::PromQl;

std::optional<double> Computed(const PromQl& binary, double left, double right) {
  const std::string_view op = binary.text;
  if (op == "+") return left + right;
  if (op == "-") return left - right;
  if (op == "*") return left * right;
  if (op == "/") return left / right;
  if (op == "%") return std::fmod(left, right);
  if (op == "^") return std::pow(left, right);
  if (op == "atan2") return std::atan2(left, right);
  if (!binary.returns_bool) return std::nullopt;  // A filter.
  if (op == "==") return left == right ? 1 : 0;
  if (op == "!=") return left != right ? 1 : 0;
  if (op == "<") return left < right ? 1 : 0;
  if (op == "<=") return left <= right ? 1 : 0;
  if (op == ">") return left > right ? 1 : 0;
  if (op == ">=") return left >= right ? 1 : 0;
  return std::nullopt;
}

std::optional<Constant> OfCall(const PromQl& call, double unix_seconds) {
  const std::string_view name = call.text;
  if (call.arguments.empty()) {
    if (name == "time") return Constant{unix_seconds};
    if (name == "pi") return Constant{std::numbers::pi};
    return std::nullopt;
  }
  if (call.arguments.size() != 1 || (name != "vector" && name != "scalar")) return std::nullopt;
  auto of = ConstantOf(call.arguments[0], unix_seconds);
  const bool wants_vector = name == "scalar";
  if (!of || of->is_vector != wants_vector) return std::nullopt;
  return Constant{of->value, !wants_vector};
}

}  // namespace

std::optional<Constant> ConstantOf(const PromQl& expression, double unix_seconds) {
  using Kind = PromQl::Kind;
  switch (expression.kind) {
    case Kind::kNumber: return Constant{expression.number};
    case Kind::kCall: return OfCall(expression, unix_seconds);
    case Kind::kNegative: {
      auto of = ConstantOf(expression.arguments[0], unix_seconds);
      if (of) of->value = -of->value;
      return of;
    }
    case Kind::kBinary: {
      const auto left = ConstantOf(expression.arguments[0], unix_seconds);
      const auto right = ConstantOf(expression.arguments[1], unix_seconds);
      if (!left || !right) return std::nullopt;
      const auto value = Computed(expression, left->value, right->value);
      if (!value) return std::nullopt;
      return Constant{*value, left->is_vector || right->is_vector};
    }
    case Kind::kString:
    case Kind::kSelector:
    case Kind::kAggregate:
    case Kind::kSubquery: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace throughline::api::prometheus
