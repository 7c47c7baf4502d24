// POST /resolve: many ids and lines at once, each with what is known of its trace.
//
// The road of a line: FindIds on its text, one look into the request's cache, and copying JSON that
// was rendered once for its trace. Nothing is allocated for a line.
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "api/links/handlers.h"
#include "api/links/known_traces.h"
#include "api/links/line_time.h"
#include "api/links/render.h"
#include "api/parameters.h"
#include "api/status.h"
#include "correlate/find.h"
#include "correlate/ids.h"

namespace throughline::api::links {
namespace {

namespace dom = simdjson::dom;

// Between two looks at the deadline.
constexpr std::size_t kItemsPerLook = 256;

struct Items {
  std::vector<std::string_view> ids;  // Views into the parser.
  std::vector<std::string_view> lines;
};

Result<void> ReadTexts(dom::element value, std::string_view name, std::size_t limit,
                       std::vector<std::string_view>& texts) {
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) {
    return InvalidArgument(std::string(name) + ": want an array of strings");
  }
  for (const dom::element item : array) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) {
      return InvalidArgument(std::string(name) + "[" + std::to_string(texts.size()) +
                             "]: want a string");
    }
    if (texts.size() == limit) {
      return Error{Errc::kTooLarge, std::string(name) + ": more than " + std::to_string(limit) +
                                        " items; send the rest in another request"};
    }
    texts.push_back(text);
  }
  return {};
}

Result<Items> ReadBody(const Body& body, std::size_t limit, dom::parser& parser) {
  // Without room to read past the end, simdjson copies first.
  const bool copy = body.capacity() < body.size() + simdjson::SIMDJSON_PADDING;
  dom::element document;
  const auto error = parser.parse(body.view().data(), body.size(), copy).get(document);
  if (error != simdjson::SUCCESS) {
    return InvalidArgument("body: " + std::string(simdjson::error_message(error)));
  }
  dom::object object;
  if (document.get(object) != simdjson::SUCCESS) {
    return InvalidArgument("body: want an object with ids, lines or both");
  }
  Items items;
  for (const dom::key_value_pair field : object) {
    if (field.key == "ids") {
      TL_TRY(ReadTexts(field.value, "ids", limit, items.ids));
    } else if (field.key == "lines") {
      TL_TRY(ReadTexts(field.value, "lines", limit, items.lines));
    } else {
      return InvalidArgument("body: unknown member " + std::string(field.key) +
                             ", want ids or lines");
    }
  }
  if (items.ids.size() + items.lines.size() > limit) {
    return Error{Errc::kTooLarge, "ids and lines: more than " + std::to_string(limit) + " items"};
  }
  return items;
}

class Resolver {
 public:
  Resolver(wire::JsonWriter& json, const Scope& scope, const Context& context)
      : json_(json), context_(context), known_(scope, context) {}

  Result<void> Id(std::string_view text) {
    json_.BeginObject();
    json_.Key("input").String(text);
    const std::vector<Resolved> readings = ResolveAll(text);
    if (readings.empty()) {
      const Resolved why = throughline::Resolve(text, Strictness::kLookup, KeyKind::kNone);
      WriteReading(why);
      WriteNothing(LinkState::kMalformed, why.reason.empty() ? "no trace id" : why.reason);
    } else {
      TL_TRY_ASSIGN(const Resolved reading, Likeliest(readings));
      WriteReading(reading);
      TL_TRY(WriteTrace(reading.trace_id, reading.sampled == Sampled::kNo, {}));
    }
    json_.EndObject();
    return {};
  }

  Result<void> Line(std::string_view line) {
    FindIds(line, found_);
    json_.BeginObject();
    json_.Key("found").BeginArray();
    for (std::size_t i = 0; i < found_.count; ++i) {
      const Found& found = found_.ids[i];
      json_.BeginObject();
      WriteReading(found.id);
      json_.Key("found_by").String(FoundByName(found.found_by));
      json_.Key("key").String(found.key);
      json_.Key("offset").Uint(found.offset);
      json_.Key("length").Uint(found.length);
      json_.EndObject();
    }
    json_.EndArray();
    if (found_.count == 0) {
      json_.Raw(kNoId);
    } else {
      TL_TRY(WriteTrace(found_.ids[0].id.trace_id, found_.sampled == Sampled::kNo, line));
    }
    json_.EndObject();
    return {};
  }

 private:
  static constexpr std::string_view kNoId =
      "\"state\":null,\"reason\":\"no trace id in the line\",\"summary\":null";

