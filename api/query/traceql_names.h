// The words of TraceQL: intrinsics in both spellings, status and kind, functions.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "api/query/traceql.h"

namespace throughline::api::query::traceql {

struct IntrinsicName {
  std::string_view text;
  Intrinsic intrinsic;
};
// The first of each intrinsic is how it is written out, and how answers name it.
inline constexpr std::array<IntrinsicName, 30> kIntrinsics = {
    {{"duration", Intrinsic::kDuration},
     {"name", Intrinsic::kName},
     {"status", Intrinsic::kStatus},
     {"statusMessage", Intrinsic::kStatusMessage},
     {"kind", Intrinsic::kKind},
     {"childCount", Intrinsic::kChildCount},
     {"traceDuration", Intrinsic::kTraceDuration},
     {"rootName", Intrinsic::kRootName},
     {"rootServiceName", Intrinsic::kRootService},
     {"nestedSetLeft", Intrinsic::kNestedSetLeft},
     {"nestedSetRight", Intrinsic::kNestedSetRight},
     {"nestedSetParent", Intrinsic::kNestedSetParent},
     {"span:id", Intrinsic::kSpanId},
     {"span:parentID", Intrinsic::kParentId},
     {"trace:id", Intrinsic::kTraceId},
     {"event:name", Intrinsic::kEventName},
     {"event:timeSinceStart", Intrinsic::kEventTimeSinceStart},
     {"link:spanID", Intrinsic::kLinkSpanId},
     {"link:traceID", Intrinsic::kLinkTraceId},
     {"instrumentation:name", Intrinsic::kInstrumentationName},
     {"instrumentation:version", Intrinsic::kInstrumentationVersion},
     {"span:duration", Intrinsic::kDuration},
     {"span:name", Intrinsic::kName},
     {"span:status", Intrinsic::kStatus},
     {"span:statusMessage", Intrinsic::kStatusMessage},
     {"span:kind", Intrinsic::kKind},
     {"span:childCount", Intrinsic::kChildCount},
     {"trace:duration", Intrinsic::kTraceDuration},
     {"trace:rootName", Intrinsic::kRootName},
     {"trace:rootService", Intrinsic::kRootService}}};

// By OTLP's numbers.
inline constexpr std::array<std::string_view, 3> kStatusWords = {"unset", "ok", "error"};
inline constexpr std::array<std::string_view, 6> kKindWords = {
    "unspecified", "internal", "server", "client", "producer", "consumer"};

inline constexpr std::array<std::string_view, 5> kAggregateWords = {"count", "min", "max", "avg",
                                                                    "sum"};
inline constexpr std::array<std::string_view, 9> kMetricWords = {
    "rate",          "count_over_time",    "min_over_time",       "max_over_time", "avg_over_time",
    "sum_over_time", "quantile_over_time", "histogram_over_time", "compare"};

// By Op and by SpansetOp.
inline constexpr std::array<std::string_view, 18> kOpSymbols = {
    "&&", "||", "=", "!=", "<", "<=", ">", ">=", "=~",
    "!~", "+",  "-", "*",  "/", "%",  "^", "!",  "-"};
inline constexpr std::array<std::string_view, 7> kSpansetSymbols = {"&&", "||", ">", ">>",
                                                                    "<",  "<<", "~"};

// The index of `word` in `words`.
template <std::size_t kCount>
std::optional<std::size_t> IndexOf(const std::array<std::string_view, kCount>& words,
                                   std::string_view word) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (words[i] == word) return i;
  }
  return std::nullopt;
}

inline std::optional<Intrinsic> IntrinsicNamed(std::string_view text) {
  for (const IntrinsicName& name : kIntrinsics) {
    if (name.text == text) return name.intrinsic;
  }
  return std::nullopt;
}

inline std::string_view NameOf(Intrinsic intrinsic) {
  for (const IntrinsicName& name : kIntrinsics) {
    if (name.intrinsic == intrinsic) return name.text;
  }
  return {};
}

inline bool IsComparison(Op op) { return op >= Op::kEqual && op <= Op::kNotRegex; }

}  // namespace throughline::api::query::traceql
