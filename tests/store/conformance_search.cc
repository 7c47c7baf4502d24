// Searches: what they find, in which order, page by page, and what they say when they are cut.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/store/conformance.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Op = Matcher::Op;

TraceId Trace(std::uint64_t number) { return {.high = 0xf00, .low = number}; }

// The low halves of the traces found, in order.
std::vector<std::uint64_t> Numbers(const Page<TraceSummary>& page) {
  std::vector<std::uint64_t> numbers;
  for (const TraceSummary& summary : page.items) numbers.push_back(summary.trace_id.low);
  return numbers;
}

std::vector<std::string> Bodies(const RecordPage& page) {
  std::vector<std::string> bodies;
  for (const LogLine& line : page.records.logs) bodies.push_back(ValueText(line.body));
  return bodies;
}

std::vector<double> Values(const RecordPage& page) {
  std::vector<double> values;
  for (const Exemplar& exemplar : page.records.exemplars) values.push_back(exemplar.value());
  return values;
}

// Follows the cursors to the end, `limit` items at a time; `read` appends a page to the answer.
template <typename Query, typename Find, typename Read>
void ReadPages(Query query, std::size_t limit, const Find& find, const Read& read) {
  constexpr int kPagesAtMost = 1000;
  query.limit = limit;
  for (int i = 0; i < kPagesAtMost; ++i) {
    const auto page = find(query);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_TRUE(page->complete);
    read(*page);
    if (page->cursor.empty()) return;
    query.cursor = page->cursor;
  }
  FAIL() << "no end after " << kPagesAtMost << " pages";
}

// Six traces, each a second after the one before.
std::shared_ptr<const Batch> Traces() {
  Sample sample;
  sample.From({{"service.name", "shop"}, {"zone", "eu"}, {"cores", 4}});
  for (std::uint64_t i = 1; i <= 6; ++i) {
    sample.Add(SampleSpan{.trace = Trace(i),
                          .span = {1},
                          .start = kNow + i * kSecond,
                          .duration = i == 2 ? 90 * kSecond : kSecond - i,
                          .name = i % 2 == 0 ? "even" : "odd"});
  }
  // 3 has an error and an attribute in another service, 4 an attribute over that of its resource.
  sample.From({{"service.name", "pay"}, {"zone", "us"}})
      .Add(SampleSpan{.trace = Trace(3),
                      .span = {2},
                      .parent = {1},
                      .start = kNow + 3 * kSecond,
                      .duration = 5,
                      .name = "charge",
                      .status = 2,
                      .attributes = {{"card", "visa"}, {"retries", 2}}})
      .Add(SampleSpan{.trace = Trace(4),
                      .span = {2},
                      .parent = {1},
                      .start = kNow + 4 * kSecond,
                      .duration = 50,
                      .name = "charge",
                      .attributes = {{"zone", "moon"}}});
  sample.From({})
      .Add(SampleLine{.trace = Trace(5)})
      .Add(SampleExemplar{.trace = Trace(6)})
      .Add(SampleLine{.trace = Trace(6)});
  return sample.Finish();
}

struct TraceCase {
  const char* name;
  TraceQuery query;
  std::vector<std::uint64_t> found;
};

TraceQuery With(void (*change)(TraceQuery&)) {
  TraceQuery query;
  change(query);
  return query;
}

