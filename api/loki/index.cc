// /index/stats and /index/volume: how much a selection holds.
//
// Loki asks its index; here lines are counted. A count that a bound cut would be wrong, so it is an
// error: Grafana then shows no hint.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/loki/answer.h"
#include "api/loki/handlers.h"
#include "api/loki/scan.h"
#include "api/number_text.h"
#include "api/query/logql.h"

namespace throughline::api::loki {
namespace {

using wire::JsonWriter;

Result<ScanEnd> Count(const query::LogSelection& selection, const TimeRange& range,
                      const Request& request, const Context& context, const OnEntry& on_entry) {
  ScanOptions options;
  options.range = range;
  options.first_page = 20'000;
  options.metadata = false;
  options.lines = context.settings.lines_read;
  TL_TRY_ASSIGN(ScanEnd end, Scan(selection, options, request.scope, context, on_entry));
  if (!end.missing.empty()) return InvalidArgument("too much to count: " + end.missing);
  return end;
}

Result<query::LogSelection> ReadSelector(const Form& form) {
  return query::ParseLogSelector(form.Text("query").value_or("{}"));
}

Result<Response> StatsAnswer(const Request& request, const Context& context) {
  const Form form(request);
  TL_TRY_ASSIGN(const query::LogSelection selection, ReadSelector(form));
  TL_TRY_ASSIGN(const TimeRange range, ReadRange(form, context.now_unix_ns));
  std::set<std::map<std::string, std::string>> streams;
  std::size_t entries = 0;
  std::size_t bytes = 0;
  TL_TRY(Count(selection, range, request, context, [&](Entry& entry) {
    streams.insert(entry.labels.Of(true, false, false));
    ++entries;
    bytes += entry.line.size();
    return true;
  }));
  Response response;
  JsonWriter json(response.body);
  json.BeginObject();
  json.Key("streams").Uint(streams.size());
  json.Key("chunks").Uint(streams.size());  // There are none; Grafana shows the number.
  json.Key("bytes").Uint(bytes);
  json.Key("entries").Uint(entries);
  json.EndObject();
  return response;
}

// "a,b"
std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) out.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

Result<Response> VolumeAnswer(const Request& request, const Context& context) {
  constexpr std::size_t kDefaultLimit = 100;
  const Form form(request);
  TL_TRY_ASSIGN(const query::LogSelection selection, ReadSelector(form));
  TL_TRY_ASSIGN(const TimeRange range, ReadRange(form, context.now_unix_ns));
  TL_TRY_ASSIGN(const std::size_t limit,
                ReadLimit(form, "limit", kDefaultLimit, context.settings.max_limit));
  // By these labels; where none are named by those of the selector, else by all.
  std::vector<std::string> names = Split(form.Text("targetLabels").value_or(std::string_view()));
  if (names.empty()) {
    for (const query::LabelMatch& match : selection.stream) names.push_back(match.matcher.key);
  }
  std::map<std::map<std::string, std::string>, std::uint64_t> volumes;
  TL_TRY(Count(selection, range, request, context, [&](Entry& entry) {
    std::map<std::string, std::string> labels = entry.labels.Of(true, false, false);
    if (!names.empty()) {
      std::erase_if(labels, [&](const auto& label) {
        return std::find(names.begin(), names.end(), label.first) == names.end();
      });
    }
    volumes[std::move(labels)] += entry.line.size();
    return true;
  }));
  std::vector<std::pair<std::map<std::string, std::string>, std::uint64_t>> sorted(volumes.begin(),
                                                                                   volumes.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  sorted.resize(std::min(sorted.size(), limit));
  Response response;
  JsonWriter json(response.body);
  json.BeginObject();
  json.Key("status").String("success");
  json.Key("data").BeginObject();
  json.Key("resultType").String("vector");
  json.Key("result").BeginArray();
  for (const auto& [labels, bytes] : sorted) {
    json.BeginObject();
    json.Key("metric").BeginObject();
    for (const auto& [name, value] : labels) json.Key(name).String(value);
    json.EndObject();
    json.Key("value").BeginArray();
    WriteTimestamp(json, range.end_unix_ns + 1);
    json.UintString(bytes);
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  json.EndObject();
  return response;
}

}  // namespace

Response IndexStats(const Request& request, const Context& context) {
  auto answer = StatsAnswer(request, context);
  return answer ? *std::move(answer) : ErrorAnswer(answer.error());
}

Response IndexVolume(const Request& request, const Context& context) {
  auto answer = VolumeAnswer(request, context);
  return answer ? *std::move(answer) : ErrorAnswer(answer.error());
}

}  // namespace throughline::api::loki
