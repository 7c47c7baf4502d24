// /index/stats, /index/volume and /index/volume_range: how much a selection holds.
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

struct Volumes {
  using Key = std::map<std::string, std::string>;

  query::LogSelection selection;
  TimeRange range;
  std::size_t limit = 0;
  // The labels that count; none: all. So many of them every stream must have: where no targets are
  // asked for, the selector's labels count.
  std::vector<std::string> names;
  std::size_t targets = 0;
  bool by_name = false;       // A volume for each name, not for each set of labels.
  std::uint64_t step_ns = 0;  // 0: the whole range is one.

  // Bytes by labels, and by the number of the step.
  std::map<Key, std::map<std::uint64_t, std::uint64_t>> bytes;

  std::uint64_t StepOf(std::uint64_t time_unix_ns) const {
    return step_ns == 0 ? 0 : time_unix_ns / step_ns;
  }
  // The end of a step, or of the range.
  std::uint64_t EndOf(std::uint64_t step) const {
    const std::uint64_t end = range.end_unix_ns + 1;
    if (step_ns == 0 || step >= end / step_ns) return end;
    return (step + 1) * step_ns;
  }
  bool Counts(const std::string& name) const {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  }
};

Result<Volumes> ReadVolumes(const Form& form, const Context& context) {
  constexpr std::size_t kDefaultLimit = 100;
  Volumes volumes;
  TL_TRY_ASSIGN(volumes.selection, ReadSelector(form));
  TL_TRY_ASSIGN(volumes.range, ReadRange(form, context.now_unix_ns));
  volumes.limit = kDefaultLimit;
  if (form.Text("limit") != "0") {
    TL_TRY_ASSIGN(volumes.limit,
                  ReadLimit(form, "limit", kDefaultLimit, context.settings.max_limit));
  }
  const std::string_view by = form.Text("aggregateBy").value_or("series");
  if (by != "series" && by != "labels") return InvalidArgument("invalid aggregation option");
  volumes.by_name = by == "labels";
  volumes.names = Split(form.Text("targetLabels").value_or(std::string_view()));
  volumes.targets = volumes.names.size();
  if (volumes.names.empty() && !volumes.by_name) {
    for (const query::LabelMatch& match : volumes.selection.stream) {
      volumes.names.push_back(match.matcher.key);
    }
  }
  return volumes;
}

void Add(Entry& entry, Volumes& volumes) {
  Volumes::Key labels = entry.labels.Of(true, false, false);
  std::erase_if(labels, [&](const auto& label) { return !volumes.Counts(label.first); });
  if (labels.size() < volumes.targets) return;
  const std::uint64_t step = volumes.StepOf(entry.unix_ns);
  if (!volumes.by_name) {
    volumes.bytes[std::move(labels)][step] += entry.line.size();
    return;
  }
  for (const auto& [name, value] : labels) {
    volumes.bytes[{{name, ""}}][step] += entry.line.size();
  }
}

// The largest first; what is as large by its labels.
std::vector<const Volumes::Key*> Largest(const Volumes& volumes) {
  std::vector<std::pair<std::uint64_t, const Volumes::Key*>> sums;
  for (const auto& [labels, steps] : volumes.bytes) {
    std::uint64_t sum = 0;
    for (const auto& [step, bytes] : steps) sum += bytes;
    sums.emplace_back(sum, &labels);
  }
  std::stable_sort(sums.begin(), sums.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  sums.resize(std::min(sums.size(), volumes.limit));
  std::vector<const Volumes::Key*> largest;
  for (const auto& [sum, labels] : sums) largest.push_back(labels);
  return largest;
}

void WriteVolumes(const Volumes& volumes, JsonWriter& json) {
  const bool range = volumes.step_ns != 0;
  json.BeginObject();
  json.Key("status").String("success");
  json.Key("data").BeginObject();
  json.Key("resultType").String(range ? "matrix" : "vector");
  json.Key("result").BeginArray();
  for (const Volumes::Key* labels : Largest(volumes)) {
    json.BeginObject();
    json.Key("metric").BeginObject();
    for (const auto& [name, value] : *labels) json.Key(name).String(value);
    json.EndObject();
    json.Key(range ? "values" : "value");
    if (range) json.BeginArray();
    for (const auto& [step, bytes] : volumes.bytes.at(*labels)) {
      json.BeginArray();
      WriteTimestamp(json, volumes.EndOf(step));
      json.UintString(bytes);
      json.EndArray();
    }
    if (range) json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  json.EndObject();
}

Result<Response> VolumeAnswer(const Request& request, const Context& context, bool range) {
  const Form form(request);
  TL_TRY_ASSIGN(Volumes volumes, ReadVolumes(form, context));
  if (range) {
    TL_TRY_ASSIGN(volumes.step_ns, ReadStep(form, volumes.range));
  }
  TL_TRY(Count(volumes.selection, volumes.range, request, context, [&](Entry& entry) {
    Add(entry, volumes);
    return true;
  }));
  Response response;
  JsonWriter json(response.body);
  WriteVolumes(volumes, json);
  return response;
}

}  // namespace

Response IndexStats(const Request& request, const Context& context) {
  auto answer = StatsAnswer(request, context);
  return answer ? *std::move(answer) : ErrorAnswer(answer.error());
}

Response IndexVolume(const Request& request, const Context& context) {
  auto answer = VolumeAnswer(request, context, false);
  return answer ? *std::move(answer) : ErrorAnswer(answer.error());
}

Response VolumeRange(const Request& request, const Context& context) {
  auto answer = VolumeAnswer(request, context, true);
  return answer ? *std::move(answer) : ErrorAnswer(answer.error());
}

}  // namespace throughline::api::loki