std::vector<TraceCase> SpanCases() {
  return {
      {"all", {}, {6, 5, 4, 3, 2, 1}},
      {"longest first",
       With([](TraceQuery& q) { q.order = TraceQuery::Order::kDuration; }),
       {2, 1, 3, 4, 5, 6}},
      {"service", With([](TraceQuery& q) { q.service = "pay"; }), {4, 3}},
      {"unknown service", With([](TraceQuery& q) { q.service = "nobody"; }), {}},
      {"operation", With([](TraceQuery& q) { q.operation = "even"; }), {6, 4, 2}},
      {"one span has both",
       With([](TraceQuery& q) {
         q.service = "pay";
         q.operation = "even";
       }),
       {}},
      {"status", With([](TraceQuery& q) { q.status_code = 2; }), {3}},
      {"unset status", With([](TraceQuery& q) { q.status_code = 0; }), {6, 5, 4, 3, 2, 1}},
      {"min duration", With([](TraceQuery& q) { q.min_duration_ns = kSecond; }), {2}},
      {"max duration", With([](TraceQuery& q) { q.max_duration_ns = 5; }), {3}},
      {"durations are inclusive",
       With([](TraceQuery& q) {
         q.min_duration_ns = 50;
         q.max_duration_ns = 50;
       }),
       {4}},
  };
}

std::vector<TraceCase> AttributeCases() {
  return {
      {"attribute",
       With([](TraceQuery& q) {
         q.attributes = {{"card", Op::kEqual, "visa"}};
       }),
       {3}},
      {"integer attribute",
       With([](TraceQuery& q) {
         q.attributes = {{"retries", Op::kEqual, "2"}};
       }),
       {3}},
      {"resource attribute",
       With([](TraceQuery& q) {
         q.attributes = {{"zone", Op::kEqual, "us"}};
       }),
       {3}},
      {"span before resource",
       With([](TraceQuery& q) {
         q.attributes = {{"zone", Op::kEqual, "moon"}};
       }),
       {4}},
      {"not equal",
       With([](TraceQuery& q) {
         q.attributes = {{"zone", Op::kNotEqual, "eu"}};
       }),
       {4, 3}},
      {"regex is anchored",
       With([](TraceQuery& q) {
         q.attributes = {{"zone", Op::kRegex, "m"}};
       }),
       {}},
      {"regex",
       With([](TraceQuery& q) {
         q.attributes = {{"zone", Op::kRegex, "m.*|us"}};
       }),
       {4, 3}},
      {"not regex",
       With([](TraceQuery& q) {
         q.attributes = {{"zone", Op::kNotRegex, "eu|us"}};
       }),
       {4}},
      {"absent is empty",
       With([](TraceQuery& q) {
         q.attributes = {{"card", Op::kEqual, ""}, {"zone", Op::kNotEqual, "eu"}};
       }),
       {4}},
      {"absent is not any",
       With([](TraceQuery& q) {
         q.attributes = {{"card", Op::kRegex, ".+"}};
       }),
       {3}},
  };
}

std::vector<TraceCase> WholeTraceCases() {
  return {
      {"has logs", With([](TraceQuery& q) { q.has_logs = true; }), {6, 5}},
      {"has exemplars", With([](TraceQuery& q) { q.has_exemplars = true; }), {6}},
      {"has error", With([](TraceQuery& q) { q.has_error = true; }), {3}},
      {"error and service are of the trace and a span",
       With([](TraceQuery& q) {
         q.has_error = true;
         q.service = "shop";
       }),
       {3}},
      {"time, both ends in",
       With([](TraceQuery& q) {
         q.time = {.start_unix_ns = kNow + 2 * kSecond, .end_unix_ns = kNow + 4 * kSecond};
       }),
       {4, 3, 2}},
      {"time is of the span that matches",
       With([](TraceQuery& q) {
         q.time = {.start_unix_ns = kNow + 2 * kSecond, .end_unix_ns = kNow + 3 * kSecond};
         q.service = "pay";
       }),
       {3}},
  };
}

