#include "api/prometheus/span_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

#include "api/walk_traces.h"

namespace throughline::api::prometheus {
namespace {

using query::PromQl;
using Of = SpanExpression::Of;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
// Of a selector without a range, and the most that one may look back. The graph asks for the
// connection types of all its edges that way.
constexpr std::uint64_t kInstantRangeNs = 3600 * kSecondNs;
constexpr std::uint64_t kLongestRangeNs = 366 * 24 * 3600 * kSecondNs;
constexpr std::size_t kMostCounted = 2'000'000;  // Spans or calls that one answer is counted from.
constexpr std::size_t kFirstPage = 2000;

constexpr std::string_view kGraph = "traces_service_graph_request_";
constexpr std::string_view kSpans = "traces_spanmetrics_";

struct Name {
  std::string_view text;  // Behind the prefix.
  SpanMetric metric;
  bool is_bucket = false;
};
constexpr std::array kGraphNames = {
    Name{"total", SpanMetric::kGraphTotal},
    Name{"failed_total", SpanMetric::kGraphFailed},
    Name{"server_seconds_sum", SpanMetric::kServerSeconds},
    Name{"server_seconds_count", SpanMetric::kGraphTotal},
    Name{"server_seconds_bucket", SpanMetric::kServerSeconds, true},
    Name{"client_seconds_sum", SpanMetric::kClientSeconds},
    Name{"client_seconds_count", SpanMetric::kGraphTotal},
    Name{"client_seconds_bucket", SpanMetric::kClientSeconds, true},
};
constexpr std::array kSpanNames = {
    Name{"calls_total", SpanMetric::kSpanCalls},
    Name{"latency_sum", SpanMetric::kSpanLatency},
    Name{"latency_count", SpanMetric::kSpanCalls},
    Name{"latency_bucket", SpanMetric::kSpanLatency, true},
};

const Name* FindName(std::string_view metric) {
  const auto find = [metric](std::string_view prefix, const auto& names) -> const Name* {
    if (!metric.starts_with(prefix)) return nullptr;
    for (const Name& name : names) {
      if (name.text == metric.substr(prefix.size())) return &name;
    }
    return nullptr;
  };
  const Name* const name = find(kGraph, kGraphNames);
  return name != nullptr ? name : find(kSpans, kSpanNames);
}

bool IsGraph(SpanMetric metric) {
  return metric != SpanMetric::kSpanCalls && metric != SpanMetric::kSpanLatency;
}

// METRIC{...}, with a range or without. Whether its name is that of a histogram's buckets.
std::optional<bool> ReadSelector(const PromQl& part, SpanExpression& out) {
  if (part.kind != PromQl::Kind::kSelector || part.shifted) return std::nullopt;
  const Name* const name = FindName(part.selector.metric);
  if (name == nullptr) return std::nullopt;
  out.metric = name->metric;
  out.range_ns = part.range_ns;
  for (const Matcher& matcher : part.selector.matchers) {
    if (matcher.key == "le" || matcher.key == "__name__") return std::nullopt;
    auto match = query::TextMatch::Compile(matcher.op, matcher.value);
    if (!match) return std::nullopt;
    out.matchers.emplace_back(matcher.key, *std::move(match));
  }
  return name->is_bucket;
}

// sum by (...) (rate(...)) or group by (...) (...).
std::optional<bool> ReadAggregate(const PromQl& part, SpanExpression& out) {
  if (part.kind != PromQl::Kind::kAggregate || part.without || part.arguments.size() != 1) {
    return std::nullopt;
  }
  out.by = part.labels;
  const PromQl& inner = part.arguments[0];
  if (part.text == "group") {
    out.of = Of::kGroup;
    const auto is_bucket = ReadSelector(inner, out);
    if (out.range_ns != 0) return std::nullopt;
    out.range_ns = kInstantRangeNs;
    return is_bucket;
  }
  if (part.text != "sum" || inner.kind != PromQl::Kind::kCall || inner.arguments.size() != 1) {
    return std::nullopt;
  }
  if (inner.text != "rate" && inner.text != "increase") return std::nullopt;
  out.of = inner.text == "rate" ? Of::kRate : Of::kIncrease;
  const auto is_bucket = ReadSelector(inner.arguments[0], out);
  if (out.range_ns == 0) return std::nullopt;
  return is_bucket;
}

bool ReadQuantile(const PromQl& call, SpanExpression& out) {
  if (call.arguments.size() != 2 || call.arguments[0].kind != PromQl::Kind::kNumber) return false;
  const auto is_bucket = ReadAggregate(call.arguments[1], out);
  const auto le = std::find(out.by.begin(), out.by.end(), "le");
  if (!is_bucket || !*is_bucket || out.of == Of::kGroup || le == out.by.end()) return false;
  out.by.erase(le);
  out.of = Of::kQuantile;
  out.quantile = call.arguments[0].number;
  return out.quantile >= 0 && out.quantile <= 1;
}

// What is counted: a call or a span, as the metric has it.
struct Counted {
  std::map<std::string_view, std::string_view> labels;
  std::uint64_t unix_ns = 0;
  std::uint64_t amount = 0;  // 1, or nanoseconds.
};

std::string_view TextOf(const Batch& batch, const Span& span, std::string_view key) {
  for (const Attribute& attribute : batch.Of(span.attributes)) {
    if (attribute.key() == key) return StringOf(attribute.value());
  }
  return {};
}

// The peer that a client span names, and what kind of connection that makes.
std::pair<std::string_view, std::string_view> PeerOf(const Batch& batch, const Span& span) {
  constexpr std::array<std::string_view, 5> kPeers = {"peer.service", "db.namespace", "db.name",
                                                      "db.system.name", "db.system"};
  for (const std::string_view key : kPeers) {
    const std::string_view peer = TextOf(batch, span, key);
    if (peer.empty()) continue;
    const bool is_database = std::any_of(kPeers.begin() + 1, kPeers.end(), [&](auto database) {
      return !TextOf(batch, span, database).empty();
    });
    return {peer, is_database ? "database" : "virtual_node"};
  }
  return {};
}

constexpr std::uint32_t kClient = 3;
constexpr std::uint32_t kProducer = 4;
constexpr std::uint32_t kConsumer = 5;

template <typename Take>
void CountCall(SpanMetric metric, const Span& client, const Span& server, Counted call,
               const Take& take) {
  if (metric == SpanMetric::kGraphFailed && !client.is_error() && !server.is_error()) return;
  call.unix_ns = server.start_unix_ns;
  call.amount = metric == SpanMetric::kServerSeconds   ? server.duration_ns()
                : metric == SpanMetric::kClientSeconds ? client.duration_ns()
                                                       : 1;
  take(call);
}

template <typename Take>
void CountCalls(SpanMetric metric, const WalkedTrace& walked, const Take& take) {
  const TraceTree& tree = walked.tree;
  const Batch& batch = walked.batch;
  for (std::uint32_t place = 0; place < tree.order.size(); ++place) {
    const Span& span = tree.At(batch, place);
    const std::string_view service = batch.ServiceOf(span);
    if (service.empty()) continue;
    if (span.kind == kClient && tree.first_child[place] == kNoIndex) {
      const auto [peer, type] = PeerOf(batch, span);
      if (!peer.empty()) {
        CountCall(metric, span, span,
                  {.labels = {{"client", service}, {"server", peer}, {"connection_type", type}}},
                  take);
      }
    }
    if (tree.parent[place] == kNoIndex) continue;
    const Span& parent = tree.At(batch, tree.parent[place]);
    const std::string_view caller = batch.ServiceOf(parent);
    if (caller.empty() || caller == service) continue;
    const bool is_message = span.kind == kConsumer || parent.kind == kProducer;
    CountCall(metric, parent, span,
              {.labels = {{"client", caller},
                          {"server", service},
                          {"connection_type", is_message ? "messaging_system" : ""}}},
              take);
  }
}

template <typename Take>
void CountSpans(SpanMetric metric, const WalkedTrace& walked, const Take& take) {
  constexpr std::array<std::string_view, 6> kKinds = {
      "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
      "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
  constexpr std::array<std::string_view, 3> kStatuses = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                         "STATUS_CODE_ERROR"};
  for (const Span& span : walked.batch.spans) {
    const std::string_view service = walked.batch.ServiceOf(span);
    take(
        Counted{.labels = {{"service", service},
                           {"job", service},
                           {"span_name", span.name},
                           {"span_kind", kKinds[span.kind < kKinds.size() ? span.kind : 0]},
                           {"status_code",
                            kStatuses[span.status_code < kStatuses.size() ? span.status_code : 0]}},
                .unix_ns = span.start_unix_ns,
                .amount = metric == SpanMetric::kSpanLatency ? span.duration_ns() : 1});
  }
}

// What was counted of one series, in any order until it is sorted.
struct Event {
  std::uint64_t unix_ns = 0;
  std::uint64_t amount = 0;
  auto operator<=>(const Event&) const = default;
};
using Groups = std::map<std::vector<std::string>, std::vector<Event>>;

bool Matches(const SpanExpression& expression, const Counted& counted) {
  const auto fits = [&](const auto& matcher) {
    const auto found = counted.labels.find(matcher.first);
    return matcher.second.Matches(found == counted.labels.end() ? "" : found->second);
  };
  return std::all_of(expression.matchers.begin(), expression.matchers.end(), fits);
}

// Nearest rank: a duration that was measured, never one between two.
double QuantileOf(std::vector<std::uint64_t> amounts, double quantile) {
  const double rank = std::ceil(quantile * static_cast<double>(amounts.size()));
  const std::size_t index = rank < 1 ? 0 : static_cast<std::size_t>(rank) - 1;
  const auto place = amounts.begin() + static_cast<std::ptrdiff_t>(index);
  std::nth_element(amounts.begin(), place, amounts.end());
  return static_cast<double>(*place) / static_cast<double>(kSecondNs);
}

bool IsDuration(SpanMetric metric) {
  return metric == SpanMetric::kServerSeconds || metric == SpanMetric::kClientSeconds ||
         metric == SpanMetric::kSpanLatency;
}

// Of the events of one window, whose amounts have this sum.
double ValueOf(const SpanExpression& expression, std::span<const Event> events, double sum) {
  if (expression.of == Of::kGroup) return 1;
  if (expression.of == Of::kQuantile) {
    std::vector<std::uint64_t> amounts;
    amounts.reserve(events.size());
    for (const Event& event : events) amounts.push_back(event.amount);
    return QuantileOf(std::move(amounts), expression.quantile);
  }
  const double value = IsDuration(expression.metric) ? sum / static_cast<double>(kSecondNs) : sum;
  if (expression.of == Of::kIncrease) return value;
  return value * static_cast<double>(kSecondNs) / static_cast<double>(expression.range_ns);
}

// nullopt: the deadline came first.
std::optional<SpanSeries> SeriesOf(const SpanExpression& expression, const SpanTimes& times,
                                   const Scope& scope, const std::vector<std::string>& key,
                                   std::vector<Event>& events) {
  SpanSeries series;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (!key[i].empty()) series.labels[expression.by[i]] = key[i];
  }
  std::sort(events.begin(), events.end());
  std::size_t begin = 0;
  std::size_t end = 0;
  double sum = 0;
  for (std::uint64_t time = times.first_unix_ns;; time += times.step_ns) {
    if (scope.Expired()) return std::nullopt;
    const std::uint64_t after = time - std::min(time, expression.range_ns);  // Itself left out.
    for (; end < events.size() && events[end].unix_ns <= time; ++end) {
      sum += static_cast<double>(events[end].amount);
    }
    for (; begin < end && events[begin].unix_ns <= after; ++begin) {
      sum -= static_cast<double>(events[begin].amount);
    }
    if (begin < end) {
      const std::span<const Event> inside{events.data() + begin, end - begin};
      series.points.push_back({time, ValueOf(expression, inside, sum)});
    }
    if (times.last_unix_ns - time < times.step_ns) return series;
  }
}

// The highest first; equal ones by their labels.
void KeepTop(std::size_t top, std::vector<SpanSeries>& series) {
  std::stable_sort(series.begin(), series.end(), [](const SpanSeries& a, const SpanSeries& b) {
    return a.points[0].value > b.points[0].value;
  });
  if (series.size() > top) series.resize(top);
}

SpanAnswer NotComputed(const std::string& why) {
  return {.series = {},
          .warning = "not computed: " + why + ", and a part would be too small a number"};
}

}  // namespace

