#include "api/links/explain_request.h"

#include <algorithm>

#include <simdjson.h>

#include "api/links/body_members.h"
#include "api/query/selector.h"

namespace throughline::api::links {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMostCulprits = 100;

Result<std::vector<TimeSpan>> ReadBaseline(dom::element value, const Context& context) {
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) {
    return InvalidArgument("baseline: want an array of windows");
  }
  std::vector<TimeSpan> windows;
  for (const dom::element item : array) {
    if (windows.size() == kMostBaselines) {
      return InvalidArgument("baseline: more than " + std::to_string(kMostBaselines) + " windows");
    }
    const std::string name = "baseline[" + std::to_string(windows.size()) + "]";
    TL_TRY_ASSIGN(const TimeSpan window, ReadWindow(item, name, context));
    windows.push_back(window);
  }
  std::sort(windows.begin(), windows.end(),
            [](const TimeSpan& a, const TimeSpan& b) { return a.start_unix_ns < b.start_unix_ns; });
  return windows;
}

// The service that a selector names is the one to look at.
void TakeService(const ExemplarQuery& metric, TraceFilter& filter) {
  for (const Matcher& matcher : metric.labels) {
    const bool is_service = matcher.key == "service" || matcher.key == "service_name" ||
                            matcher.key == "service.name" || matcher.key == "job";
    if (is_service && matcher.op == Matcher::Op::kEqual && !filter.service) {
      const std::size_t slash = matcher.key == "job" ? matcher.value.rfind('/') : std::string::npos;
      filter.service = slash == std::string::npos ? matcher.value : matcher.value.substr(slash + 1);
    }
  }
}

class Reader {
 public:
  explicit Reader(const Context& context) : context_(context) {}

  Result<void> Member(std::string_view key, dom::element value) {
    if (key == "window") {
      TL_TRY_ASSIGN(request.window, ReadWindow(value, "window", context_));
    } else if (key == "baseline") {
      TL_TRY_ASSIGN(request.baseline, ReadBaseline(value, context_));
    } else if (key == "service") {
      TL_TRY_ASSIGN(request.filter.service, ReadText(value, "service"));
    } else if (key == "operation") {
      TL_TRY_ASSIGN(request.filter.operation, ReadText(value, "operation"));
    } else if (key == "trace_id") {
      TL_TRY_ASSIGN(request.trace, ReadText(value, "trace_id"));
    } else if (key == "metric") {
      TL_TRY(ReadMetric(value));
    } else if (key == "kind") {
      TL_TRY(ReadKind(value));
    } else if (key == "limit") {
      std::uint64_t limit = 0;
      if (value.get(limit) != simdjson::SUCCESS || limit == 0 || limit > kMostCulprits) {
        return InvalidArgument("limit: want 1 to " + std::to_string(kMostCulprits));
      }
      request.options.culprits = limit;
    } else {
      return InvalidArgument("body: unknown member " + std::string(key) +
                             ", want window, baseline, service, operation, metric, trace_id, kind "
                             "or limit");
    }
    return {};
  }

  ExplainRequest request;

 private:
  Result<void> ReadMetric(dom::element value) {
    TL_TRY_ASSIGN(const std::string text, ReadText(value, "metric"));
    auto selector = query::ParseSelector(text);
    if (!selector) return InvalidArgument("metric: " + selector.error().message);
    ExemplarQuery metric;
    metric.metric = std::move(selector->metric);
    metric.labels = std::move(selector->matchers);
    request.metric = std::move(metric);
    return {};
  }
  Result<void> ReadKind(dom::element value) {
    TL_TRY_ASSIGN(const std::string kind, ReadText(value, "kind"));
    if (kind == "latency") {
      request.options.kind = SpikeKind::kLatency;
    } else if (kind == "error") {
      request.options.kind = SpikeKind::kError;
    } else {
      return InvalidArgument("kind: want latency or error");
    }
    return {};
  }

  const Context& context_;
};

}  // namespace

Result<ExplainRequest> ReadExplainRequest(const Request& http, const Context& context) {
  BodyDocument document;
  TL_TRY_ASSIGN(const dom::object object, document.Open(http, "window, or trace_id"));
  Reader reader(context);
  for (const dom::key_value_pair field : object) TL_TRY(reader.Member(field.key, field.value));
  ExplainRequest& request = reader.request;
  if (!request.window && request.trace.empty()) {
    return InvalidArgument("body: want window, or trace_id");
  }
  if (request.metric) TakeService(*request.metric, request.filter);
  return std::move(request);
}

}  // namespace throughline::api::links
