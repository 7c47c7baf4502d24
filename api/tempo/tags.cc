// GET /api/search/tags and /api/v2/search/tags: which attributes there are.
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/plain_text.h"
#include "api/query/traceql_names.h"
#include "api/tempo/handlers.h"
#include "api/tempo/parameters.h"
#include "api/walk_traces.h"
#include "wire/json_writer.h"

namespace throughline::api::tempo {
namespace {

constexpr std::size_t kDefaultTags = 5000;
constexpr std::size_t kIntrinsic = 5;
constexpr std::array<std::string_view, 6> kScopes = {"resource",        "span",     "event", "link",
                                                     "instrumentation", "intrinsic"};

// The keys by scope, at most so many in each.
class Tags {
 public:
  explicit Tags(std::size_t most) : most_(most) {}

  void Add(const WalkedTrace& trace) {
    const Batch& batch = trace.batch;
    for (const Span& span : batch.spans) {
      if (const Resource* resource = batch.ResourceOf(span.resource))
        Add(0, batch, resource->attributes);
      Add(1, batch, span.attributes);
      for (const SpanEvent& event : batch.EventsOf(span)) Add(2, batch, event.attributes);
      for (const SpanLink& link : batch.LinksOf(span)) Add(3, batch, link.attributes);
      if (const auto* scope = batch.ScopeOf(span.scope)) Add(4, batch, scope->attributes);
    }
  }
  void AddIntrinsics() {
    for (const auto& name : query::traceql::kIntrinsics) Insert(kIntrinsic, name.text);
  }

  const std::set<std::string, std::less<>>& Of(std::size_t scope) const { return keys_[scope]; }

 private:
  void Add(std::size_t scope, const Batch& batch, Range range) {
    for (const Attribute& attribute : batch.Of(range)) Insert(scope, attribute.key());
  }
  void Insert(std::size_t scope, std::string_view key) {
    auto& keys = keys_[scope];
    if (keys.size() < most_ && keys.find(key) == keys.end()) keys.emplace(key);
  }

  const std::size_t most_;
  std::array<std::set<std::string, std::less<>>, kScopes.size()> keys_;
};

struct Asked {
  TimeRange range;
  std::size_t most = kDefaultTags;
  std::string_view scope;  // Empty: all.
};

Result<Asked> Read(const Request& request, const Context& context) {
  Asked asked;
  TL_TRY_ASSIGN(asked.range, ReadRange(request, context, TimeRange(), EndIs::kWholeSecond));
  TL_TRY_ASSIGN(asked.most, ReadCount(request, "limit", kDefaultTags, context.settings.max_limit));
  asked.scope = request.Query("scope").value_or("");
  if (asked.scope == "none" || asked.scope == "all") asked.scope = {};
  if (asked.scope.empty() || query::traceql::IndexOf(kScopes, asked.scope)) return asked;
  return InvalidArgument(
      "scope: want one of resource, span, event, link, instrumentation, "
      "intrinsic");
}

// `write` gets the tags of the newest traces.
template <typename Write>
Response Answer(const Request& request, const Context& context, const Write& write) {
  const auto asked = Read(request, context);
  if (!asked) return PlainText(asked.error());
  Tags tags(asked->most);
  tags.AddIntrinsics();
  TraceQuery query;
  query.time = asked->range;
  query.limit = 100;
  const auto visit = [&tags](const WalkedTrace& trace) {
    tags.Add(trace);
    return true;
  };
  const auto walked = WalkTraces(request, context, std::move(query),
                                 {context.settings.tag_traces, "limits.tag_traces"}, visit);
  if (!walked) return PlainText(walked.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  write(*asked, tags, json);
  json.Key("metrics").BeginObject();
  json.Key("inspectedBytes").String("0");
  json.EndObject();
  json.EndObject();
  SayCut(walked->cut, response);
  return response;
}

}  // namespace

Response TagsV2(const Request& request, const Context& context) {
  return Answer(request, context, [](const Asked& asked, const Tags& tags, wire::JsonWriter& json) {
    json.Key("scopes").BeginArray();
    for (std::size_t scope = 0; scope < kScopes.size(); ++scope) {
      if (!asked.scope.empty() && asked.scope != kScopes[scope]) continue;
      if (tags.Of(scope).empty()) continue;
      json.BeginObject();
      json.Key("name").String(kScopes[scope]);
      json.Key("tags").BeginArray();
      for (const std::string& key : tags.Of(scope)) json.String(key);
      json.EndArray();
      json.EndObject();
    }
    json.EndArray();
  });
}

Response TagsV1(const Request& request, const Context& context) {
  return Answer(request, context, [](const Asked& asked, const Tags& tags, wire::JsonWriter& json) {
    std::set<std::string> names;
    for (std::size_t scope = 0; scope < kScopes.size(); ++scope) {
      // Intrinsics only where they are asked for, as Tempo does.
      const bool wanted = asked.scope.empty() ? scope != kIntrinsic : asked.scope == kScopes[scope];
      if (wanted) names.insert(tags.Of(scope).begin(), tags.Of(scope).end());
    }
    json.Key("tagNames").BeginArray();
    for (const std::string& name : names) json.String(name);
    json.EndArray();
  });
}

}  // namespace throughline::api::tempo