std::optional<SpanExpression> ReadSpanExpression(const PromQl& expression) {
  SpanExpression out;
  const PromQl* part = &expression;
  if (part->kind == PromQl::Kind::kCall && part->text == "histogram_quantile") {
    if (!ReadQuantile(*part, out)) return std::nullopt;
  } else {
    if (part->kind == PromQl::Kind::kAggregate && part->text == "topk") {
      if (part->arguments.size() != 2 || !part->labels.empty()) return std::nullopt;
      const PromQl& most = part->arguments[0];
      if (most.kind != PromQl::Kind::kNumber || !(most.number >= 0 && most.number <= 1e6)) {
        return std::nullopt;
      }
      out.top = static_cast<std::size_t>(most.number);
      part = &part->arguments[1];
    }
    // Buckets that are summed over their bounds are no number of anything, but that a series is
    // there can be said.
    const auto is_bucket = ReadAggregate(*part, out);
    if (!is_bucket || (*is_bucket && out.of != Of::kGroup)) return std::nullopt;
  }
  if (out.range_ns > kLongestRangeNs) return std::nullopt;
  return out;
}

Result<SpanAnswer> Evaluate(const SpanExpression& expression, const SpanTimes& times,
                            const Request& request, const links::Context& context) {
  TraceQuery query;
  query.time.start_unix_ns =
      times.first_unix_ns - std::min(times.first_unix_ns, expression.range_ns);
  query.time.end_unix_ns = times.last_unix_ns;
  query.limit = kFirstPage;
  Groups groups;
  std::size_t count = 0;
  std::string cut;
  std::vector<std::string> key(expression.by.size());
  const auto take = [&](const Counted& counted) {
    if (!cut.empty() || !query.time.Contains(counted.unix_ns) || !Matches(expression, counted)) {
      return;
    }
    for (std::size_t i = 0; i < key.size(); ++i) {
      const auto found = counted.labels.find(expression.by[i]);
      key[i] = found == counted.labels.end() ? std::string_view() : found->second;
    }
    groups[key].push_back({counted.unix_ns, counted.amount});
    if (++count > kMostCounted) cut = "more than " + std::to_string(kMostCounted) + " spans";
    if (groups.size() > context.settings.query_series) {
      cut = "more than " + std::to_string(context.settings.query_series) +
            " series (limits.query_series)";
    }
  };
  const auto visit = [&](const WalkedTrace& walked) {
    if (IsGraph(expression.metric)) {
      CountCalls(expression.metric, walked, take);
    } else {
      CountSpans(expression.metric, walked, take);
    }
    return cut.empty();
  };
  TL_TRY_ASSIGN(const Walked walked,
                WalkTraces(request, context, query,
                           {context.settings.query_traces, "limits.query_traces"}, visit));
  if (cut.empty()) cut = walked.cut;
  if (!cut.empty()) return NotComputed(cut);
  SpanAnswer answer;
  for (auto& [labels, events] : groups) {
    auto series = SeriesOf(expression, times, request.scope, labels, events);
    if (!series) return NotComputed("limits.lookup_deadline came first");
    if (!series->points.empty()) answer.series.push_back(*std::move(series));
  }
  if (expression.top) KeepTop(*expression.top, answer.series);
  answer.warning = "computed by Throughline from " + std::to_string(walked.spans) +
                   " stored spans; what sampling or retention took is not counted";
  return answer;
}

}  // namespace throughline::api::prometheus
