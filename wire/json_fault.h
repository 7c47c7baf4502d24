// Finds where a JSON text breaks: the slow, plain reading of what simdjson has refused, since
// simdjson says what is wrong but not where. It also finds the numbers as they were written.
// Source: RFC 8259.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace throughline::wire {

struct JsonFault {
  std::size_t offset =
      0;  // Of the first byte that cannot stand there; the size: the text ends early.
  std::string_view reason;  // Static text.
};

// A number that becomes a double: one with a point or an exponent, or an integer over 64 bits.
struct JsonDouble {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// nullopt: `text` is JSON of at most `max_depth` levels and 4 GiB, with finite numbers; `doubles`
// has its doubles in order. Linear, without recursion.
std::optional<JsonFault> FindJsonFault(std::string_view text, std::size_t max_depth,
                                       std::vector<JsonDouble>& doubles);

}  // namespace throughline::wire
