#include "api/loki/tail.h"

#include <algorithm>
#include <utility>

#include "api/form.h"
#include "api/loki/answer.h"
#include "api/loki/plan.h"
#include "api/loki/scan.h"
#include "api/loki/streams.h"
#include "wire/json_writer.h"

namespace throughline::api::loki {
namespace {

constexpr std::uint64_t kHourNs = 3'600'000'000'000;
constexpr std::size_t kDefaultLimit = 100;

Result<std::chrono::seconds> ReadDelay(const Form& form) {
  const std::string_view text = form.Text("delay_for").value_or("0");
  // One digit is all that the bound allows.
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '0' + kMostTailDelay.count()) {
    return std::chrono::seconds(text[0] - '0');
  }
  return InvalidArgument("delay_for is \"" + std::string(text.substr(0, 100)) +
                         "\", want whole seconds, at most " +
                         std::to_string(kMostTailDelay.count()));
}

}  // namespace

Result<TailQuery> ReadTailQuery(const Request& request, const links::Context& context) {
  const Form form(request);
  TailQuery tail;
  TL_TRY_ASSIGN(query::LogQl query, query::ParseLogQl(form.Text("query").value_or("")));
  if (query.IsMetric()) return InvalidArgument("only log selector is supported");
  tail.selection = std::move(query.selection);
  SpellTraceIds(tail.selection);
  const std::uint64_t hour_ago = context.now_unix_ns - std::min(context.now_unix_ns, kHourNs);
  TL_TRY_ASSIGN(tail.start_unix_ns, ReadTime(form, "start", hour_ago));
  TL_TRY_ASSIGN(tail.limit, ReadLimit(form, "limit", kDefaultLimit, context.settings.max_limit));
  TL_TRY_ASSIGN(tail.delay, ReadDelay(form));
  tail.categorize = AsksCategorized(request);
  return tail;
}

Result<std::vector<Entry>> FindTailHistory(const TailQuery& query, const Scope& scope,
                                           const links::Context& context) {
  std::vector<Entry> entries;
  if (query.start_unix_ns > context.now_unix_ns) return entries;
  ScanOptions options;
  options.range = {query.start_unix_ns, context.now_unix_ns};
  options.first_page = query.limit;
  options.lines = context.settings.lines_read;
  const auto on_entry = [&](Entry& entry) {
    entries.push_back(std::move(entry));
    return entries.size() < query.limit;
  };
  TL_TRY(Scan(query.selection, options, scope, context, on_entry));
  std::reverse(entries.begin(), entries.end());
  return entries;
}

std::string TailMessage(std::vector<Entry> entries, const std::vector<DroppedEntry>& dropped,
                        bool categorize) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.unix_ns < b.unix_ns; });
  Streams streams(categorize);
  for (Entry& entry : entries) streams.Add(std::move(entry));
  std::string message;
  wire::JsonWriter json(message);
  json.BeginObject();
  streams.Write(json.Key("streams"));
  if (!dropped.empty()) {
    json.Key("dropped_entries").BeginArray();
    for (const DroppedEntry& entry : dropped) {
      json.BeginObject();
      json.Key("timestamp").UintString(entry.unix_ns);
      if (!entry.labels.empty()) WriteLabels(json.Key("labels"), entry.labels);
      json.EndObject();
    }
    json.EndArray();
  }
  streams.WriteFlags(json);
  json.EndObject();
  return message;
}

}  // namespace throughline::api::loki
