// What an id, in any spelling, names: the first step of every lookup by id.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/links/handlers.h"
#include "api/links/known_traces.h"
#include "correlate/ids.h"
#include "correlate/query.h"

namespace throughline::api::links {

// Of an ambiguous id so many traces are looked at; more make the answer incomplete.
inline constexpr std::size_t kMaxMatches = 100;

struct Match {
  TraceId trace_id;
  Spelling spelling = Spelling::kNone;
};

struct Lookup {
  Resolved first;              // The likeliest reading.
  std::vector<Match> matches;  // Distinct traces, the likeliest reading's first.
  TraceRecords records;        // Of the match, where there is one; else the evidence of `first`.
};

// kInvalidArgument: `text` is no id.
Result<Lookup> LookUp(std::string_view text, const Scope& scope, const FindOptions& options,
                      const Context& context);

// The problem for an id that cannot be read: 400 with the state.
Response MalformedProblem(std::string_view text, const Error& error);
// For one that names several traces: 409 with the matches.
Response AmbiguousProblem(std::string_view text, const Lookup& lookup, KnownTraces& known,
                          const Context& context);
// For an id that no record carries: 404 with the state and why.
Response NothingProblem(std::string_view text, const Lookup& lookup, const Context& context);

}  // namespace throughline::api::links