TEST_P(StoreConformance, TracesAreFound) {
  Append(Traces());
  auto cases = SpanCases();
  for (TraceCase& test : AttributeCases()) cases.push_back(std::move(test));
  for (TraceCase& test : WholeTraceCases()) cases.push_back(std::move(test));
  for (const TraceCase& test : cases) {
    SCOPED_TRACE(test.name);
    const auto page = store().FindTraces({}, test.query);
    ASSERT_TRUE(page);
    EXPECT_EQ(Numbers(*page), test.found);
    EXPECT_EQ(page->cursor, "");
    EXPECT_TRUE(page->complete);
    for (const std::size_t limit : {1U, 2U, 3U, 6U}) {
      std::vector<std::uint64_t> paged;
      ReadPages(
          test.query, limit, [&](const TraceQuery& q) { return store().FindTraces({}, q); },
          [&](const Page<TraceSummary>& part) {
            EXPECT_LE(part.items.size(), limit);
            for (const std::uint64_t number : Numbers(part)) paged.push_back(number);
          });
      EXPECT_EQ(paged, test.found);
    }
  }
}

TEST_P(StoreConformance, CursorsHoldWhileRecordsCome) {
  Append(Traces());
  TraceQuery query;
  query.limit = 2;
  const auto first = store().FindTraces({}, query);
  EXPECT_THAT(Numbers(*first), ElementsAre(6, 5));
  Append(Sample()
             .Add(SampleSpan{.trace = Trace(9), .span = {1}, .start = kNow + 9 * kSecond})
             .Add(SampleSpan{.trace = Trace(0x33), .span = {1}, .start = kNow + 3 * kSecond + 1})
             .Finish());
  query.cursor = first->cursor;
  const auto second = store().FindTraces({}, query);
  EXPECT_THAT(Numbers(*second), ElementsAre(4, 0x33));
  query.cursor = second->cursor;
  EXPECT_THAT(Numbers(*store().FindTraces({}, query)), ElementsAre(3, 2));
}

TEST_P(StoreConformance, QueriesThatMakeNoSenseAreRefused) {
  Append(Traces());
  const auto expect_refused = [](const auto& answer) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::kInvalidArgument);
  };
  TraceQuery traces;
  traces.limit = 1;
  const std::string cursor = store().FindTraces({}, traces)->cursor;
  ASSERT_NE(cursor, "");
  LogQuery lines;
  lines.cursor = cursor;  // Of another list.
  expect_refused(store().FindLogs({}, lines));
  ExemplarQuery exemplars;
  exemplars.cursor = "no cursor";
  expect_refused(store().FindExemplars({}, exemplars));
  traces.order = TraceQuery::Order::kDuration;
  traces.cursor = cursor;
  expect_refused(store().FindTraces({}, traces));

  traces = {};
  traces.attributes = {{"zone", Op::kRegex, "("}};
  expect_refused(store().FindTraces({}, traces));
  expect_refused(store().FindTraces(AsTenant("nobody"), traces));
  lines = {};
  lines.attributes = {{"zone", Op::kNotRegex, "*"}};
  expect_refused(store().FindLogs({}, lines));
  exemplars = {};
  exemplars.labels = {{"zone", Op::kRegex, "(a{1000}){1000}"}};
  expect_refused(store().FindExemplars({}, exemplars));
  lines = {};
  lines.limit = 0;
  expect_refused(store().FindLogs({}, lines));
}

struct LineCase {
  const char* name;
  LogQuery query;
  std::vector<std::string> found;
};

LogQuery Lines(void (*change)(LogQuery&)) {
  LogQuery query;
  change(query);
  return query;
}

