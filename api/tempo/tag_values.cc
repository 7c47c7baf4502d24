// GET /api/search/tag/{tag}/values and /api/v2/search/tag/{tag}/values: the values of one field.
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "api/plain_text.h"
#include "api/query/traceql.h"
#include "api/query/traceql_evaluate.h"
#include "api/query/traceql_names.h"
#include "api/query/traceql_plan.h"
#include "api/tempo/handlers.h"
#include "api/tempo/parameters.h"
#include "api/walk_traces.h"
#include "wire/json_writer.h"

namespace throughline::api::tempo {
namespace {

namespace traceql = query::traceql;
using traceql::Datum;
using traceql::Field;
using traceql::FieldScope;
using traceql::Intrinsic;

constexpr std::size_t kDefaultValues = 5000;
constexpr std::size_t kValueBytes = 4UL << 20U;  // Of all values of an answer.

std::string_view TypeName(traceql::Type type) {
  switch (type) {
    case traceql::Type::kBool: return "bool";
    case traceql::Type::kInt: return "int";
    case traceql::Type::kFloat: return "float";
    case traceql::Type::kDuration: return "duration";
    case traceql::Type::kStatus:
    case traceql::Type::kKind: return "keyword";
    default: return "string";
  }
}

// (type, text), sorted.
class Values {
 public:
  explicit Values(std::size_t most) : most_(most) {}

  void Add(std::string_view type, std::string text) {
    if (full()) return;
    const std::size_t size = text.size();
    if (values_.emplace(type, std::move(text)).second) bytes_ += size;
  }
  bool full() const { return values_.size() >= most_ || bytes_ >= kValueBytes; }
  const std::set<std::pair<std::string_view, std::string>>& all() const { return values_; }

 private:
  const std::size_t most_;
  std::size_t bytes_ = 0;
  std::set<std::pair<std::string_view, std::string>> values_;
};

struct Asked {
  Field field;
  traceql::Query query;
  TimeRange range;
  std::size_t most = kDefaultValues;
};

bool IsEverything(const traceql::Pipeline& pipeline) {
  const traceql::Spanset& first = *pipeline.stages.front().spanset;
  return pipeline.stages.size() == 1 && first.kind == traceql::Spanset::Kind::kFilter &&
         first.filter == nullptr;
}

bool IsService(const Field& field) {
  return field.intrinsic == Intrinsic::kNone && !field.of_parent && field.key == "service.name" &&
         (field.scope == FieldScope::kResource || field.scope == FieldScope::kAny);
}

// Values that are words, or that nobody picks from a list.
bool AddKnown(const Field& field, Values& values) {
  switch (field.intrinsic) {
    case Intrinsic::kStatus:
      for (const std::string_view word : traceql::kStatusWords)
        values.Add("keyword", std::string(word));
      return true;
    case Intrinsic::kKind:
      for (const std::string_view word : traceql::kKindWords)
        values.Add("keyword", std::string(word));
      return true;
    case Intrinsic::kDuration:
    case Intrinsic::kTraceDuration:
    case Intrinsic::kEventTimeSinceStart:
    case Intrinsic::kSpanId:
    case Intrinsic::kParentId:
    case Intrinsic::kTraceId:
    case Intrinsic::kLinkSpanId:
    case Intrinsic::kLinkTraceId:
    case Intrinsic::kNestedSetLeft:
    case Intrinsic::kNestedSetRight:
    case Intrinsic::kNestedSetParent: return true;
    default: return false;
  }
}

Result<std::string> Walk(const Request& request, const Context& context, const Asked& asked,
                         Values& values) {
  TraceQuery query = traceql::CandidatesOf(asked.query.pipeline);
  query.time = asked.range;
  query.limit = 100;
  std::vector<Datum> data;
  const auto visit = [&](const WalkedTrace& walked) {
    const traceql::Trace trace(walked.summary.trace_id, walked.batch, walked.tree);
    for (const auto& set : traceql::Evaluator(trace).Select(asked.query.pipeline)) {
      for (const std::uint32_t place : set.places) {
        data.clear();
        trace.Values(asked.field, place, data);
        for (const Datum& datum : data) values.Add(TypeName(datum.type), TextOf(datum));
        trace.Forget();
      }
    }
    return !values.full();
  };
  TL_TRY_ASSIGN(const Walked walked,
                WalkTraces(request, context, std::move(query),
                           {context.settings.tag_traces, "limits.tag_traces"}, visit));
  return walked.cut;
}

// The values, and why some may be missing.
Result<std::string> Gather(const Request& request, const Context& context, const Asked& asked,
                           Values& values) {
  if (AddKnown(asked.field, values)) return std::string();
  if (!IsService(asked.field) || !IsEverything(asked.query.pipeline)) {
    return Walk(request, context, asked, values);
  }
  // The store keeps the list of all services.
  TL_TRY_ASSIGN(const auto services, context.store.Services(request.scope));
  for (const ServiceInfo& info : services) {
    if (info.span_count > 0 && !info.service.empty()) values.Add("string", info.service);
  }
  return std::string();
}

Result<Asked> Read(const Request& request, const Context& context, bool bare_names) {
  Asked asked;
  std::string name = request.captures.empty() ? std::string() : request.captures[0];
  auto field = traceql::ParseField(name);
  // The older call names attributes without a scope.
  if (!field && bare_names) field = traceql::ParseField("." + name);
  if (!field) return InvalidArgument("invalid tag " + name + ": " + field.error().message);
  asked.field = *std::move(field);
  asked.query = traceql::ParseLeniently(request.Query("q").value_or(""));
  TL_TRY_ASSIGN(asked.range, ReadRange(request, context, TimeRange(), EndIs::kWholeSecond));
  TL_TRY_ASSIGN(asked.most,
                ReadCount(request, "limit", kDefaultValues, context.settings.max_limit));
  return asked;
}

template <typename WriteValue>
Response Answer(const Request& request, const Context& context, bool bare_names,
                const WriteValue& write_value) {
  const auto asked = Read(request, context, bare_names);
  if (!asked) return PlainText(asked.error());
  Values values(asked->most);
  const auto cut = Gather(request, context, *asked, values);
  if (!cut) return PlainText(cut.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("tagValues").BeginArray();
  for (const auto& [type, text] : values.all()) write_value(type, text, json);
  json.EndArray();
  json.Key("metrics").BeginObject();
  json.Key("inspectedBytes").String("0");
  json.EndObject();
  json.EndObject();
  SayCut(*cut, response);
  return response;
}

}  // namespace

Response TagValuesV2(const Request& request, const Context& context) {
  return Answer(request, context, false,
                [](std::string_view type, const std::string& text, wire::JsonWriter& json) {
                  json.BeginObject();
                  json.Key("type").String(type);
                  json.Key("value").String(text);
                  json.EndObject();
                });
}

Response TagValuesV1(const Request& request, const Context& context) {
  return Answer(
      request, context, true,
      [](std::string_view, const std::string& text, wire::JsonWriter& json) { json.String(text); });
}

}  // namespace throughline::api::tempo
