// The demo's shop: deterministic, well-formed, and showing what the demo promises to show.
#include "gateway/demo_shop.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "correlate/batch.h"
#include "exemplars/otlp.h"
#include "gateway/demo_otlp.h"
#include "logs/lines.h"
#include "logs/otlp.h"
#include "spans/otlp.h"

namespace throughline::gateway {
namespace {

constexpr std::uint64_t kEnd = 1'700'000'000'000'000'000;

std::vector<DemoTrace> Visits(std::uint64_t seed, std::size_t count, bool is_incident = false) {
  Shop shop(seed);
  std::vector<DemoTrace> visits;
  for (std::size_t i = 0; i < count; ++i) {
    visits.push_back(shop.Next(kEnd + i * 100'000'000, is_incident));
  }
  return visits;
}

std::uint64_t DurationOf(const DemoTrace& trace) {
  return trace.spans.front().end_unix_ns - trace.spans.front().start_unix_ns;
}

TEST(DemoShop, TheSameSeedMakesTheSameVisits) {
  EXPECT_EQ(TracesBody(Visits(7, 50)), TracesBody(Visits(7, 50)));
  EXPECT_NE(TracesBody(Visits(7, 50)), TracesBody(Visits(8, 50)));
}

TEST(DemoShop, EverySpanHangsUnderAParentThatContainsIt) {
  for (const DemoTrace& visit : Visits(1, 2'000)) {
    std::map<SpanId, const DemoSpan*> by_id;
    for (const DemoSpan& span : visit.spans) {
      ASSERT_TRUE(by_id.emplace(span.span_id, &span).second) << "span ids repeat";
      ASSERT_LE(span.start_unix_ns, span.end_unix_ns);
      if (&span == &visit.spans.front()) {
        ASSERT_FALSE(span.parent_span_id.IsValid());
        continue;
      }
      const auto parent = by_id.find(span.parent_span_id);
      ASSERT_NE(parent, by_id.end());
      ASSERT_LE(parent->second->start_unix_ns, span.start_unix_ns);
      ASSERT_GE(parent->second->end_unix_ns, span.end_unix_ns);
    }
    for (const DemoLine& line : visit.lines) {
      const auto span = by_id.find(line.span_id);
      ASSERT_NE(span, by_id.end());
      ASSERT_EQ(span->second->service, line.service);
      ASSERT_GE(line.time_unix_ns, span->second->start_unix_ns);
      ASSERT_LE(line.time_unix_ns, span->second->end_unix_ns);
    }
  }
}

struct Shown {
  std::set<std::string_view> names;
  std::size_t orders = 0;
  std::size_t failed = 0;
  std::size_t canary = 0;
  std::size_t canary_failed = 0;
  std::size_t slow = 0;
};

Shown Look(bool is_incident) {
  Shown shown;
  for (const DemoTrace& visit : Visits(3, 5'000, is_incident)) {
    bool is_canary = false;
    for (const DemoSpan& span : visit.spans) {
      shown.names.insert(FactsOf(span.service).name);
      is_canary |= span.service == ShopService::kCheckoutCanary;
    }
    shown.orders += visit.is_order ? 1U : 0U;
    shown.failed += visit.failed ? 1U : 0U;
    shown.canary += is_canary ? 1U : 0U;
    shown.canary_failed += is_canary && visit.failed ? 1U : 0U;
    shown.slow += DurationOf(visit) > 1'000'000'000 ? 1U : 0U;
  }
  return shown;
}

TEST(DemoShop, ShowsSevenServicesErrorsAndACanary) {
  const Shown shown = Look(false);
  EXPECT_EQ(shown.names.size(), 7U);
  EXPECT_GT(shown.orders, 800U);
  EXPECT_GT(shown.failed, 10U);
  EXPECT_LT(shown.failed, shown.orders / 5);
  EXPECT_GT(shown.canary, shown.orders / 16);
  EXPECT_LT(shown.canary, shown.orders / 4);
  // Worse than the stable version: a higher share of its orders fails.
  EXPECT_GT(shown.canary_failed * (shown.orders - shown.canary),
            (shown.failed - shown.canary_failed) * shown.canary);
  EXPECT_GT(shown.slow, 0U);
  EXPECT_LT(shown.slow, shown.orders / 30);
}

TEST(DemoShop, InAnIncidentTheApiOutsideIsSlow) {
  const Shown shown = Look(true);
  EXPECT_GT(shown.slow, shown.orders * 9 / 10);
  EXPECT_LE(shown.slow, shown.orders);
  const auto seconds = [](const DemoSpan& span) {
    return static_cast<double>(span.end_unix_ns - span.start_unix_ns) * 1e-9;
  };
  std::size_t payments = 0;
  for (const DemoTrace& visit : Visits(4, 1'000, true)) {
    for (const DemoSpan& span : visit.spans) {
      if (span.http_status != 200 || !visit.is_order) continue;
      // So near to what is promised that it is what is read, to a tenth of a second.
      const bool is_payment = span.name == "POST /charges";
      if (is_payment || span.name == "POST /checks") {
        EXPECT_NEAR(seconds(span), is_payment ? 1.8 : 1.5, 0.045);
      }
      payments += span.name == "POST /charges" ? 1U : 0U;
    }
  }
  EXPECT_GT(payments, 100U);
}

// The bodies go through the gateway's own decoders: all accepted, nothing lost.
TEST(DemoBodies, TracesDecode) {
  const std::vector<DemoTrace> visits = Visits(5, 100);
  std::size_t spans = 0;
  for (const DemoTrace& visit : visits) spans += visit.spans.size();
  const Body body = Body::Of(TracesBody(visits));
  Batch batch;
  const auto decoded = spans::DecodeOtlpJson(body.view(), DecodeOptions(), batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->rejected, 0U) << decoded->first_rejection;
  EXPECT_EQ(decoded->repaired, 0U) << decoded->first_repair;
  EXPECT_EQ(batch.spans.size(), spans);
}

TEST(DemoBodies, EveryLineNamesItsTrace) {
  const std::vector<DemoTrace> visits = Visits(5, 100);
  std::size_t lines = 0;
  for (const DemoTrace& visit : visits) lines += visit.lines.size();
  const Body otlp = Body::Of(OtlpLogsBody(visits));
  Batch from_otlp;
  const auto decoded = logs::DecodeOtlpJson(otlp.view(), DecodeOptions(), from_otlp);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->rejected + decoded->unlinked, 0U);
  const Body text = Body::Of(LinesBody(visits));
  Batch from_text;
  const auto read =
      logs::DecodeLines(text.view(), logs::LineFormat::kNdjson, DecodeOptions(), from_text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->rejected + read->unlinked, 0U);
  EXPECT_EQ(from_otlp.logs.size() + from_text.logs.size(), lines);
  std::set<TraceId> known;
  for (const DemoTrace& visit : visits) known.insert(visit.trace_id);
  for (const LogLine& line : from_text.logs) {
    EXPECT_TRUE(known.contains(line.trace_id));
    EXPECT_TRUE(line.span_id.IsValid());
  }
}

TEST(DemoBodies, MetricsCarryExemplarsOnceEach) {
  const std::vector<DemoTrace> visits = Visits(5, 300, true);
  ShopMetrics metrics(kEnd);
  for (const DemoTrace& visit : visits) metrics.Add(visit);
  const Body first = Body::Of(metrics.Export(kEnd + 1));
  Batch batch;
  const auto decoded = exemplars::DecodeOtlpJson(first.view(), DecodeOptions(), batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->exemplars.rejected + decoded->exemplars.unlinked, 0U)
      << decoded->exemplars.first_rejection;
  EXPECT_EQ(batch.exemplars.size(), metrics.exported_exemplars());
  bool slow = false;
  for (const Exemplar& exemplar : batch.exemplars) {
    if (exemplar.metric != "http.server.request.duration") continue;
    EXPECT_TRUE(exemplar.has_le);
    EXPECT_LE(exemplar.value(), exemplar.le);
    slow |= exemplar.value() > 1;
  }
  EXPECT_TRUE(slow);
  const Body second = Body::Of(metrics.Export(kEnd + 2));
  Batch nothing_new;
  ASSERT_TRUE(exemplars::DecodeOtlpJson(second.view(), DecodeOptions(), nothing_new));
  EXPECT_TRUE(nothing_new.exemplars.empty());
}

}  // namespace
}  // namespace throughline::gateway