// Two traces and lines of each, the last unlinked.
std::shared_ptr<const Batch> LinesAndSpans() {
  Sample sample;
  sample.From({{"service.name", "shop"}, {"zone", "eu"}})
      .Add(SampleSpan{.trace = Trace(1), .span = {1}})
      .Add(
          SampleLine{.trace = Trace(1), .span = {1}, .time = kNow + 5, .body = "d", .severity = 5});
  sample.From({{"service.name", "pay"}})
      .Add(SampleSpan{.trace = Trace(1), .span = {2}, .parent = {1}, .start = kNow + 1})
      .Add(SampleSpan{.trace = Trace(2), .span = {3}})
      .Add(SampleLine{.trace = Trace(2), .time = kNow + 4, .body = "c refused", .severity = 17});
  sample.From({})
      .Add(SampleLine{.trace = Trace(1), .span = {2}, .time = kNow + 2, .body = "a in pay"})
      .Add(SampleLine{.trace = Trace(1), .span = {}, .time = kNow + 3, .body = "b in shop"})
      .Add(SampleLine{.trace = Trace(1), .span = {7}, .time = kNow + 6, .body = "e of a lost span"})
      .Add(SampleLine{.trace = Trace(3), .time = 0, .observed = kNow + 7, .body = "f of no trace"})
      .Add(SampleLine{.trace = Trace(2), .span = {1}, .time = kNow + 8, .body = "h"})
      .Add(SampleLine{.trace = Trace(2),
                      .span = {2},
                      .time = kNow + 8,
                      .body = "i",
                      .attributes = {{"zone", "eu"}, {"code", 7}}})
      .Add(SampleLine{.time = kNow + 9, .body = "j unlinked"})
      .Add(SampleLine{.time = kNow + 10, .body = "k unlinked", .service = "pay"});
  return sample.Finish();
}

std::vector<LineCase> LineCases() {
  return {
      {"all linked",
       {},
       {"a in pay", "b in shop", "c refused", "d", "e of a lost span", "f of no trace", "h", "i"}},
      {"newest first",
       Lines([](LogQuery& q) { q.newest_first = true; }),
       {"i", "h", "f of no trace", "e of a lost span", "d", "c refused", "b in shop", "a in pay"}},
      {"unlinked too",
       Lines([](LogQuery& q) {
         q.linked_only = false;
         q.contains = "linked";
       }),
       {"j unlinked", "k unlinked"}},
      {"of a trace", Lines([](LogQuery& q) { q.trace_id = Trace(2); }), {"c refused", "h", "i"}},
      {"of a trace by its low half",
       Lines([](LogQuery& q) { q.trace_id = TraceId{.high = 0, .low = 2}; }),
       {"c refused", "h", "i"}},
      {"of another high half",
       Lines([](LogQuery& q) { q.trace_id = TraceId{.high = 9, .low = 2}; }),
       {}},
      {"of a service, stated or inferred",
       Lines([](LogQuery& q) { q.service = "pay"; }),
       {"a in pay", "c refused", "h", "i"}},
      {"of a service, by the root",
       Lines([](LogQuery& q) { q.service = "shop"; }),
       {"b in shop", "d", "e of a lost span"}},
      {"of a service, unlinked too",
       Lines([](LogQuery& q) {
         q.service = "pay";
         q.linked_only = false;
       }),
       {"a in pay", "c refused", "h", "i", "k unlinked"}},
      {"severity", Lines([](LogQuery& q) { q.min_severity_number = 17; }), {"c refused"}},
      {"contains is case-sensitive", Lines([](LogQuery& q) { q.contains = "Refused"; }), {}},
      {"contains", Lines([](LogQuery& q) { q.contains = "in "; }), {"a in pay", "b in shop"}},
      {"attribute of line or resource",
       Lines([](LogQuery& q) {
         q.attributes = {{"zone", Op::kEqual, "eu"}};
       }),
       {"d", "i"}},
      {"attribute by regex",
       Lines([](LogQuery& q) {
         q.attributes = {{"code", Op::kRegex, "[0-9]"}};
       }),
       {"i"}},
      {"time, both ends in",
       Lines([](LogQuery& q) { q.time = {.start_unix_ns = kNow + 3, .end_unix_ns = kNow + 5}; }),
       {"b in shop", "c refused", "d"}},
  };
}

