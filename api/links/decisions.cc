// GET /decisions/{id}: what sampling did with a trace, and which records say so.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "api/links/handlers.h"
#include "api/links/lookup.h"
#include "api/links/render.h"
#include "api/parameters.h"
#include "api/status.h"
#include "correlate/analysis/line_placement.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/decision.h"

namespace throughline::api::links {
namespace {

constexpr std::size_t kDecisionRecords = 20;  // Of each kind of evidence in one answer.

// The lines of one trace that say something of its sampling, by time.
struct Evidence {
  std::vector<PlacedLine> decisions;
  std::vector<PlacedLine> flags;

  bool empty() const { return decisions.empty() && flags.empty(); }
};

Evidence EvidenceIn(const Batch& batch) {
  std::vector<std::uint32_t> indices;
  for (std::uint32_t i = 0; i < batch.logs.size(); ++i) {
    const LogLine& line = batch.logs[i];
    if (line.sampled == Sampled::kNo || DecisionOf(line, batch)) indices.push_back(i);
  }
  Evidence evidence;
  for (const PlacedLine& line : PlaceLines(batch, BuildTraceTree(batch), batch, indices)) {
    const bool decides = DecisionOf(batch.logs[line.index], batch).has_value();
    (decides ? evidence.decisions : evidence.flags).push_back(line);
  }
  return evidence;
}

void WriteDecision(wire::JsonWriter& json, RecordWriter& records, const Batch& batch,
                   const PlacedLine& line) {
  const Decision decision = DecisionOf(batch.logs[line.index], batch).value();
  json.BeginObject();
  json.Key("kept").Bool(decision.kept);
  json.Key("rule");
  if (decision.rule.empty()) {
    json.Null();
  } else {
    json.String(decision.rule);
  }
  json.Key("probability");
  if (decision.probability) {
    json.Double(*decision.probability);
  } else {
    json.Null();
  }
  json.Key("record");
  records.WriteLine(line, false);
  json.EndObject();
}

Response Render(const Lookup& lookup, const Evidence& evidence, const Link& link) {
  const Batch& batch = lookup.records.records;
  Response response;
  wire::JsonWriter json(response.body);
  RecordWriter records(json, batch);
  json.BeginObject();
  WriteId(json.Key("trace_id"), lookup.matches.front().trace_id);
  json.Key("spelling").String(SpellingName(lookup.matches.front().spelling));
  WriteLink(json, link);
  json.Key("decisions").BeginArray();
  const std::size_t decisions = std::min(evidence.decisions.size(), kDecisionRecords);
  for (std::size_t i = 0; i < decisions; ++i) {
    WriteDecision(json, records, batch, evidence.decisions[i]);
  }
  json.EndArray();
  json.Key("flags").BeginArray();
  const std::size_t flags = std::min(evidence.flags.size(), kDecisionRecords);
  for (std::size_t i = 0; i < flags; ++i) records.WriteLine(evidence.flags[i], false);
  json.EndArray();
  const bool all = decisions == evidence.decisions.size() && flags == evidence.flags.size();
  WriteCompleteness(
      json, lookup.records.complete && all,
      lookup.records.complete ? std::string_view("limit") : lookup.records.incomplete_reason);
  json.EndObject();
  return response;
}

// 404: nobody said anything of its sampling.
Response NoDecision(TraceId id, const Link& link) {
  std::string members = "\"trace_id\":\"" + ToHex(id) + "\",\"state\":\"";
  members += LinkStateName(link.state);
  members += '"';
  return Problem(
      {Errc::kNotFound, "trace " + ToHex(id) + ": no decision and no sampled=0 is known; it is " +
                            std::string(LinkStateName(link.state)) + ": " + link.reason},
      members);
}

}  // namespace

Response Decisions(const Request& request, const Context& context) {
  const std::string_view text = request.captures.empty() ? std::string_view() : request.captures[0];
  Parameters parameters(request, context.now_unix_ns);
  if (const auto checked = parameters.Check(); !checked) return Problem(checked.error());
  FindOptions options;
  options.exemplars = false;
  const auto lookup = LookUp(text, request.scope, options, context);
  if (!lookup) return MalformedProblem(text, lookup.error());
  if (lookup->matches.empty()) return NothingProblem(text, *lookup, context);
  if (lookup->matches.size() > 1) {
    KnownTraces known(request.scope, context);
    return AmbiguousProblem(text, *lookup, known, context);
  }
  const Link link =
      StateOf(lookup->records.evidence, 0, context.now_unix_ns, context.settings.pending_wait_ns);
  const Evidence evidence = EvidenceIn(lookup->records.records);
  if (evidence.empty()) return NoDecision(lookup->matches.front().trace_id, link);
  return Render(*lookup, evidence, link);
}

}  // namespace throughline::api::links
