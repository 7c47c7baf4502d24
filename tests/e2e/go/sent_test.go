package clients

import (
	"encoding/hex"
	"fmt"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// What is sent before the tests begin: a trace over three resources with all of a span that is kept
// (how many parts an SDK had dropped is not), and a histogram whose exemplars name it.

const (
	traceID = "5b8efff798038103d269b633813fc60c"
	rootID  = "eee19b7ec3c1b174"
	callID  = "eee19b7ec3c1b175"
	childID = "eee19b7ec3c1b176"
	loneID  = "eee19b7ec3c1b177"
)

var at = time.Unix(1_750_000_000, 0)

const metricName = "http_server_request_duration_seconds_bucket"

var exemplarValues = []float64{0.0625, 0.25, 2.5}

func unhex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}

func ns(after time.Duration) uint64 { return uint64(at.Add(after).UnixNano()) }

func text(value string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}
}

func integer(value int64) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}
}

func pair(key string, value *common.AnyValue) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: value}
}

func service(name string, more ...*common.KeyValue) *resource.Resource {
	return &resource.Resource{Attributes: append([]*common.KeyValue{pair("service.name", text(name))}, more...)}
}

func attributesOfEveryKind() []*common.KeyValue {
	return []*common.KeyValue{
		pair("text", text("a \"quoted\"\nline, «ü»")),
		pair("integer", integer(-1<<62)),
		pair("double", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: 12.5}}),
		pair("bool", &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}}),
		pair("bytes", &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{0, 1, 255}}}),
		pair("list", &common.AnyValue{Value: &common.AnyValue_ArrayValue{
			ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{text("tea"), integer(7)}}}}),
		pair("map", &common.AnyValue{Value: &common.AnyValue_KvlistValue{
			KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{pair("k", text("v"))}}}}),
	}
}

func tracesSent() *trace.TracesData {
	root := &trace.Span{
		TraceId: unhex(traceID), SpanId: unhex(rootID), TraceState: "vendor=1", Flags: 0x101,
		Name: "POST /buy", Kind: trace.Span_SPAN_KIND_SERVER,
		StartTimeUnixNano: ns(0), EndTimeUnixNano: ns(400 * time.Millisecond),
		Attributes: attributesOfEveryKind(),
		Events: []*trace.Span_Event{
			{TimeUnixNano: ns(time.Millisecond), Name: "cache.miss", Attributes: []*common.KeyValue{pair("key", text("k1"))}},
			{TimeUnixNano: ns(time.Millisecond), Name: "exception", Attributes: []*common.KeyValue{pair("exception.type", text("Timeout"))}},
		},
		Links: []*trace.Span_Link{{TraceId: unhex("0af7651916cd43dd8448eb211c80319c"), SpanId: unhex("b7ad6b7169203331"),
			TraceState: "other=2", Attributes: []*common.KeyValue{pair("why", text("retry"))}}},
		Status: &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: "no stock"},
	}
	call := &trace.Span{
		TraceId: unhex(traceID), SpanId: unhex(callID), ParentSpanId: unhex(rootID), Flags: 0x301,
		Name: "checkout", Kind: trace.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: ns(10 * time.Millisecond), EndTimeUnixNano: ns(310*time.Millisecond + 1),
	}
	child := &trace.Span{
		TraceId: unhex(traceID), SpanId: unhex(childID), ParentSpanId: unhex(callID),
		Name: "Checkout/Pay", Kind: trace.Span_SPAN_KIND_SERVER,
		StartTimeUnixNano: ns(20 * time.Millisecond), EndTimeUnixNano: ns(300 * time.Millisecond),
		Status: &trace.Status{Code: trace.Status_STATUS_CODE_OK},
	}
	lone := &trace.Span{ // Of a resource and a scope that say nothing about themselves.
		TraceId: unhex(traceID), SpanId: unhex(loneID), ParentSpanId: unhex(childID), Name: "query",
		StartTimeUnixNano: ns(30 * time.Millisecond), EndTimeUnixNano: ns(30 * time.Millisecond),
	}
	return &trace.TracesData{ResourceSpans: []*trace.ResourceSpans{
		{Resource: service("web", pair("host.name", text("h1"))), ScopeSpans: []*trace.ScopeSpans{
			{Scope: &common.InstrumentationScope{Name: "http", Version: "1.2", Attributes: []*common.KeyValue{pair("lib", text("x"))}},
				Spans: []*trace.Span{root}},
			{Scope: &common.InstrumentationScope{Name: "grpc"}, Spans: []*trace.Span{call}},
		}},
		{Resource: service("checkout"), ScopeSpans: []*trace.ScopeSpans{
			{Scope: &common.InstrumentationScope{Name: "grpc"}, Spans: []*trace.Span{child}}}},
		{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{lone}}}},
	}}
}

func metricsSent() *metrics.MetricsData {
	var exemplars []*metrics.Exemplar
	for i, value := range exemplarValues {
		exemplars = append(exemplars, &metrics.Exemplar{
			TimeUnixNano: ns(time.Duration(i) * time.Second), TraceId: unhex(traceID), SpanId: unhex(rootID),
			Value:              &metrics.Exemplar_AsDouble{AsDouble: value},
			FilteredAttributes: []*common.KeyValue{pair("user", text(fmt.Sprint("u", i)))}})
	}
	point := &metrics.HistogramDataPoint{
		TimeUnixNano: ns(10 * time.Second), Count: 3, ExplicitBounds: []float64{0.1, 0.5, 1}, BucketCounts: []uint64{1, 1, 0, 1},
		Attributes: []*common.KeyValue{pair("http.route", text("/buy"))}, Exemplars: exemplars}
	return &metrics.MetricsData{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource: service("web"),
		ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: []*metrics.Metric{{
			Name: "http.server.request.duration", Unit: "s",
			Data: &metrics.Metric_Histogram{Histogram: &metrics.Histogram{
				AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
				DataPoints:             []*metrics.HistogramDataPoint{point}}}}}}}}}}
}