TEST_P(StoreConformance, LinesAreFound) {
  Append(LinesAndSpans());
  for (const LineCase& test : LineCases()) {
    SCOPED_TRACE(test.name);
    const auto page = store().FindLogs({}, test.query);
    ASSERT_TRUE(page);
    EXPECT_EQ(Bodies(*page), test.found);
    EXPECT_EQ(page->cursor, "");
    for (const std::size_t limit : {1U, 3U}) {
      std::vector<std::string> paged;
      ReadPages(
          test.query, limit, [&](const LogQuery& q) { return store().FindLogs({}, q); },
          [&](const RecordPage& part) {
            for (const std::string& body : Bodies(part)) paged.push_back(body);
          });
      EXPECT_EQ(paged, test.found);
    }
  }
}

TEST_P(StoreConformance, ALineFindsItsServiceWhenItsSpansCome) {
  Append(Sample().Add(SampleLine{.trace = Trace(1), .span = {2}, .body = "line"}).Finish());
  LogQuery query;
  query.service = "pay";
  EXPECT_THAT(Bodies(*store().FindLogs({}, query)), IsEmpty());
  // A span of the same trace in its 64-bit spelling.
  Append(Sample()
             .From({{"service.name", "pay"}})
             .Add(SampleSpan{.trace = {.high = 0, .low = 1}, .span = {2}})
             .Finish());
  EXPECT_THAT(Bodies(*store().FindLogs({}, query)), ElementsAre("line"));
}

struct ExemplarCase {
  const char* name;
  ExemplarQuery query;
  std::vector<double> found;
};

ExemplarQuery Exemplars(void (*change)(ExemplarQuery&)) {
  ExemplarQuery query;
  change(query);
  return query;
}

std::shared_ptr<const Batch> SomeExemplars() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Sample sample;
  sample
      .From({{"service.name", "pay"},
             {"service.namespace", "money"},
             {"service.instance.id", "i-1"},
             {"k8s.pod.name", "pay-0"}})
      .Add(SampleExemplar{.trace = Trace(1),
                          .time = kNow + 1,
                          .metric = "http.server.duration",
                          .unit = "s",
                          .value = 1,
                          .le = 1,
                          .labels = {{"http.method", "GET"}, {"status", 200}},
                          .attributes = {{"user.id", "ann"}}})
      .Add(SampleExemplar{.trace = Trace(2),
                          .time = kNow + 2,
                          .metric = "http.server.duration",
                          .unit = "s",
                          .value = 2,
                          .le = kInfinity,
                          .labels = {{"http.method", "POST"}, {"status", 500}}});
  sample.From({{"service.name", "shop"}})
      .Add(SampleExemplar{.trace = Trace(3),
                          .time = kNow + 3,
                          .metric = "orders",
                          .type = MetricType::kSum,
                          .value = 3})
      .Add(SampleExemplar{.time = kNow + 4,
                          .metric = "queue_seconds",
                          .type = MetricType::kGauge,
                          .value = 4,
                          .labels = {{"le", "own"}}});
  sample.From({}).Add(SampleExemplar{.trace = Trace(5),
                                     .time = 0,
                                     .metric = "orders",
                                     .type = MetricType::kSum,
                                     .value = 5,
                                     .labels = {{"service", "label"}}});
  return sample.Finish();
}

std::vector<ExemplarCase> MetricCases() {
  return {
      {"all, newest first", {}, {5, 4, 3, 2, 1}},
      {"metric as sent", Exemplars([](auto& q) { q.metric = "http.server.duration"; }), {2, 1}},
      {"metric in Prometheus' spelling",
       Exemplars([](auto& q) { q.metric = "http_server_duration"; }),
       {2, 1}},
      {"metric with its unit",
       Exemplars([](auto& q) { q.metric = "http_server_duration_seconds"; }),
       {2, 1}},
      {"metric of a bucket",
       Exemplars([](auto& q) { q.metric = "http_server_duration_seconds_bucket"; }),
       {2, 1}},
      {"a count has none",
       Exemplars([](auto& q) { q.metric = "http_server_duration_seconds_count"; }),
       {}},
      {"total", Exemplars([](auto& q) { q.metric = "orders_total"; }), {5, 3}},
  };
}

