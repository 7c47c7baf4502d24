// What export writes as OTLP is OTLP: the official classes read it, and agree with our decoders.
#include "store/transfer/otlp_request.h"

#include <gtest/gtest.h>

#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "tests/proto/oracle.h"
#include "tests/store/sample.h"
#include "tests/store/transfer/odd_records.h"

namespace throughline::store::transfer {
namespace {

using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

struct Requests {
  std::string traces;
  std::string logs;
  std::string metrics;
  std::size_t pieces = 0;
};

Requests Write(const Batch& batch, std::size_t piece_bytes) {
  Requests requests;
  const auto take = [&requests](Signal signal, std::string_view piece) -> Result<void> {
    ++requests.pieces;
    std::string& to = signal == Signal::kTraces ? requests.traces
                      : signal == Signal::kLogs ? requests.logs
                                                : requests.metrics;
    to += piece;
    return {};
  };
  EXPECT_TRUE(WriteOtlp(batch, piece_bytes, take));
  return requests;
}

TEST(OtlpRequest, TheOfficialClassesAgree) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Requests requests = Write(*OddBatch(seed), seed % 2 == 0 ? 1 : 1U << 20U);
    EXPECT_TRUE(oracle::CompareTraces(requests.traces)) << seed;
    EXPECT_TRUE(oracle::CompareLogs(requests.logs)) << seed;
    EXPECT_TRUE(oracle::CompareMetrics(requests.metrics)) << seed;
  }
}

TEST(OtlpRequest, AReaderOfOtlpSeesTheRecords) {
  Sample sample;
  sample.From({{"service.name", "pay"}}, "http");
  sample.Add(SampleSpan{.trace = {1, 2}, .span = {3}, .name = "charge", .status_message = "no"});
  sample.Add(SampleExemplar{.trace = {1, 2}, .span = {3}, .value = 0.2, .le = 0.25});
  sample.Add(SampleGauge{.value = 0.5});
  const Requests requests = Write(*sample.Finish(), 1000);

  ExportTraceServiceRequest traces;
  ASSERT_TRUE(traces.ParseFromString(requests.traces));
  traces.DiscardUnknownFields();
  ASSERT_EQ(traces.resource_spans_size(), 1);
  const auto& scope = traces.resource_spans(0).scope_spans(0);
  EXPECT_EQ(traces.resource_spans(0).resource().attributes(0).value().string_value(), "pay");
  EXPECT_EQ(scope.scope().name(), "http");
  EXPECT_EQ(scope.spans(0).name(), "charge");
  EXPECT_EQ(scope.spans(0).trace_id(), std::string("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2", 16));
  EXPECT_EQ(scope.spans(0).status().message(), "no");

  ExportMetricsServiceRequest metrics;
  ASSERT_TRUE(metrics.ParseFromString(requests.metrics));
  ASSERT_EQ(metrics.resource_metrics_size(), 2);
  const auto& histogram = metrics.resource_metrics(0).scope_metrics(0).metrics(0).histogram();
  const auto& point = histogram.data_points(0);
  EXPECT_EQ(histogram.aggregation_temporality(), 2);  // Cumulative.
  EXPECT_EQ(point.flags(), 1U);                       // No recorded value.
  EXPECT_EQ(point.explicit_bounds(0), 0.25);
  EXPECT_EQ(point.bucket_counts_size(), 2);
  EXPECT_EQ(point.exemplars(0).as_double(), 0.2);
  const auto& gauge = metrics.resource_metrics(1).scope_metrics(0).metrics(0).gauge();
  EXPECT_EQ(gauge.data_points(0).as_double(), 0.5);
  EXPECT_EQ(gauge.data_points(0).flags(), 0U);
}

TEST(OtlpRequest, PiecesAreOfBoundedSize) {
  Sample sample;
  sample.From({{"service.name", "pay"}});
  for (std::uint64_t i = 1; i <= 1000; ++i) sample.Add(SampleSpan{.trace = {1, i}, .span = {i}});
  const Requests requests = Write(*sample.Finish(), 10'000);
  EXPECT_GE(requests.pieces, requests.traces.size() / 12'000);
  ExportTraceServiceRequest traces;
  ASSERT_TRUE(traces.ParseFromString(requests.traces));
  int spans = 0;
  for (const auto& group : traces.resource_spans()) spans += group.scope_spans(0).spans_size();
  EXPECT_EQ(spans, 1000);
}

TEST(OtlpExtra, RequestsOfOthersStayAsTheyAre) {
  Batch batch;
  EXPECT_TRUE(ApplyExtras(Signal::kTraces, "", 1, batch));
  EXPECT_TRUE(ApplyExtras(Signal::kLogs, "\x0a\x02\x12\x00", 1, batch));
}

TEST(OtlpExtra, FieldsWithoutTheirRecordsAreRefused) {
  const Requests requests = Write(*OddBatch(3), 1000);
  for (const auto& [signal, bytes] : {std::pair{Signal::kTraces, requests.traces},
                                      {Signal::kLogs, requests.logs},
                                      {Signal::kMetrics, requests.metrics}}) {
    ASSERT_FALSE(bytes.empty());
    Batch batch;  // As if all of them had been rejected.
    const auto applied = ApplyExtras(signal, bytes, 1, batch);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, Errc::kInvalidArgument);
  }
}

}  // namespace
}  // namespace throughline::store::transfer
