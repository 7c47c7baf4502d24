// PromQL, read into a tree: all of its grammar, so that whatever a panel asks is understood as far
// as its selectors, though only constants and few forms are answered (api/prometheus).
//
// Names of metrics and labels may have dots, which OTLP's have and PromQL's own grammar puts in
// quotes. Names of functions and the types of their arguments are not checked. Regular expressions
// are.
// Source: prometheus.io/docs/prometheus/latest/querying/basics and .../operators; the words of
// errors are those of Prometheus where a program might look for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/query/selector.h"
#include "correlate/result.h"

namespace throughline::api::query {

// Queries that are longer, or deeper, or have more selectors are refused.
inline constexpr std::size_t kMaxPromQlBytes = 64UL << 10U;
inline constexpr std::size_t kMaxPromQlDepth = 100;
inline constexpr std::size_t kMaxPromQlSelectors = 100;

struct PromQl {
  enum class Kind {
    kNumber,     // number
    kString,     // text
    kSelector,   // selector, range_ns
    kCall,       // text: the function; arguments
    kAggregate,  // text: sum, topk, ...; labels, without; arguments: a parameter before the rest
    kBinary,     // text: the operator in lower case; two arguments
    kNegative,   // one argument
    kSubquery,   // range_ns; one argument
  };
  Kind kind = Kind::kNumber;
  double number = 0;
  std::string text;
  Selector selector;
  std::uint64_t range_ns = 0;  // 0: an instant selector.
  bool shifted = false;        // Has an offset, or @.
  bool without = false;
  bool returns_bool = false;        // A comparison with the word bool.
  std::vector<std::string> labels;  // Of by and without; of on and ignoring.
  std::vector<PromQl> arguments;

  // A scalar, not a vector: a number, time(), or what is computed of such.
  bool IsScalar() const;
};

// kInvalidArgument: "1:5: parse error: ...", with line and column.
Result<PromQl> ParsePromQl(std::string_view text);

// Every selector in it, in the order of the text. They are parts of `expression`.
std::vector<const PromQl*> SelectorsOf(const PromQl& expression);

// Every label that a by() in it names, sorted, once each.
std::vector<std::string> GroupedLabelsOf(const PromQl& expression);

}  // namespace throughline::api::query