std::vector<ExemplarCase> LabelCases() {
  return {
      {"label",
       Exemplars([](auto& q) {
         q.labels = {{"http.method", Op::kEqual, "GET"}};
       }),
       {1}},
      {"label in Prometheus' spelling",
       Exemplars([](auto& q) {
         q.labels = {{"http_method", Op::kNotEqual, "GET"}};
       }),
       {5, 4, 3, 2}},
      {"label by regex",
       Exemplars([](auto& q) {
         q.labels = {{"status", Op::kRegex, "5.."}};
       }),
       {2}},
      {"its own attribute",
       Exemplars([](auto& q) {
         q.labels = {{"user_id", Op::kEqual, "ann"}};
       }),
       {1}},
      {"resource's attribute",
       Exemplars([](auto& q) {
         q.labels = {{"k8s_pod_name", Op::kEqual, "pay-0"}};
       }),
       {2, 1}},
      {"service",
       Exemplars([](auto& q) {
         q.labels = {{"service", Op::kEqual, "pay"}};
       }),
       {2, 1}},
      {"service name",
       Exemplars([](auto& q) {
         q.labels = {{"service_name", Op::kEqual, "shop"}};
       }),
       {4, 3}},
      {"service as a label",
       Exemplars([](auto& q) {
         q.labels = {{"service", Op::kEqual, "label"}};
       }),
       {5}},
      {"job",
       Exemplars([](auto& q) {
         q.labels = {{"job", Op::kEqual, "money/pay"}};
       }),
       {2, 1}},
      {"instance",
       Exemplars([](auto& q) {
         q.labels = {{"instance", Op::kEqual, "i-1"}};
       }),
       {2, 1}},
      {"name by regex",
       Exemplars([](auto& q) {
         q.labels = {{"__name__", Op::kRegex, ".*_total"}};
       }),
       {5, 3}},
      {"not the name",
       Exemplars([](auto& q) {
         q.labels = {{"__name__", Op::kNotEqual, "orders_total"}};
       }),
       {4, 2, 1}},
  };
}

std::vector<ExemplarCase> ValueCases() {
  return {
      {"values, both ends in",
       Exemplars([](auto& q) {
         q.min_value = 2;
         q.max_value = 3;
       }),
       {3, 2}},
      {"bound", Exemplars([](auto& q) { q.le = 1; }), {1}},
      {"infinite bound",
       Exemplars([](auto& q) { q.le = std::numeric_limits<double>::infinity(); }),
       {2}},
      {"bound as a label",
       Exemplars([](auto& q) {
         q.labels = {{"le", Op::kEqual, "1.0"}};
       }),
       {1}},
      {"infinite bound as a label",
       Exemplars([](auto& q) {
         q.labels = {{"le", Op::kEqual, "+Inf"}};
       }),
       {2}},
      {"a label of that name",
       Exemplars([](auto& q) {
         q.labels = {{"le", Op::kEqual, "own"}};
       }),
       {4}},
      {"time, both ends in",
       Exemplars([](auto& q) { q.time = {.start_unix_ns = kNow + 2, .end_unix_ns = kNow + 3}; }),
       {3, 2}},
      {"time of arrival", Exemplars([](auto& q) { q.time.start_unix_ns = kNow + 10; }), {5}},
  };
}

TEST_P(StoreConformance, ExemplarsAreFound) {
  Append(SomeExemplars(), kNow + 10);
  auto cases = MetricCases();
  for (ExemplarCase& test : LabelCases()) cases.push_back(std::move(test));
  for (ExemplarCase& test : ValueCases()) cases.push_back(std::move(test));
  for (const ExemplarCase& test : cases) {
    SCOPED_TRACE(test.name);
    const auto page = store().FindExemplars({}, test.query);
    ASSERT_TRUE(page);
    EXPECT_EQ(Values(*page), test.found);
    for (const std::size_t limit : {1U, 2U}) {
      std::vector<double> paged;
      ReadPages(
          test.query, limit, [&](const ExemplarQuery& q) { return store().FindExemplars({}, q); },
          [&](const RecordPage& part) {
            for (const double value : Values(part)) paged.push_back(value);
          });
      EXPECT_EQ(paged, test.found);
    }
  }
}

