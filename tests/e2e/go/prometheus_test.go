package clients

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

var from, to = at.Add(-time.Minute), at.Add(time.Minute)

func prometheusAPI(t *testing.T) (prometheus.API, context.Context) {
	t.Helper()
	client, err := api.NewClient(api.Config{Address: gateway + "/prometheus"})
	if err != nil {
		t.Fatal(err)
	}
	return prometheus.NewAPI(client), t.Context()
}

func TestQueryExemplars(t *testing.T) {
	client, ctx := prometheusAPI(t)
	found, err := client.QueryExemplars(ctx, `histogram_quantile(0.95, sum by (le) (rate(`+metricName+`{http_route="/buy"}[1m])))`, from, to)
	if err != nil {
		t.Fatal(err)
	}
	// The series of each bucket that holds one; le is the bucket's upper bound.
	want := map[model.LabelValue]struct {
		value float64
		at    time.Time
		user  model.LabelValue
	}{
		"0.1":  {exemplarValues[0], at, "u0"},
		"0.5":  {exemplarValues[1], at.Add(time.Second), "u1"},
		"+Inf": {exemplarValues[2], at.Add(2 * time.Second), "u2"},
	}
	if len(found) != len(want) {
		t.Fatalf("%d series, want %d: %v", len(found), len(want), found)
	}
	for _, series := range found {
		le := series.SeriesLabels["le"]
		if series.SeriesLabels[model.MetricNameLabel] != metricName || series.SeriesLabels["service_name"] != "web" ||
			series.SeriesLabels["http_route"] != "/buy" || len(series.Exemplars) != 1 {
			t.Errorf("%v", series)
			continue
		}
		exemplar := series.Exemplars[0]
		if float64(exemplar.Value) != want[le].value || !exemplar.Timestamp.Time().Equal(want[le].at) {
			t.Errorf("le %s: %v at %v, want %v", le, exemplar.Value, exemplar.Timestamp, want[le])
		}
		if exemplar.Labels["trace_id"] != traceID || exemplar.Labels["span_id"] != rootID || exemplar.Labels["user"] != want[le].user {
			t.Errorf("le %s: %v", le, exemplar.Labels)
		}
	}
	if found, err = client.QueryExemplars(ctx, metricName, to, to.Add(time.Hour)); err != nil || len(found) != 0 {
		t.Errorf("of another time: %v, %v", found, err)
	}
}

func TestExemplarErrorsAreTyped(t *testing.T) {
	client, ctx := prometheusAPI(t)
	_, err := client.QueryExemplars(ctx, `rate(`, from, to)
	if refused, is := err.(*prometheus.Error); !is || refused.Type != prometheus.ErrBadData {
		t.Errorf("%v, want %s", err, prometheus.ErrBadData)
	}
}

func TestQueryOfConstants(t *testing.T) {
	client, ctx := prometheusAPI(t)
	value, warnings, _, err := client.Query(ctx, "1+1", at)
	if scalar, is := value.(*model.Scalar); err != nil || !is || scalar.Value != 2 || !scalar.Timestamp.Time().Equal(at) || warnings != nil {
		t.Errorf("%v, %v, %v", value, warnings, err)
	}
	value, _, _, err = client.QueryRange(ctx, "vector(3)", prometheus.Range{Start: from, End: to, Step: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	matrix, is := value.(model.Matrix)
	if !is || len(matrix) != 1 || len(matrix[0].Values) != 5 || matrix[0].Values[4].Value != 3 {
		t.Errorf("%v", value)
	}
}

func TestQueryOfAMetricSaysThatThereAreNoSamples(t *testing.T) {
	client, ctx := prometheusAPI(t)
	value, warnings, _, err := client.QueryRange(ctx, "rate("+metricName+"[1m])", prometheus.Range{Start: from, End: to, Step: time.Minute})
	if matrix, is := value.(model.Matrix); err != nil || !is || len(matrix) != 0 || len(warnings) == 0 {
		t.Errorf("%v, %v, %v", value, warnings, err)
	}
}

func TestQueryOfTheServiceGraph(t *testing.T) {
	client, ctx := prometheusAPI(t)
	value, warnings, _, err := client.Query(ctx, `sum by (client, server) (rate(traces_service_graph_request_total[120s]))`, to)
	if err != nil {
		t.Fatal(err)
	}
	vector, is := value.(model.Vector)
	if !is || len(vector) == 0 || len(warnings) == 0 {
		t.Fatalf("%v, %v", value, warnings)
	}
	want := model.Metric{"client": "web", "server": "checkout"}
	at := slices.IndexFunc(vector, func(sample *model.Sample) bool { return sample.Metric.Equal(want) })
	if at < 0 || float64(vector[at].Value)*120 < 0.999 || float64(vector[at].Value)*120 > 1.001 {
		t.Errorf("%v, want one call of %v in 120 s", vector, want)
	}
}

func TestLabelsAndSeries(t *testing.T) {
	client, ctx := prometheusAPI(t)
	names, _, _, err := client.LabelNames(ctx, []string{metricName}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []model.LabelName{"__name__", "http_route", "job", "le", "service_name"} {
		if !slices.Contains(names, name) {
			t.Errorf("%v, want %s among them", names, name)
		}
	}
	values, _, _, err := client.LabelValues(ctx, "__name__", nil, from, to)
	if err != nil || !slices.Equal(values, model.LabelValues{metricName}) {
		t.Errorf("%v, %v", values, err)
	}
	values, _, _, err = client.LabelValues(ctx, "le", []string{metricName + `{http_route="/buy"}`}, from, to, prometheus.WithLimit(2))
	if err != nil || len(values) != 2 {
		t.Errorf("%v, %v", values, err)
	}
	series, _, _, err := client.Series(ctx, []string{metricName + `{le="0.5"}`}, from, to)
	if err != nil || len(series) != 1 || series[0]["http_route"] != "/buy" {
		t.Errorf("%v, %v", series, err)
	}
}

func TestMetadataRulesAndBuildinfo(t *testing.T) {
	client, ctx := prometheusAPI(t)
	if _, err := client.Metadata(ctx, "", "10"); err != nil {
		t.Error(err)
	}
	if rules, err := client.Rules(ctx, nil); err != nil || len(rules.Groups) != 0 {
		t.Errorf("%v, %v", rules, err)
	}
	if build, err := client.Buildinfo(ctx); err != nil || build.Version == "" {
		t.Errorf("%v, %v", build, err)
	}
}
