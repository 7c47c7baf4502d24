// TraceQL's values at run time, and how they compare.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/query/traceql.h"

namespace throughline::api::query::traceql {

// As Constant, with a view of its text.
struct Datum {
  Type type = Type::kNil;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view text = {};

  bool is_true() const { return type == Type::kBool && integer != 0; }
};

Datum Of(const Constant& constant);
Constant Owned(const Datum& datum);

Datum OfBool(bool value);
Datum OfInt(std::int64_t value);
Datum OfDuration(std::uint64_t ns);  // Cut at what a signed number holds.
Datum OfText(std::string_view text);

bool IsNumeric(const Datum& datum);  // Durations are, in ns.
double NumberOf(const Datum& datum);

// Numbers and durations compare as numbers, strings as bytes, the others only for equality;
// different kinds of things satisfy no comparison. `op` is one of the six.
bool Compare(Op op, const Datum& left, const Datum& right);

// kAdd to kPower. Nil where it has no meaning.
Datum Arithmetic(Op op, const Datum& left, const Datum& right);

// For tables and tags: strings as they are, words for status and kind, numbers as decimals.
std::string TextOf(const Datum& datum);

}  // namespace throughline::api::query::traceql