TEST_P(StoreConformance, AValueThatIsNoNumberIsInNoRange) {
  Append(Sample().Add(SampleExemplar{.trace = Trace(1), .value = std::nan("")}).Finish());
  ExemplarQuery query;
  EXPECT_EQ(store().FindExemplars({}, query)->records.exemplars.size(), 1U);
  query.min_value = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(store().FindExemplars({}, query)->records.exemplars.size(), 0U);
}

TEST_P(StoreConformance, ServicesAndOperationsAreCounted) {
  Append(Traces());
  Append(Traces());  // Duplicates count once.
  Append(LinesAndSpans());
  const auto services = store().Services({});
  ASSERT_TRUE(services);
  ASSERT_EQ(services->size(), 2U);
  EXPECT_EQ((*services)[0].service, "pay");
  EXPECT_EQ((*services)[0].span_count, 4U);
  EXPECT_EQ((*services)[0].error_count, 1U);
  EXPECT_EQ((*services)[0].log_count, 2U);  // Stated ones.
  EXPECT_EQ((*services)[1].service, "shop");
  EXPECT_EQ((*services)[1].span_count, 7U);
  EXPECT_EQ((*services)[1].log_count, 1U);
  Append(SomeExemplars());
  EXPECT_EQ(store().Services({})->front().exemplar_count, 2U);

  Append(Sample()
             .From({{"service.name", "pay"}})
             .Add(SampleSpan{.trace = Trace(8), .span = {1}, .name = "charge", .kind = 3})
             .Finish());
  const auto operations = store().Operations({}, "pay");
  ASSERT_EQ(operations->size(), 3U);
  EXPECT_EQ((*operations)[0].operation, "charge");
  EXPECT_EQ((*operations)[0].kind, 2U);
  EXPECT_EQ((*operations)[0].span_count, 2U);
  EXPECT_EQ((*operations)[0].error_count, 1U);
  EXPECT_EQ((*operations)[1].operation, "charge");
  EXPECT_EQ((*operations)[1].kind, 3U);
  EXPECT_EQ((*operations)[2].operation, "operation");
  EXPECT_THAT(*store().Operations({}, "nobody"), IsEmpty());
}

TEST_P(StoreConformance, SearchesEndAtTheDeadlineAndSaySo) {
  constexpr std::uint64_t kRecords = 10'000;
  Sample sample;
  for (std::uint64_t i = 1; i <= kRecords; ++i) {
    sample.Add(SampleSpan{.trace = Trace(i), .span = {1}})
        .Add(SampleLine{.trace = Trace(i), .body = i == 1 ? "needle" : "hay"})
        .Add(SampleExemplar{.trace = Trace(i)});
  }
  Append(sample.Finish());
  const Scope cancelled{.cancel = std::make_shared<std::atomic<bool>>(true)};
  const auto expect_cut = [](const auto& answer) {
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->complete);
    EXPECT_EQ(answer->incomplete_reason, "deadline");
    EXPECT_EQ(answer->cursor, "");
  };
  TraceQuery traces;
  traces.operation = "needle";
  expect_cut(store().FindTraces(cancelled, traces));
  LogQuery lines;
  lines.contains = "needle";
  expect_cut(store().FindLogs(cancelled, lines));
  ExemplarQuery exemplars;
  exemplars.metric = "needle";
  expect_cut(store().FindExemplars(cancelled, exemplars));
  EXPECT_EQ(store().FindLogs({}, lines)->records.logs.size(), 1U);
}

}  // namespace
}  // namespace throughline::store
