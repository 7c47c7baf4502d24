// /labels, /label/{name}/values, /series, /detected_labels: the labels of streams.
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/loki/answer.h"
#include "api/loki/handlers.h"
#include "api/loki/plan.h"
#include "api/loki/scan.h"
#include "api/query/logql.h"

namespace throughline::api::loki {
namespace {

using wire::JsonWriter;
using Stream = std::map<std::string, std::string>;

struct Streams {
  std::set<Stream> streams;
  std::vector<std::string> warnings;
  bool is_filtered = false;
};

enum class Services { kWanted, kUnwanted };

// Of the newest lines that any of the selectors finds; without one, of all. A list is to be there
// while somebody types: at most kMaxTraces are asked for services.
Result<Streams> FindStreams(const Form& form, std::vector<std::string_view> selectors,
                            const Request& request, const Context& context,
                            Services services = Services::kWanted) {
  constexpr std::size_t kMaxSelectors = 100;
  constexpr std::size_t kMaxTraces = 2000;
  Streams found;
  found.is_filtered = !selectors.empty();
  if (selectors.empty()) selectors.emplace_back("{}");
  if (selectors.size() > kMaxSelectors) return InvalidArgument("more than 100 selectors");
  ScanOptions options;
  TL_TRY_ASSIGN(options.range, ReadRange(form, context.now_unix_ns));
  options.first_page = 20'000;
  options.metadata = false;
  options.lines = context.settings.label_lines;
  options.most_asked = kMaxTraces;
  for (const std::string_view text : selectors) {
    TL_TRY_ASSIGN(const query::LogSelection selection, query::ParseLogSelector(text));
    options.services = services == Services::kWanted || DependsOnService(selection);
    TL_TRY_ASSIGN(const ScanEnd end,
                  Scan(selection, options, request.scope, context, [&](Entry& entry) {
                    found.streams.insert(entry.labels.Of(true, false, false));
                    return true;
                  }));
    if (!end.missing.empty()) {
      const char* const why = request.scope.Expired()     ? "limits.lookup_deadline"
                              : end.lines < options.lines ? "few of them state their service"
                                                          : "limits.label_lines";
      found.warnings.push_back("labels may be missing: only the newest " +
                               std::to_string(end.lines) + " lines were looked at (" + why + ")");
    }
  }
  return found;
}

std::vector<std::string_view> QueryOf(const Form& form) {
  const auto query = form.Text("query");
  return query ? std::vector<std::string_view>{*query} : std::vector<std::string_view>();
}

template <typename Items, typename Write>
Response ListAnswer(const Items& items, const std::vector<std::string>& warnings,
                    const Write& write) {
  Response response;
  JsonWriter json(response.body);
  json.BeginObject();
  json.Key("status").String("success");
  json.Key("data").BeginArray();
  for (const auto& item : items) write(json, item);
  json.EndArray();
  WriteWarnings(json, warnings);
  json.EndObject();
  return response;
}

}  // namespace

Response Labels(const Request& request, const Context& context) {
  const Form form(request);
  const auto found = FindStreams(form, QueryOf(form), request, context, Services::kUnwanted);
  if (!found) return ErrorAnswer(found.error());
  std::set<std::string> names;
  for (const Stream& stream : found->streams) {
    for (const auto& [name, value] : stream) names.insert(name);
  }
  return ListAnswer(names, found->warnings,
                    [](JsonWriter& json, const std::string& name) { json.String(name); });
}

Response LabelValues(const Request& request, const Context& context) {
  const Form form(request);
  const std::string name = request.captures.empty() ? std::string() : request.captures[0];
  const auto found = FindStreams(form, QueryOf(form), request, context,
                                 IsOfService(name) ? Services::kWanted : Services::kUnwanted);
  if (!found) return ErrorAnswer(found.error());
  std::set<std::string> values;
  for (const Stream& stream : found->streams) {
    const auto label = stream.find(name);
    if (label != stream.end()) values.insert(label->second);
  }
  // Services are counted, so none is missing for want of a look at its lines.
  if (name == "service_name" && !found->is_filtered && !found->warnings.empty()) {
    const auto services = context.store.Services(request.scope);
    if (!services) return ErrorAnswer(services.error());
    for (const ServiceInfo& info : *services) {
      if (info.log_count > 0 && !info.service.empty()) values.insert(info.service);
    }
  }
  return ListAnswer(values, found->warnings,
                    [](JsonWriter& json, const std::string& value) { json.String(value); });
}

Response Series(const Request& request, const Context& context) {
  const Form form(request);
  std::vector<std::string_view> selectors = form.All("match[]");
  for (const std::string_view match : form.All("match")) selectors.push_back(match);
  const auto found = FindStreams(form, selectors, request, context);
  if (!found) return ErrorAnswer(found.error());
  return ListAnswer(found->streams, found->warnings, [](JsonWriter& json, const Stream& stream) {
    json.BeginObject();
    for (const auto& [label, value] : stream) json.Key(label).String(value);
    json.EndObject();
  });
}

Response DetectedLabels(const Request& request, const Context& context) {
  const Form form(request);
  const auto found = FindStreams(form, QueryOf(form), request, context);
  if (!found) return ErrorAnswer(found.error());
  std::map<std::string, std::set<std::string>> labels;
  for (const Stream& stream : found->streams) {
    for (const auto& [name, value] : stream) labels[name].insert(value);
  }
  Response response;
  JsonWriter json(response.body);
  json.BeginObject();
  json.Key("detectedLabels").BeginArray();
  for (const auto& [name, values] : labels) {
    json.BeginObject();
    json.Key("label").String(name);
    json.Key("cardinality").Uint(values.size());
    json.EndObject();
  }
  json.EndArray();
  WriteWarnings(json, found->warnings);
  json.EndObject();
  return response;
}

}  // namespace throughline::api::loki
