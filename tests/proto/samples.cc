#include "tests/proto/samples.h"

#include <cmath>
#include <limits>

namespace throughline::samples {
namespace {

AnyValue& Add(google::protobuf::RepeatedPtrField<KeyValue>& attributes, const std::string& key) {
  KeyValue& attribute = *attributes.Add();
  attribute.set_key(key);
  return *attribute.mutable_value();
}

template <typename Resource>
void FillResource(Resource& resource) {
  Add(*resource.mutable_attributes(), "service.name").set_string_value("harbour");
  Add(*resource.mutable_attributes(), "service.version").set_string_value("1.4.0");
  Add(*resource.mutable_attributes(), "process.pid").set_int_value(41200);
}

template <typename Scope>
void FillScope(Scope& scope) {
  scope.set_name("crane.instrumentation");
  scope.set_version("0.3");
  Add(*scope.mutable_attributes(), "short").set_bool_value(true);
}

template <typename Point>
void AddExemplars(Point& point) {
  auto& linked = *point.add_exemplars();
  linked.set_time_unix_nano(1'700'000'000'000'000'001);
  linked.set_as_double(0.25);
  linked.set_trace_id(Id(16));
  linked.set_span_id(Id(8));
  Add(*linked.mutable_filtered_attributes(), "user").set_string_value("ann");
  auto& integer = *point.add_exemplars();
  integer.set_as_int(-7);
  integer.set_trace_id(Id(16, 9));
  point.add_exemplars()->set_as_double(250);  // Without a trace id.
  point.add_exemplars()->set_trace_id(Id(7));
  auto& hexadecimal = *point.add_exemplars();
  hexadecimal.set_trace_id("0123456789abcdef0123456789ABCDEF");
  hexadecimal.set_as_double(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

std::string Id(std::size_t size, char first) {
  std::string id(size, '\0');
  for (char& byte : id) byte = first++;
  return id;
}

AnyValue Nested(int levels) {
  AnyValue value;
  value.set_string_value("deep");
  for (int level = 0; level < levels; ++level) {
    AnyValue outer;
    if (level % 2 == 0) {
      *outer.mutable_array_value()->add_values() = value;
    } else {
      KeyValue& item = *outer.mutable_kvlist_value()->add_values();
      item.set_key("k");
      *item.mutable_value() = value;
    }
    value = outer;
  }
  return value;
}

void AddAttributes(google::protobuf::RepeatedPtrField<KeyValue>& attributes) {
  Add(attributes, "http.request.method").set_string_value("GET");
  Add(attributes, "http.response.status_code").set_int_value(503);
  Add(attributes, "negative").set_int_value(-1);
  Add(attributes, "ratio").set_double_value(0.75);
  Add(attributes, "cached").set_bool_value(false);
  Add(attributes, "payload").set_bytes_value(std::string("\xff\x00\x80", 3));
  Add(attributes, "gr\xc3\xbc\xc3\x9f").set_string_value("\xe6\x97\xa5\xe6\x9c\xac");
  Add(attributes, "long").set_string_value(std::string(300, 'x'));
  Add(attributes, std::string(200, 'k')).set_string_value("long key");
  Add(attributes, "nested") = Nested(5);
  Add(attributes, "empty list").mutable_array_value();
  Add(attributes, "empty value");
  Add(attributes, "").set_string_value("no key");
  attributes.Add()->set_key("no value");
  attributes.Add();
}

ExportTraceServiceRequest Traces() {
  ExportTraceServiceRequest request;
  auto& group = *request.add_resource_spans();
  FillResource(*group.mutable_resource());
  auto& scope_group = *group.add_scope_spans();
  FillScope(*scope_group.mutable_scope());
  auto& span = *scope_group.add_spans();
  span.set_trace_id(Id(16));
  span.set_span_id(Id(8));
  span.set_parent_span_id(Id(8, 40));
  span.set_name("load");
  span.set_trace_state("a=1,b=2");
  span.set_kind(opentelemetry::proto::trace::v1::Span::SPAN_KIND_SERVER);
  span.set_start_time_unix_nano(1'700'000'000'000'000'000);
  span.set_end_time_unix_nano(1'700'000'000'250'000'000);
  span.set_flags(0x301);
  span.set_dropped_events_count(3);
  AddAttributes(*span.mutable_attributes());
  auto& event = *span.add_events();
  event.set_name("exception");
  event.set_time_unix_nano(1'700'000'000'100'000'000);
  AddAttributes(*event.mutable_attributes());
  auto& link = *span.add_links();
  link.set_trace_id(Id(16, 90));
  link.set_span_id(Id(8, 90));
  link.set_trace_state("c=3");
  link.set_flags(1);
  Add(*link.mutable_attributes(), "why").set_string_value("batch");
  span.add_links()->set_trace_id(Id(5));
  span.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  span.mutable_status()->set_message("rope broke");
  auto& bad = *scope_group.add_spans();
  bad.set_trace_id(Id(15));
  bad.set_span_id(Id(8));
  AddAttributes(*bad.mutable_attributes());
  auto& repaired = *scope_group.add_spans();
  repaired.set_trace_id("0123456789abcdef0123456789ABCDEF");
  repaired.set_span_id("0123456789abcdef");
  auto& bare = *request.add_resource_spans()->add_scope_spans()->add_spans();
  bare.set_trace_id(Id(16));
  bare.set_span_id(Id(8, 70));
  bare.set_parent_span_id(std::string(8, '\0'));
  bare.set_end_time_unix_nano(UINT64_MAX);
  return request;
}

ExportMetricsServiceRequest Metrics() {
  ExportMetricsServiceRequest request;
  auto& group = *request.add_resource_metrics();
  FillResource(*group.mutable_resource());
  auto& scope_group = *group.add_scope_metrics();
  FillScope(*scope_group.mutable_scope());
  auto& gauge = *scope_group.add_metrics();
  gauge.set_name("depth");
  auto& gauge_point = *gauge.mutable_gauge()->add_data_points();
  AddAttributes(*gauge_point.mutable_attributes());
  AddExemplars(gauge_point);
  gauge.mutable_gauge()->add_data_points()->set_as_int(4);
  auto& sum = *scope_group.add_metrics();
  sum.set_name("loads");
  AddExemplars(*sum.mutable_sum()->add_data_points());
  auto& histogram = *scope_group.add_metrics();
  histogram.set_name("load.duration");
  histogram.set_unit("s");
  auto& point = *histogram.mutable_histogram()->add_data_points();
  Add(*point.mutable_attributes(), "berth").set_int_value(3);
  for (const double bound : {-10.0, 0.25, 1.0}) point.add_explicit_bounds(bound);
  for (const std::uint64_t count : {1U, 2U, 3U, 4U}) point.add_bucket_counts(count);
  AddExemplars(point);
  AddExemplars(*histogram.mutable_histogram()->add_data_points());  // Without buckets.
  auto& exponential = *scope_group.add_metrics();
  exponential.set_name("load.weight");
  auto& exponential_point = *exponential.mutable_exponential_histogram()->add_data_points();
  exponential_point.set_scale(3);
  exponential_point.set_zero_threshold(0.001);
  exponential_point.mutable_positive()->set_offset(-20);
  for (const std::uint64_t count : {1U, 0U, 300U}) {
    exponential_point.mutable_positive()->add_bucket_counts(count);
  }
  AddExemplars(exponential_point);
  auto& summary = *scope_group.add_metrics();
  summary.set_name("old");
  summary.mutable_summary()->add_data_points()->set_count(3);
  return request;
}

ExportMetricsServiceRequest Gauges() {
  namespace metrics = opentelemetry::proto::metrics::v1;
  constexpr std::uint64_t kTime = 1'700'000'000'000'000'000;
  ExportMetricsServiceRequest request;
  auto& group = *request.add_resource_metrics();
  FillResource(*group.mutable_resource());
  auto& scope_group = *group.add_scope_metrics();
  const auto add_gauge = [&](const char* name) {
    auto& metric = *scope_group.add_metrics();
    metric.set_name(name);
    metric.set_unit("{cpu}");
    return metric.mutable_gauge();
  };
  const auto fill = [](metrics::NumberDataPoint& point, std::uint64_t time, double value) {
    Add(*point.mutable_attributes(), "berth").set_int_value(3);
    point.set_time_unix_nano(time);
    point.set_as_double(value);
  };
  auto& usage = *add_gauge("k8s.pod.cpu.usage");
  fill(*usage.add_data_points(), kTime, 0.25);
  usage.add_data_points()->set_time_unix_nano(kTime);   // Says no value.
  fill(*usage.add_data_points(), 0, 1);                 // Stands at no time.
  fill(*usage.add_data_points(), kTime, std::nan(""));  // Is no number.
  fill(*usage.add_data_points(), kTime, 2);
  usage.mutable_data_points()->rbegin()->set_flags(1);  // Not recorded.
  usage.add_data_points()->set_as_int(-4);
  usage.mutable_data_points()->rbegin()->set_time_unix_nano(kTime + 1);
  AddExemplars(*usage.mutable_data_points()->rbegin());
  fill(*add_gauge("k8s.pod.memory.usage")->add_data_points(), kTime, 1);
  const auto add_sum = [&](metrics::AggregationTemporality temporality) {
    auto& metric = *scope_group.add_metrics();
    metric.set_name("k8s_pod_cpu_time_seconds_total");
    metric.mutable_sum()->set_aggregation_temporality(temporality);
    fill(*metric.mutable_sum()->add_data_points(), kTime, 77);
  };
  add_sum(metrics::AGGREGATION_TEMPORALITY_CUMULATIVE);
  add_sum(metrics::AGGREGATION_TEMPORALITY_DELTA);
  auto& histogram = *scope_group.add_metrics();
  histogram.set_name("k8s.pod.cpu.histogram");
  histogram.mutable_histogram()->add_data_points()->set_time_unix_nano(kTime);
  return request;
}

ExportLogsServiceRequest Logs() {
  ExportLogsServiceRequest request;
  auto& group = *request.add_resource_logs();
  FillResource(*group.mutable_resource());
  auto& scope_group = *group.add_scope_logs();
  FillScope(*scope_group.mutable_scope());
  auto& record = *scope_group.add_log_records();
  record.set_time_unix_nano(1'700'000'000'000'000'000);
  record.set_observed_time_unix_nano(1'700'000'000'000'000'005);
  record.set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_ERROR2);
  record.set_severity_text("ERROR");
  record.mutable_body()->set_string_value("rope broke at berth 3");
  record.set_trace_id(Id(16));
  record.set_span_id(Id(8));
  record.set_flags(1);
  record.set_event_name("rope.broken");
  AddAttributes(*record.mutable_attributes());
  *scope_group.add_log_records()->mutable_body() = Nested(6);
  scope_group.add_log_records()->set_trace_id(Id(5));
  auto& attribute = *scope_group.add_log_records();
  Add(*attribute.mutable_attributes(), "trace_id")
      .set_string_value("0123456789abcdef0123456789abcdef");
  auto& text = *request.add_resource_logs()->add_scope_logs()->add_log_records();
  text.mutable_body()->set_string_value("done trace_id=0123456789abcdef0123456789abcdef");
  text.set_trace_id(std::string(16, '\0'));
  text.set_span_id(Id(3));
  return request;
}

}  // namespace throughline::samples
