package clients

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand"
	"net/url"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// What Tempo's black-box tester asks: random traces, sent in several requests, some of them late, are
// read by id and compared field by field, found by a random attribute in both languages of the
// search, and counted by a metrics query that must agree with the search.

const randomTraces = 40

// Of the first trace; THROUGHLINE_TEST_SEED repeats a run.
func firstSeed(t *testing.T) int64 {
	seed := time.Now().UnixNano()
	if given := os.Getenv("THROUGHLINE_TEST_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseInt(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Log("THROUGHLINE_TEST_SEED =", seed)
	return seed
}

// A trace that its seed determines, request by request.
type randomTrace struct {
	id       []byte
	requests []*trace.TracesData
	late     int // So many of the requests are sent when all traces were read once.
}

func randomText(random *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	made := make([]byte, 6+random.Intn(15))
	for i := range made {
		made[i] = letters[random.Intn(len(letters))]
	}
	return string(made)
}

func randomAttributes(random *rand.Rand, prefix string) []*common.KeyValue {
	var made []*common.KeyValue
	for i := range 2 + random.Intn(4) {
		made = append(made, pair(fmt.Sprintf("%s-%d", prefix, i), text(randomText(random))))
	}
	for i := range random.Intn(6) {
		made = append(made, pair(fmt.Sprintf("%s-int-%02d", prefix, i), integer(random.Int63n(1_000_000))))
	}
	return made
}

// With names that senders use, in every other case.
func withKnownNames(random *rand.Rand, made []*common.KeyValue, names ...string) []*common.KeyValue {
	if random.Intn(2) == 0 {
		return made
	}
	for _, name := range names {
		made = append(made, pair(name, text(randomText(random))))
	}
	return made
}

func randomID(random *rand.Rand, length int) []byte {
	id := make([]byte, length)
	random.Read(id)
	id[0] |= 1
	return id
}

func newRandomTrace(seed int64, at time.Time) randomTrace {
	random := rand.New(rand.NewSource(seed))
	made := randomTrace{id: randomID(random, 16), late: random.Intn(3)}
	for range 3 + random.Intn(8) {
		var spans []*trace.Span
		var parent []byte
		for range 2 + random.Intn(4) {
			start := uint64(at.UnixNano())
			attributes := withKnownNames(random, randomAttributes(random, "random"), "http.method", "http.url")
			span := &trace.Span{TraceId: made.id, SpanId: randomID(random, 8), ParentSpanId: parent, Name: fmt.Sprintf("work-%d", random.Intn(100)),
				StartTimeUnixNano: start, EndTimeUnixNano: start + 1000*uint64(random.Intn(100)),
				Attributes: attributes, Status: &trace.Status{}}
			parent = span.SpanId
			for range 2 + random.Intn(4) {
				span.Events = append(span.Events, &trace.Span_Event{TimeUnixNano: start, Attributes: randomAttributes(random, "random")})
			}
			spans = append(spans, span)
		}
		process := withKnownNames(random, randomAttributes(random, "random-process"), "cluster", "namespace", "pod", "container",
			"k8s.namespace.name", "k8s.cluster.name", "k8s.pod.name", "k8s.container.name")
		made.requests = append(made.requests, &trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{
			Resource:   service("black-box", process...),
			ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{}, Spans: spans}}}}})
	}
	return made
}

// All that was sent, or what is left without the late requests.
func (made randomTrace) whole(late bool) *trace.TracesData {
	requests := made.requests
	if !late {
		requests = requests[:len(requests)-made.late]
	}
	whole := &trace.TracesData{}
	for _, request := range requests {
		whole.ResourceSpans = append(whole.ResourceSpans, request.ResourceSpans...)
	}
	return proto.CloneOf(whole)
}

// The order of resources, spans and attributes says nothing; that of events of one time does.
func inOrder(data *trace.TracesData) *trace.TracesData {
	byKey := func(a, b *common.KeyValue) int { return cmp.Compare(a.Key, b.Key) }
	for _, rs := range data.ResourceSpans {
		slices.SortFunc(rs.Resource.Attributes, byKey)
		for _, ss := range rs.ScopeSpans {
			slices.SortFunc(ss.Spans, func(a, b *trace.Span) int { return bytes.Compare(a.SpanId, b.SpanId) })
			for _, span := range ss.Spans {
				slices.SortFunc(span.Attributes, byKey)
			}
		}
	}
	slices.SortFunc(data.ResourceSpans, func(a, b *trace.ResourceSpans) int {
		return bytes.Compare(a.ScopeSpans[0].Spans[0].SpanId, b.ScopeSpans[0].Spans[0].SpanId)
	})
	return data
}

