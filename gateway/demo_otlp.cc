#include "gateway/demo_otlp.h"

#include <algorithm>

#include "gateway/cli_answer.h"
#include "wire/json_writer.h"

namespace throughline::gateway {

// The pieces that all OTLP/JSON bodies share.
class OtlpJson {
 public:
  explicit OtlpJson(std::string& out) : json(out) {}

  void Attributes(std::string_view key, const DemoAttributes& attributes) {
    json.Key(key).BeginArray();
    for (const auto& [name, value] : attributes) Attribute(name, value);
    json.EndArray();
  }

  void Resource(ShopService service) {
    const ServiceFacts& facts = FactsOf(service);
    json.Key("resource").BeginObject().Key("attributes").BeginArray();
    Attribute("service.name", std::string(facts.name));
    Attribute("service.version", std::string(facts.version));
    Attribute("service.namespace", std::string("shop"));
    Attribute("host.name", std::string(facts.host));
    Attribute("k8s.pod.name", std::string(facts.pod));
    json.EndArray().EndObject();
  }

  void Instrumentation() {
    json.Key("scope").BeginObject().Key("name").String("throughline.demo").EndObject();
  }

  void Ids(TraceId trace_id, SpanId span_id) {
    json.Key("traceId").String(ToHex(trace_id));
    json.Key("spanId").String(ToHex(span_id));
  }

  wire::JsonWriter json;

