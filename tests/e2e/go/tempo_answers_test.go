package clients

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"testing"
)

// The JSON of Tempo's answers with all fields that its clients know: their readers are strict, and one
// field more is an error to them (tempopb of May 2025, which Grafana's data source is built with).

type attribute struct {
	Key   string
	Value struct {
		StringValue *string
		IntValue    *json.Number
		DoubleValue *float64
		BoolValue   *bool
	}
}

type searchMetrics struct {
	InspectedTraces, TotalBlocks, CompletedJobs, TotalJobs int
	InspectedBytes, TotalBlockBytes, InspectedSpans        json.Number
}

type spanSet struct {
	Matched int
	Spans   []struct {
		SpanID, Name                     string
		StartTimeUnixNano, DurationNanos json.Number
		Attributes                       []attribute
	}
	Attributes []attribute
}

type foundTrace struct {
	TraceID, RootServiceName, RootTraceName string
	StartTimeUnixNano                       json.Number
	DurationMs                              int
	SpanSet                                 *spanSet
	SpanSets                                []spanSet
	ServiceStats                            map[string]struct{ SpanCount, ErrorCount int }
}

type searchAnswer struct {
	Traces  []foundTrace
	Metrics searchMetrics
}

type sample struct {
	TimestampMs json.Number
	Value       float64
}

type metricsAnswer struct {
	Series []struct {
		Labels     []attribute
		PromLabels string
		Samples    []sample
		Exemplars  []struct {
			Labels      []attribute
			Value       float64
			TimestampMs json.Number
		}
	}
	Metrics         searchMetrics
	Status, Message string
}

type instantAnswer struct {
	Series []struct {
		Labels     []attribute
		PromLabels string
		Value      float64
	}
	Metrics searchMetrics
}

type metadataMetrics struct {
	InspectedBytes, TotalBlockBytes       json.Number
	TotalJobs, CompletedJobs, TotalBlocks int
}

type tagsAnswer struct {
	Scopes []struct {
		Name string
		Tags []string
	}
	Metrics metadataMetrics
}

type tagValuesAnswer struct {
	TagValues []struct{ Type, Value string }
	Metrics   metadataMetrics
}

func strictly[Answer any](t *testing.T, path string, query url.Values) Answer {
	t.Helper()
	var answer Answer
	decoder := json.NewDecoder(bytes.NewReader(get(t, path+"?"+query.Encode(), "application/json", 200)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&answer); err != nil {
		t.Fatalf("%s %v: %v", path, query, err)
	}
	return answer
}

func TestTempoSearchSelects(t *testing.T) {
	answer := strictly[searchAnswer](t, "/tempo/api/search", around(at, "spss", "0",
		"q", `{resource.service.name="web" && status=error} | select(span.double, span.integer, span.bool, duration)`))
	if len(answer.Traces) != 1 || answer.Traces[0].TraceID != traceID || answer.Traces[0].RootServiceName != "web" {
		t.Fatalf("%v", answer)
	}
	span := answer.Traces[0].SpanSets[0].Spans[0]
	has := func(fits func(attribute) bool) bool { return slices.ContainsFunc(span.Attributes, fits) }
	if span.SpanID != rootID || span.DurationNanos != "400000000" ||
		!has(func(a attribute) bool {
			return a.Key == "double" && a.Value.DoubleValue != nil && *a.Value.DoubleValue == 12.5
		}) ||
		!has(func(a attribute) bool {
			return a.Key == "integer" && a.Value.IntValue != nil && *a.Value.IntValue == "-4611686018427387904"
		}) || !has(func(a attribute) bool { return a.Key == "bool" && a.Value.BoolValue != nil && *a.Value.BoolValue }) {
		t.Errorf("%+v", span)
	}
}

func TestTempoTags(t *testing.T) {
	tags := strictly[tagsAnswer](t, "/tempo/api/v2/search/tags", around(at))
	names := map[string][]string{}
	for _, scope := range tags.Scopes {
		names[scope.Name] = scope.Tags
	}
	if !slices.Contains(names["resource"], "host.name") || !slices.Contains(names["span"], "double") ||
		!slices.Contains(names["event"], "exception.type") || !slices.Contains(names["intrinsic"], "duration") {
		t.Errorf("%v", names)
	}
	values := strictly[tagValuesAnswer](t, "/tempo/api/v2/search/tag/resource.service.name/values", around(at, "q", "{ status=error }"))
	if len(values.TagValues) != 1 || values.TagValues[0].Type != "string" || values.TagValues[0].Value != "web" {
		t.Errorf("%v", values)
	}
}

func TestTempoMetrics(t *testing.T) {
	query := `{resource.service.name="web"} | quantile_over_time(duration, 0.9) by (span:name)`
	ranged := strictly[metricsAnswer](t, "/tempo/api/metrics/query_range", around(at, "q", query, "step", "60s", "exemplars", "10"))
	if len(ranged.Series) != 2 || len(ranged.Series[0].Exemplars) == 0 {
		t.Errorf("%v", ranged)
	}
	instant := strictly[instantAnswer](t, "/tempo/api/metrics/query", around(at, "q", `{status=error} | count_over_time()`))
	if len(instant.Series) != 1 || instant.Series[0].Value != 1 {
		t.Errorf("%v", instant)
	}
}