func (made randomTrace) in(answer searchAnswer) bool {
	return slices.ContainsFunc(answer.Traces, func(found foundTrace) bool { return found.TraceID == fmt.Sprintf("%x", made.id) })
}

// A query about half an hour before and after a time, with names and values in turn.
func around(at time.Time, more ...string) url.Values {
	query := url.Values{"start": {fmt.Sprint(at.Add(-30 * time.Minute).Unix())}, "end": {fmt.Sprint(at.Add(30 * time.Minute).Unix())}}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return query
}

func (made randomTrace) check(t *testing.T, late bool, at time.Time, random *rand.Rand) {
	t.Helper()
	want := inOrder(made.whole(late))
	got := &trace.TracesData{}
	if err := proto.Unmarshal(get(t, fmt.Sprintf("/tempo/api/traces/%x?%s", made.id, around(at).Encode()), protobuf, 200), got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(inOrder(got), want) {
		t.Fatalf("trace %x: got %v\nwant %v", made.id, got, want)
	}
	group := want.ResourceSpans[random.Intn(len(want.ResourceSpans))]
	attributes := group.ScopeSpans[0].Spans[0].Attributes
	if random.Intn(2) == 1 {
		attributes = group.Resource.Attributes
	}
	// What no other trace has: neither the service nor a number.
	attributes = slices.DeleteFunc(slices.Clone(attributes), func(attribute *common.KeyValue) bool {
		return attribute.Key == "service.name" || attribute.Value.GetStringValue() == ""
	})
	asked := attributes[random.Intn(len(attributes))]
	made.checkFound(t, at, asked.Key, asked.Value.GetStringValue())
}

func (made randomTrace) checkFound(t *testing.T, at time.Time, key, value string) {
	t.Helper()
	if answer := strictly[searchAnswer](t, "/tempo/api/search", around(at, "tags", key+"="+value)); !made.in(answer) {
		t.Errorf("trace %x is not found by the tag %s=%s", made.id, key, value)
	}
	query := fmt.Sprintf(`{.%s = "%s"}`, key, value)
	answer := strictly[searchAnswer](t, "/tempo/api/search", around(at, "q", query))
	if !made.in(answer) {
		t.Errorf("trace %x is not found by %s", made.id, query)
	}
	matched := 0
	for _, found := range answer.Traces {
		for _, set := range found.SpanSets {
			matched += set.Matched
		}
	}
	counted := strictly[metricsAnswer](t, "/tempo/api/metrics/query_range", around(at, "q", query+" | count_over_time()", "step", "1m"))
	if len(counted.Series) != 1 {
		t.Fatalf("%s: %d series, want one", query, len(counted.Series))
	}
	sum := 0.0
	for _, sample := range counted.Series[0].Samples {
		sum += sample.Value
	}
	if sum < 1 || sum != float64(matched) {
		t.Errorf("%s: counted %v, the search matched %d", query, sum, matched)
	}
}

func TestRandomTraces(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	seed := firstSeed(t)
	random := rand.New(rand.NewSource(seed))
	when := func(i int) time.Time { return now.Add(-time.Duration(i) * 7 * time.Second) }
	var traces []randomTrace
	post := func(requests []*trace.TracesData) {
		for _, request := range requests {
			if err := send("/v1/traces", request); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range randomTraces {
		made := newRandomTrace(seed+int64(i), when(i))
		post(made.requests[:len(made.requests)-made.late])
		traces = append(traces, made)
	}
	for i, made := range traces {
		made.check(t, false, when(i), random)
	}
	for _, made := range traces {
		post(made.requests[len(made.requests)-made.late:])
	}
	for i, made := range traces {
		made.check(t, true, when(i), random)
	}
	post(traces[0].requests) // Sent again by a client that saw no answer: nothing is doubled.
	traces[0].check(t, true, when(0), random)
}
