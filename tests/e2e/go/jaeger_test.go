package clients

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"

	jaeger "github.com/jaegertracing/jaeger/model/json"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// The data of an answer of Jaeger's query service.
func jaegerData[Data any](t *testing.T, path string) Data {
	t.Helper()
	var answer struct {
		Data                 Data `json:"data"`
		Total, Limit, Offset int
		Errors               []struct {
			Code int
			Msg  string
		}
	}
	if err := json.Unmarshal(get(t, path, "application/json", 200), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Errors != nil {
		t.Fatal(answer.Errors)
	}
	return answer.Data
}

func tagsByKey(t *testing.T, tags []jaeger.KeyValue) map[string]any {
	t.Helper()
	values := map[string]any{}
	for _, tag := range tags {
		var fits bool
		switch tag.Type {
		case jaeger.StringType, jaeger.BinaryType:
			_, fits = tag.Value.(string)
		case jaeger.BoolType:
			_, fits = tag.Value.(bool)
		case jaeger.Int64Type, jaeger.Float64Type:
			_, fits = tag.Value.(float64)
		}
		if !fits {
			t.Errorf("tag %s says %q and is %T", tag.Key, tag.Type, tag.Value)
		}
		values[tag.Key] = tag.Value
	}
	return values
}

func TestJaegerTraceIsWhatWasSent(t *testing.T) {
	traces := jaegerData[[]jaeger.Trace](t, "/jaeger/api/traces/"+traceID)
	if len(traces) != 1 || traces[0].TraceID != traceID {
		t.Fatalf("%v", traces)
	}
	got := traces[0]
	want := spansExpected()
	if len(got.Spans) != len(want) {
		t.Fatalf("%d spans, want %d", len(got.Spans), len(want))
	}
	for _, placed := range want {
		sent := placed.span
		id := jaeger.SpanID(hex.EncodeToString(sent.SpanId))
		at := slices.IndexFunc(got.Spans, func(span jaeger.Span) bool { return span.SpanID == id })
		if at < 0 {
			t.Errorf("no span %s", id)
			continue
		}
		span := got.Spans[at]
		if span.OperationName != sent.Name || span.StartTime != sent.StartTimeUnixNano/1000 ||
			span.Duration != (sent.EndTimeUnixNano-sent.StartTimeUnixNano)/1000 || len(span.Logs) != len(sent.Events) {
			t.Errorf("%v, want %v", span, sent)
		}
		process, there := got.Processes[span.ProcessID]
		if service := placed.resource.Attributes[0].Value.GetStringValue(); !there || process.ServiceName != service {
			t.Errorf("span %s of %q, want %q", id, process.ServiceName, service)
		}
		checkReferences(t, span, sent)
		checkTags(t, tagsByKey(t, span.Tags), sent)
	}
}

func checkReferences(t *testing.T, span jaeger.Span, sent *trace.Span) {
	t.Helper()
	var want []jaeger.Reference
	if len(sent.ParentSpanId) > 0 {
		want = append(want, jaeger.Reference{RefType: jaeger.ChildOf, TraceID: traceID,
			SpanID: jaeger.SpanID(hex.EncodeToString(sent.ParentSpanId))})
	}
	for _, link := range sent.Links {
		want = append(want, jaeger.Reference{RefType: jaeger.FollowsFrom, TraceID: jaeger.TraceID(hex.EncodeToString(link.TraceId)),
			SpanID: jaeger.SpanID(hex.EncodeToString(link.SpanId))})
	}
	if !slices.Equal(span.References, want) {
		t.Errorf("span %s: %v, want %v", span.SpanID, span.References, want)
	}
}

func checkTags(t *testing.T, tags map[string]any, sent *trace.Span) {
	t.Helper()
	for _, attribute := range sent.Attributes {
		if _, there := tags[attribute.Key]; !there {
			t.Errorf("no tag %s", attribute.Key)
		}
	}
	failed := sent.Status.Code == trace.Status_STATUS_CODE_ERROR
	if tags["error"] == true != failed {
		t.Errorf("tag error is %v of status %v", tags["error"], sent.Status)
	}
	kinds := map[trace.Span_SpanKind]any{trace.Span_SPAN_KIND_SERVER: "server", trace.Span_SPAN_KIND_CLIENT: "client"}
	if tags["span.kind"] != kinds[sent.Kind] {
		t.Errorf("tag span.kind is %v of %v", tags["span.kind"], sent.Kind)
	}
}

func TestJaegerServicesAndOperations(t *testing.T) {
	services := jaegerData[[]string](t, "/jaeger/api/services")
	if !slices.Contains(services, "web") || !slices.Contains(services, "checkout") {
		t.Errorf("%v", services)
	}
	if names := jaegerData[[]string](t, "/jaeger/api/services/checkout/operations"); !slices.Equal(names, []string{"Checkout/Pay"}) {
		t.Errorf("%v", names)
	}
}

func TestJaegerSearch(t *testing.T) {
	path := func(tags string) string {
		return "/jaeger/api/traces?" + url.Values{"service": {"web"}, "tags": {tags}, "limit": {"20"}, "minDuration": {"399ms"},
			"start": {fmt.Sprint(from.UnixMicro())}, "end": {fmt.Sprint(to.UnixMicro())}}.Encode()
	}
	if found := jaegerData[[]jaeger.Trace](t, path(`{"error":"true","double":"12.5"}`)); len(found) != 1 || found[0].TraceID != traceID {
		t.Errorf("%v", found)
	}
	if found := jaegerData[[]jaeger.Trace](t, path(`{"double":"13"}`)); len(found) != 0 {
		t.Errorf("%v", found)
	}
}

func TestJaegerDependencies(t *testing.T) {
	links := jaegerData[[]jaeger.DependencyLink](t, fmt.Sprintf("/jaeger/api/dependencies?endTs=%d&lookback=120000", to.UnixMilli()))
	if !slices.Contains(links, jaeger.DependencyLink{Parent: "web", Child: "checkout", CallCount: 1}) {
		t.Errorf("%v", links)
	}
}

// Version 3 answers in OTLP's JSON: that of its messages, but with ids in hexadecimal.
func TestJaegerVersion3(t *testing.T) {
	var answer struct{ Result any }
	if err := json.Unmarshal(get(t, "/jaeger/api/v3/traces/"+traceID, "application/json", 200), &answer); err != nil {
		t.Fatal(err)
	}
	idsToBase64(answer.Result)
	text, err := json.Marshal(answer.Result)
	if err != nil {
		t.Fatal(err)
	}
	data := &trace.TracesData{}
	if err := protojson.Unmarshal(text, data); err != nil {
		t.Fatal(err)
	}
	encoded, err := proto.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, encoded)
}

func idsToBase64(value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if key == "traceId" || key == "spanId" || key == "parentSpanId" {
				value[key] = base64.StdEncoding.EncodeToString(unhex(member.(string)))
			} else {
				idsToBase64(member)
			}
		}
	case []any:
		for _, item := range value {
			idsToBase64(item)
		}
	}
}
