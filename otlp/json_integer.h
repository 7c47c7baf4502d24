// Decimal text of an integer, exactly: what OTLP/JSON allows in a field of 64 bits.
//
// "1700000000000000001", "-5", "2.0", "1.5e9" and "1500e-2" are integers; "1.5", "" and " 1" are
// not. No double is involved, so that what fits 64 bits is exact.
// Source: protobuf.dev/programming-guides/json, "int64, fixed64, uint64".
#pragma once

#include <cstdint>
#include <string_view>

namespace throughline::otlp {

struct DecimalInteger {
  enum class State {
    kOk,
    kNotANumber,   // Not of the form that JSON gives to numbers.
    kNotIntegral,  // "1.5".
    kTooLarge,     // The magnitude is over 64 bits.
  };
  State state = State::kOk;
  bool negative = false;  // Never for zero.
  std::uint64_t magnitude = 0;
};

DecimalInteger ParseInteger(std::string_view text);

}  // namespace throughline::otlp
