// The expressions whose value is known without any sample: numbers, + - * / % ^ and comparisons
// with bool of such, parentheses, time(), pi(), scalar() and vector() of such.
#pragma once

#include <optional>

#include "api/query/promql.h"

namespace throughline::api::prometheus {

struct Constant {
  double value = 0;
  bool is_vector = false;  // One element without labels.
};

// At a time, in seconds. nullopt: it is no constant.
std::optional<Constant> ConstantOf(const query::PromQl& expression, double unix_seconds);

}  // namespace throughline::api::prometheus
