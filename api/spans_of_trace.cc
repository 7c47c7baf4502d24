#include "api/spans_of_trace.h"

#include <utility>

#include "api/links/known_traces.h"
#include "api/links/lookup.h"
#include "api/time_text.h"

namespace throughline::api {
namespace {

// Of an ambiguous id so many traces are named in the answer.
constexpr std::size_t kNamedTraces = 10;

Result<TimeRange> HintOf(const Request& request, const links::Context& context) {
  TimeRange hint;
  for (const auto& [name, bound] :
       {std::pair{"start", &hint.start_unix_ns}, std::pair{"end", &hint.end_unix_ns}}) {
    const auto text = request.Query(name);
    if (!text || text->empty()) continue;
    const auto time = ParseTime(*text, context.now_unix_ns);
    if (!time) return InvalidArgument(std::string(name) + ": " + time.error().message);
    *bound = *time;
  }
  return hint;
}

Error Ambiguous(std::string_view text, const links::Lookup& lookup) {
  std::string ids;
  for (const links::Match& match : lookup.matches) {
    if (ids.size() >= kNamedTraces * 34) break;
    ids += ids.empty() ? " " : ", ";
    AppendHex(match.trace_id, ids);
  }
  return {Errc::kConflict, "trace id " + std::string(text) + " names " +
                               std::to_string(lookup.matches.size()) + " traces:" + ids};
}

// A trace without spans, or none: the state of its link says why.
Error NotFound(const links::Lookup& lookup, const Request& request, const links::Context& context) {
  links::KnownTraces known(request.scope, context);
  const auto trace = known.Find(lookup.first.trace_id);
  if (!trace) return trace.error();
  const Link link = links::LinkOf(**trace, 0, context);
  return {Errc::kNotFound,
          "trace not found: " + std::string(LinkStateName(link.state)) + ": " + link.reason};
}

std::string MissingFrom(const TraceRecords& records, const TraceTree& tree) {
  std::string missing;
  const auto add = [&](const std::string& what) {
    if (!missing.empty()) missing += "; ";
    missing += what;
  };
  if (!records.complete) {
    add("not all spans were read (" + records.incomplete_reason + ")");
  }
  if (records.evidence.in_expired) add("older spans of this trace were dropped by retention");
  if (const std::size_t count = tree.missing_parents.size(); count > 0) {
    add(std::to_string(count) + (count == 1 ? " span is" : " spans are") +
        " missing: named as parent, and not here");
  }
  return missing;
}

}  // namespace

Result<SpansOfTrace> FindSpansOfTrace(std::string_view text, const Request& request,
                                      const links::Context& context) {
  TL_TRY_ASSIGN(const TimeRange hint, HintOf(request, context));
  const FindOptions options{.hint = hint, .logs = false, .exemplars = false};
  TL_TRY_ASSIGN(links::Lookup lookup, links::LookUp(text, request.scope, options, context));
  if (lookup.matches.size() > 1) return Ambiguous(text, lookup);
  if (lookup.records.records.spans.empty()) return NotFound(lookup, request, context);
  SpansOfTrace found;
  found.trace_id = lookup.matches.front().trace_id;
  found.tree = BuildTraceTree(lookup.records.records);
  found.missing = MissingFrom(lookup.records, found.tree);
  found.batch = std::move(lookup.records.records);
  return found;
}

}  // namespace throughline::api