 private:
  void Attribute(std::string_view key, const DemoValue& value) {
    json.BeginObject().Key("key").String(key).Key("value").BeginObject();
    if (const auto* text = std::get_if<std::string>(&value)) {
      json.Key("stringValue").String(*text);
    } else {
      // 64-bit integers are strings in protobuf's JSON.
      json.Key("intValue").String(std::to_string(std::get<std::int64_t>(value)));
    }
    json.EndObject().EndObject();
  }
};

namespace {

// {"<resources>": [ {resource, "<scopes>": [ {scope, "<records>": [ … ]} ]} ]}, a resource for each
// service that has records: `records_of(service, json)` writes them.
template <typename HasRecords, typename WriteRecords>
std::string EnvelopeOf(std::string_view resources, std::string_view scopes,
                       std::string_view records, HasRecords has_records,
                       WriteRecords write_records) {
  std::string body;
  OtlpJson otlp(body);
  otlp.json.BeginObject().Key(resources).BeginArray();
  for (std::size_t i = 0; i < kShopServices; ++i) {
    const auto service = static_cast<ShopService>(i);
    if (!has_records(service)) continue;
    otlp.json.BeginObject();
    otlp.Resource(service);
    otlp.json.Key(scopes).BeginArray().BeginObject();
    otlp.Instrumentation();
    otlp.json.Key(records).BeginArray();
    write_records(service, otlp);
    otlp.json.EndArray().EndObject().EndArray().EndObject();
  }
  otlp.json.EndArray().EndObject();
  return body;
}

void WriteSpan(const DemoSpan& span, TraceId trace_id, OtlpJson& otlp) {
  wire::JsonWriter& json = otlp.json;
  json.BeginObject();
  otlp.Ids(trace_id, span.span_id);
  if (span.parent_span_id.IsValid()) json.Key("parentSpanId").String(ToHex(span.parent_span_id));
  json.Key("name").String(span.name).Key("kind").Uint(span.kind).Key("flags").Uint(1);
  json.Key("startTimeUnixNano").UintString(span.start_unix_ns);
  json.Key("endTimeUnixNano").UintString(span.end_unix_ns);
  otlp.Attributes("attributes", span.attributes);
  if (!span.error.empty()) {
    json.Key("status")
        .BeginObject()
        .Key("code")
        .Uint(2)
        .Key("message")
        .String(span.error)
        .EndObject();
    json.Key("events").BeginArray().BeginObject();
    json.Key("timeUnixNano").UintString(span.end_unix_ns).Key("name").String("exception");
    otlp.Attributes("attributes", {{"exception.type", std::string("ShopError")},
                                   {"exception.message", span.error}});
    json.EndObject().EndArray();
  }
  json.EndObject();
}

std::string_view SeverityText(std::uint32_t number) {
  return number >= 17 ? "ERROR" : number >= 13 ? "WARN" : "INFO";
}

void WriteOtlpLine(const DemoLine& line, TraceId trace_id, OtlpJson& otlp) {
  wire::JsonWriter& json = otlp.json;
  json.BeginObject();
  json.Key("timeUnixNano").UintString(line.time_unix_ns);
  json.Key("severityNumber").Uint(line.severity_number);
  json.Key("severityText").String(SeverityText(line.severity_number));
  json.Key("body").BeginObject().Key("stringValue").String(line.text).EndObject();
  otlp.Attributes("attributes", line.attributes);
  otlp.Ids(trace_id, line.span_id);
  json.Key("flags").Uint(1).EndObject();
}

// RFC 3339 with milliseconds.
std::string IsoText(std::uint64_t unix_ns) {
  std::string text = TimeText(unix_ns) + "Z";
  std::replace(text.begin(), text.end(), ' ', 'T');
  return text;
}

void AppendJsonLine(const DemoLine& line, TraceId trace_id, std::string& out) {
  wire::JsonWriter json(out);
  json.BeginObject();
  json.Key("time").String(IsoText(line.time_unix_ns));
  json.Key("level").String(SeverityText(line.severity_number));
  json.Key("service").String(FactsOf(line.service).name);
  json.Key("trace_id").String(ToHex(trace_id)).Key("span_id").String(ToHex(line.span_id));
  json.Key("message").String(line.text);
  for (const auto& [key, value] : line.attributes) {
    json.Key(key);
    if (const auto* text = std::get_if<std::string>(&value)) {
      json.String(*text);
    } else {
      json.Int(std::get<std::int64_t>(value));
    }
  }
  json.EndObject();
  out += '\n';
}

std::string TextLine(const DemoLine& line, TraceId trace_id) {
  return IsoText(line.time_unix_ns) + " " + std::string(SeverityText(line.severity_number)) + " " +
         std::string(FactsOf(line.service).name) + " [trace_id=" + ToHex(trace_id) +
         " span_id=" + ToHex(line.span_id) + "] " + line.text;
}

// OpenTelemetry's advice for http.server.request.duration, in seconds; the last bucket is open.
constexpr std::array<double, ShopMetrics::kBuckets - 1> kBounds{
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};

}  // namespace

bool LogsOverOtlp(ShopService service) {
  return service == ShopService::kCheckout || service == ShopService::kCheckoutCanary ||
         service == ShopService::kPayment || service == ShopService::kFraudCheck ||
         service == ShopService::kShipping;
}

std::string TracesBody(std::span<const DemoTrace> traces) {
  const auto has = [traces](ShopService service) {
    return std::any_of(traces.begin(), traces.end(), [service](const DemoTrace& trace) {
      return std::any_of(trace.spans.begin(), trace.spans.end(),
                         [service](const DemoSpan& span) { return span.service == service; });
    });
  };
  return EnvelopeOf("resourceSpans", "scopeSpans", "spans", has,
                    [traces](ShopService service, OtlpJson& otlp) {
                      for (const DemoTrace& trace : traces) {
                        for (const DemoSpan& span : trace.spans) {
                          if (span.service == service) WriteSpan(span, trace.trace_id, otlp);
                        }
                      }
                    });
}

std::string OtlpLogsBody(std::span<const DemoTrace> traces) {
  const auto has = [traces](ShopService service) {
    return LogsOverOtlp(service) &&
           std::any_of(traces.begin(), traces.end(), [service](const DemoTrace& trace) {
             return std::any_of(
                 trace.lines.begin(), trace.lines.end(),
                 [service](const DemoLine& line) { return line.service == service; });
           });
  };
  return EnvelopeOf("resourceLogs", "scopeLogs", "logRecords", has,
                    [traces](ShopService service, OtlpJson& otlp) {
                      for (const DemoTrace& trace : traces) {
                        for (const DemoLine& line : trace.lines) {
                          if (line.service == service) WriteOtlpLine(line, trace.trace_id, otlp);
                        }
                      }
                    });
}

std::string LinesBody(std::span<const DemoTrace> traces) {
  std::string body;
  for (const DemoTrace& trace : traces) {
    for (const DemoLine& line : trace.lines) {
      if (LogsOverOtlp(line.service)) continue;
      if (line.service == ShopService::kCatalogue) {
        body += TextLine(line, trace.trace_id) + "\n";
      } else {
        AppendJsonLine(line, trace.trace_id, body);
      }
    }
  }
  return body;
}

void ShopMetrics::Add(const DemoTrace& trace) {
  for (const DemoSpan& span : trace.spans) {
    if (span.route.empty()) continue;
    const double seconds = static_cast<double>(span.end_unix_ns - span.start_unix_ns) * 1e-9;
    Histogram& histogram = durations_[{span.service, span.name, span.http_status}];
    const auto bucket = static_cast<std::size_t>(
        std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin());
    ++histogram.counts[bucket];
    ++histogram.count;
    histogram.sum += seconds;
    histogram.exemplars[bucket] = {trace.trace_id, span.span_id, seconds, span.end_unix_ns, {}};
    if (span.name == "POST /orders") {
      const std::string outcome = span.http_status == 201   ? "placed"
                                  : span.http_status == 402 ? "declined"
                                                            : "failed";
      Orders& orders = orders_[{span.service, outcome}];
      ++orders.count;
      DemoAttributes about;
      for (const auto& [key, value] : span.attributes) {
        if (key == "order.id") about.emplace_back(key, value);
      }
      orders.exemplar = {trace.trace_id, span.span_id, 1, span.end_unix_ns, std::move(about)};
    }
  }
}

std::string ShopMetrics::Export(std::uint64_t now_unix_ns) {
  const auto has = [this](ShopService service) {
    return std::any_of(durations_.begin(), durations_.end(),
                       [service](const auto& series) { return series.first.service == service; });
  };
  return EnvelopeOf("resourceMetrics", "scopeMetrics", "metrics", has,
                    [this, now_unix_ns](ShopService service, OtlpJson& otlp) {
                      ExportDurations(service, now_unix_ns, otlp);
                      ExportOrders(service, now_unix_ns, otlp);
                    });
}

void ShopMetrics::ExportDurations(ShopService service, std::uint64_t now_unix_ns, OtlpJson& otlp) {
  wire::JsonWriter& json = otlp.json;
  json.BeginObject().Key("name").String("http.server.request.duration").Key("unit").String("s");
  json.Key("histogram").BeginObject().Key("aggregationTemporality").Uint(2);
  json.Key("dataPoints").BeginArray();
  for (auto& [key, histogram] : durations_) {
    if (key.service != service) continue;
    const std::size_t space = key.route.find(' ');
    json.BeginObject();
    otlp.Attributes("attributes", {{"http.request.method", key.route.substr(0, space)},
                                   {"http.route", key.route.substr(space + 1)},
                                   {"http.response.status_code", key.status}});
    json.Key("startTimeUnixNano").UintString(start_unix_ns_);
    json.Key("timeUnixNano").UintString(now_unix_ns);
    json.Key("count").UintString(histogram.count).Key("sum").Double(histogram.sum);
    json.Key("bucketCounts").BeginArray();
    for (const std::uint64_t count : histogram.counts) json.UintString(count);
    json.EndArray().Key("explicitBounds").BeginArray();
    for (const double bound : kBounds) json.Double(bound);
    json.EndArray().Key("exemplars").BeginArray();
    for (DemoExemplar& exemplar : histogram.exemplars) ExportExemplar(exemplar, otlp);
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject().EndObject();
}

void ShopMetrics::ExportOrders(ShopService service, std::uint64_t now_unix_ns, OtlpJson& otlp) {
  const bool has_orders =
      std::any_of(orders_.begin(), orders_.end(),
                  [service](const auto& series) { return series.first.service == service; });
  if (!has_orders) return;
  wire::JsonWriter& json = otlp.json;
  json.BeginObject().Key("name").String("shop.orders").Key("unit").String("{order}");
  json.Key("sum").BeginObject().Key("aggregationTemporality").Uint(2);
  json.Key("isMonotonic").Bool(true).Key("dataPoints").BeginArray();
  for (auto& [key, orders] : orders_) {
    if (key.service != service) continue;
    json.BeginObject();
    otlp.Attributes("attributes", {{"outcome", key.outcome}});
    json.Key("startTimeUnixNano").UintString(start_unix_ns_);
    json.Key("timeUnixNano").UintString(now_unix_ns);
    json.Key("asInt").UintString(orders.count);
    json.Key("exemplars").BeginArray();
    ExportExemplar(orders.exemplar, otlp);
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject().EndObject();
}

void ShopMetrics::ExportExemplar(DemoExemplar& exemplar, OtlpJson& otlp) {
  if (!exemplar.trace_id.IsValid()) return;
  wire::JsonWriter& json = otlp.json;
  json.BeginObject().Key("timeUnixNano").UintString(exemplar.time_unix_ns);
  json.Key("asDouble").Double(exemplar.value);
  otlp.Ids(exemplar.trace_id, exemplar.span_id);
  otlp.Attributes("filteredAttributes", exemplar.attributes);
  json.EndObject();
  exemplar.trace_id = {};
  ++exported_exemplars_;
}

}  // namespace throughline::gateway
