package clients

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

const protobuf = "application/protobuf"

// A span with what it stands under.
type placed struct {
	resource *resource.Resource
	scope    *common.InstrumentationScope
	span     *trace.Span
}

func spansOf(data *trace.TracesData) []placed {
	var spans []placed
	for _, rs := range data.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, span := range ss.Spans {
				spans = append(spans, placed{rs.Resource, ss.Scope, span})
			}
		}
	}
	slices.SortFunc(spans, func(a, b placed) int { return cmp.Compare(string(a.span.SpanId), string(b.span.SpanId)) })
	return spans
}

// As sent, with what readers dereference without looking: an empty scope and status for none, and
// for no resource the service of those that name none.
func spansExpected() []placed {
	spans := spansOf(tracesSent())
	for i := range spans {
		if spans[i].resource == nil {
			spans[i].resource = service("unknown_service")
		}
		if spans[i].scope == nil {
			spans[i].scope = &common.InstrumentationScope{}
		}
		if spans[i].span.Status == nil {
			spans[i].span.Status = &trace.Status{}
		}
	}
	return spans
}

func checkTrace(t *testing.T, encoded []byte) {
	t.Helper()
	var data trace.TracesData // Tempo's Trace is the same message.
	if err := proto.Unmarshal(encoded, &data); err != nil {
		t.Fatal(err)
	}
	got, want := spansOf(&data), spansExpected()
	if len(got) != len(want) {
		t.Fatalf("%d spans, want %d", len(got), len(want))
	}
	for i := range want {
		for _, pair := range [][2]proto.Message{
			{got[i].resource, want[i].resource}, {got[i].scope, want[i].scope}, {got[i].span, want[i].span}} {
			if !proto.Equal(pair[0], pair[1]) {
				t.Errorf("span %x: got %v\nwant %v", want[i].span.SpanId, pair[0], pair[1])
			}
		}
		if got[i].resource == nil || got[i].scope == nil || got[i].span.Status == nil {
			t.Errorf("span %x: no resource, scope or status, which readers dereference", want[i].span.SpanId)
		}
	}
}

func TestTempoTraceIsWhatWasSent(t *testing.T) {
	checkTrace(t, get(t, "/tempo/api/traces/"+traceID, protobuf, 200))
	checkTrace(t, get(t, "/api/traces/"+traceID, protobuf, 200))
}

func TestTempoTraceByIDResponse(t *testing.T) {
	answer := get(t, "/tempo/api/v2/traces/"+traceID, protobuf, 200)
	number, kind, read := protowire.ConsumeTag(answer)
	if number != 1 || kind != protowire.BytesType {
		t.Fatalf("begins with field %d of type %d, want the trace", number, kind)
	}
	encoded, length := protowire.ConsumeBytes(answer[read:])
	if length < 0 {
		t.Fatal(protowire.ParseError(length))
	}
	checkTrace(t, encoded)
}

func TestTempoUnknownTrace(t *testing.T) {
	get(t, "/tempo/api/v2/traces/00000000000000000000000000000bad", protobuf, 404)
}

// The JSON of the older form, whose ids are base64.
func TestTempoTraceAsJSON(t *testing.T) {
	var answer struct {
		Batches []struct {
			ScopeSpans []struct {
				Spans []struct{ TraceID, SpanID string }
			}
		}
	}
	if err := json.Unmarshal(get(t, "/tempo/api/traces/"+traceID, "application/json", 200), &answer); err != nil {
		t.Fatal(err)
	}
	for _, batch := range answer.Batches {
		for _, scope := range batch.ScopeSpans {
			for _, span := range scope.Spans {
				if id, err := base64.StdEncoding.DecodeString(span.TraceID); err != nil || !slices.Equal(id, unhex(traceID)) {
					t.Errorf("trace id %q: %v", span.TraceID, err)
				}
			}
		}
	}
	if len(answer.Batches) != 3 {
		t.Errorf("%d resources, want 3", len(answer.Batches))
	}
}
