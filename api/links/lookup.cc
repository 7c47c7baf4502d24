#include "api/links/lookup.h"

#include <algorithm>
#include <utility>

#include "api/links/render.h"
#include "api/status.h"

namespace throughline::api::links {
namespace {

// What a problem quotes of an input.
constexpr std::size_t kQuotedBytes = 200;

// `members` is an open object's inside: JsonWriter leaves out the first comma, Problem adds it.
std::string Members(std::string object) { return object.substr(1, object.size() - 2); }

}  // namespace

Result<Lookup> LookUp(std::string_view text, const Scope& scope, const FindOptions& options,
                      const Context& context) {
  const std::vector<Resolved> readings = ResolveAll(text);
  if (readings.empty()) {
    const Resolved why = throughline::Resolve(text, Strictness::kLookup, KeyKind::kNone);
    return InvalidArgument("no trace id: " + std::string(why.reason.empty()
                                                             ? "want 16 or 32 hex digits, or a "
                                                               "traceparent or another header"
                                                             : why.reason));
  }
  Lookup lookup;
  lookup.first = readings.front();
  for (const Resolved& reading : readings) {
    TL_TRY_ASSIGN(TraceRecords records, context.store.FindTrace(scope, reading.trace_id, options));
    const bool first_found = lookup.matches.empty() && !records.matches.empty();
    for (const TraceId id : records.matches) {
      const auto same = [id](const Match& match) { return match.trace_id == id; };
      if (std::none_of(lookup.matches.begin(), lookup.matches.end(), same)) {
        lookup.matches.push_back({id, reading.spelling});
      }
    }
    // Nothing found so far: the first reading's evidence says why.
    if (first_found || &reading == &readings.front()) lookup.records = std::move(records);
  }
  return lookup;
}

Response MalformedProblem(std::string_view text, const Error& error) {
  if (error.code != Errc::kInvalidArgument) return Problem(error);
  std::string object;
  wire::JsonWriter json(object);
  json.BeginObject();
  json.Key("state").String(LinkStateName(LinkState::kMalformed));
  json.Key("input").String(text.substr(0, kQuotedBytes));
  json.EndObject();
  return Problem(error, Members(std::move(object)));
}

Response AmbiguousProblem(std::string_view text, const Lookup& lookup, KnownTraces& known,
                          const Context& context) {
  std::vector<TraceId> ids;
  for (const Match& match : lookup.matches) ids.push_back(match.trace_id);
  std::string members = "\"state\":\"ambiguous\",\"matches\":";
  wire::JsonWriter json(members);
  json.BeginArray();
  for (std::size_t i = 0; i < ids.size() && i < kMaxMatches; ++i) {
    const auto found = known.Find(ids[i]);
    if (!found) return Problem(found.error());
    json.BeginObject();
    WriteId(json.Key("trace_id"), ids[i]);
    WriteLink(json, LinkOf(**found, 0, context));
    WriteSummary(json.Key("summary"), (*found)->summary());
    json.EndObject();
  }
  json.EndArray();
  return Problem({Errc::kConflict, std::string(text) + ": " + AmbiguousLink(ids).reason}, members);
}

Response NothingProblem(std::string_view text, const Lookup& lookup, const Context& context) {
  const Link link =
      StateOf(lookup.records.evidence, 0, context.now_unix_ns, context.settings.pending_wait_ns);
  std::string object;
  wire::JsonWriter json(object);
  json.BeginObject();
  WriteLink(json, link);
  json.Key("input").String(text.substr(0, kQuotedBytes));
  WriteId(json.Key("trace_id"), lookup.first.trace_id);
  json.Key("spelling").String(SpellingName(lookup.first.spelling));
  json.EndObject();
  Error error{Errc::kNotFound, "trace " + ToHex(lookup.first.trace_id) + ": " + link.reason};
  return Problem(error, Members(std::move(object)));
}

}  // namespace throughline::api::links