  // What is known of one trace, and its JSON where that is the same for every line.
  struct Rendered {
    const KnownTrace* known = nullptr;
    std::string live;     // State, reason and summary; empty: not live.
    std::string summary;  // Of one that is not live.
  };
  struct Hash {
    std::size_t operator()(TraceId id) const { return HashCombine(id.high, id.low); }
  };

  void WriteReading(const Resolved& reading) {
    WriteId(json_.Key("trace_id"), reading.trace_id);
    json_.Key("high_known").Bool(reading.trace_id.high_known());
    WriteId(json_.Key("span_id"), reading.span_id);
    WriteSampled(json_.Key("sampled"), reading.sampled);
    json_.Key("spelling").String(SpellingName(reading.spelling));
    json_.Key("repaired").Bool(reading.repaired);
  }

  void WriteNothing(LinkState state, std::string_view reason) {
    json_.Key("state").String(LinkStateName(state));
    json_.Key("reason").String(reason);
    json_.Key("summary").Null();
  }

  // Of several readings the first that anything carries, else the first.
  Result<Resolved> Likeliest(const std::vector<Resolved>& readings) {
    for (const Resolved& reading : readings) {
      if (readings.size() == 1) break;
      TL_TRY_ASSIGN(const KnownTrace* known, known_.Find(reading.trace_id));
      if (!known->traces.empty()) return reading;
    }
    return readings.front();
  }

  // `line` is empty for an id.
  Result<void> WriteTrace(TraceId id, bool said_unsampled, std::string_view line) {
    Rendered& rendered = rendered_[id];
    if (rendered.known == nullptr) {
      TL_TRY_ASSIGN(rendered.known, known_.Find(id));
      Render(rendered);
    }
    if (!rendered.live.empty()) {
      json_.Raw(rendered.live);
      return {};
    }
    // Its age, and what the line itself says, are this line's own.
    KnownTrace known;
    known.evidence = rendered.known->evidence;
    known.evidence.said_unsampled |= said_unsampled;
    WriteLink(json_, LinkOf(known, LineTime(line), context_));
    json_.Key("summary").Raw(rendered.summary);
    return {};
  }

  void Render(Rendered& rendered) {
    const KnownTrace& known = *rendered.known;
    const TraceSummary* summary = known.summary();
    if (summary != nullptr && summary->evidence.span_count == 0) summary = nullptr;
    if (summary == nullptr && known.traces.size() <= 1) {
      rendered.summary = "null";
      return;
    }
    wire::JsonWriter json(rendered.live);
    WriteLink(json, LinkOf(known, 0, context_));
    WriteSummary(json.Key("summary"), summary);
  }

  wire::JsonWriter& json_;
  const Context& context_;
  KnownTraces known_;
  std::unordered_map<TraceId, Rendered, Hash> rendered_;
  FoundIds found_;
};

// Writes one array; false: the deadline came first.
template <typename Write>
Result<bool> WriteArray(wire::JsonWriter& json, std::string_view name,
                        const std::vector<std::string_view>& texts, const Scope& scope,
                        const Write& write) {
  json.Key(name).BeginArray();
  bool complete = true;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i % kItemsPerLook == 0 && scope.Expired()) {
      complete = false;
      break;
    }
    TL_TRY(write(texts[i]));
  }
  json.EndArray();
  return complete;
}

Result<Response> Answer(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  TL_TRY(parameters.Check());
  dom::parser parser;
  TL_TRY_ASSIGN(const Items items, ReadBody(request.body, context.settings.resolve_items, parser));
  Response response;
  response.body.reserve(256 + (items.ids.size() + items.lines.size()) * 768);
  wire::JsonWriter json(response.body);
  Resolver resolver(json, request.scope, context);
  json.BeginObject();
  TL_TRY_ASSIGN(const bool ids_complete,
                WriteArray(json, "ids", items.ids, request.scope,
                           [&](std::string_view text) { return resolver.Id(text); }));
  TL_TRY_ASSIGN(const bool lines_complete,
                WriteArray(json, "lines", items.lines, request.scope,
                           [&](std::string_view text) { return resolver.Line(text); }));
  WriteCompleteness(json, ids_complete && lines_complete, "timeout");
  json.EndObject();
  return response;
}

}  // namespace

Response Resolve(const Request& request, const Context& context) {
  auto response = Answer(request, context);
  return response ? std::move(*response) : Problem(response.error());
}

}  // namespace throughline::api::links
