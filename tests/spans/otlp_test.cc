#include "spans/otlp.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/proto/oracle.h"
#include "tests/proto/samples.h"
#include "tests/proto/truncation.h"

namespace throughline::spans {
namespace {

using samples::ExportTraceServiceRequest;
using samples::Id;
using ProtoSpan = opentelemetry::proto::trace::v1::Span;

ProtoSpan& AddSpan(ExportTraceServiceRequest& request) {
  ProtoSpan& span = *request.add_resource_spans()->add_scope_spans()->add_spans();
  span.set_trace_id(Id(16));
  span.set_span_id(Id(8));
  return span;
}

// A request of one span that `change` has changed.
template <typename Change>
std::string OneSpan(Change change) {
  ExportTraceServiceRequest request;
  change(AddSpan(request));
  return request.SerializeAsString();
}

Result<Decoded> Decode(std::string_view bytes, Batch& batch, const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(bytes);
  return DecodeOtlp(batch.body.view(), options, batch);
}

// A message in a length-delimited field below 16.
std::string Field(int number, const std::string& content) {
  std::string bytes(1, static_cast<char>(number * 8 + 2));
  AppendVarint(content.size(), bytes);
  return bytes + content;
}

TEST(DecodeOtlp, EmptyRequestIsGood) {
  Batch batch;
  const auto decoded = Decode("", batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->received, 0U);
}

TEST(DecodeOtlp, AgreesWithTheOfficialClasses) {
  EXPECT_TRUE(oracle::CompareTraces(samples::Traces().SerializeAsString()));
}

TEST(DecodeOtlp, ReadsTheSample) {
  Batch batch;
  const auto decoded = Decode(samples::Traces().SerializeAsString(), batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->received, 4U);
  EXPECT_EQ(decoded->accepted, 3U);
  EXPECT_EQ(decoded->rejected, 1U);
  EXPECT_EQ(decoded->repaired, 1U);
  EXPECT_EQ(decoded->dropped_links, 1U);
  EXPECT_EQ(decoded->first_rejection, "span 1: trace_id has 15 bytes, want 16");
  EXPECT_EQ(decoded->first_repair, "span 2: trace_id was repaired");
  const Span& span = batch.spans.at(0);
  EXPECT_EQ(span.name, "load");
  EXPECT_EQ(span.kind, 2U);
  EXPECT_EQ(span.flags, 0x301U);
  EXPECT_TRUE(span.is_error());
  EXPECT_EQ(span.duration_ns(), 250'000'000U);
  EXPECT_EQ(batch.ServiceOf(span), "harbour");
  EXPECT_EQ(batch.ScopeOf(span.scope)->name, "crane.instrumentation");
  EXPECT_EQ(batch.spans.at(2).resource, kNoIndex);
  EXPECT_FALSE(batch.spans.at(2).parent_span_id.IsValid());
}

TEST(DecodeOtlp, TruncationAtEveryByteAgrees) {
  std::size_t refused = 0;
  const std::string bytes = samples::Traces().SerializeAsString();
  samples::ForEachPrefix(bytes, [&](std::string_view prefix) {
    if (oracle::CompareTraces(prefix)) return;
    ++refused;
    Batch batch;
    EXPECT_FALSE(DecodeOtlp(prefix, oracle::ComparedOptions(), batch)) << prefix.size();
  });
  EXPECT_EQ(refused, bytes.size() - 2);  // Nothing, the first group and all are requests.
}

struct IdCase {
  const char* name;
  std::string trace_id = Id(16);
  std::string span_id = Id(8);
  std::string parent_span_id = {};
  std::string rejection = {};  // Empty: accepted.
};

class SpanIds : public testing::TestWithParam<IdCase> {};

TEST_P(SpanIds, AreCheckedOneByOne) {
  ExportTraceServiceRequest request;
  AddSpan(request).set_name("before");
  ProtoSpan& span = AddSpan(request);
  span.set_trace_id(GetParam().trace_id);
  span.set_span_id(GetParam().span_id);
  span.set_parent_span_id(GetParam().parent_span_id);
  samples::AddAttributes(*span.mutable_attributes());
  *span.add_events() = samples::Traces().resource_spans(0).scope_spans(0).spans(0).events(0);
  AddSpan(request).set_name("after");
  const std::string bytes = request.SerializeAsString();
  EXPECT_TRUE(oracle::CompareTraces(bytes));
  Batch batch;
  const auto decoded = Decode(bytes, batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->first_rejection, GetParam().rejection);
  EXPECT_EQ(decoded->rejected, GetParam().rejection.empty() ? 0U : 1U);
  EXPECT_EQ(decoded->accepted, 3 - decoded->rejected);
  EXPECT_EQ(batch.spans.back().name, "after");
  if (decoded->rejected == 0) return;
  EXPECT_TRUE(batch.attributes.empty());  // A rejected span leaves nothing behind.
  EXPECT_TRUE(batch.events.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, SpanIds,
    testing::Values(IdCase{.name = "Good"}, IdCase{.name = "Parent", .parent_span_id = Id(8, 3)},
                    IdCase{.name = "ZeroParentIsARoot", .parent_span_id = std::string(8, '\0')},
                    IdCase{.name = "NoTraceId",
                           .trace_id = "",
                           .rejection = "span 1: trace_id has 0 bytes, want 16"},
                    IdCase{.name = "LongTraceId",
                           .trace_id = Id(17),
                           .rejection = "span 1: trace_id has 17 bytes, want 16"},
                    IdCase{.name = "ThirtyTwoOddBytes",
                           .trace_id = Id(32),
                           .rejection = "span 1: trace_id has 32 bytes, want 16"},
                    IdCase{.name = "ZeroTraceId",
                           .trace_id = std::string(16, '\0'),
                           .rejection = "span 1: trace_id is all zero"},
                    IdCase{.name = "ShortSpanId",
                           .span_id = Id(7),
                           .rejection = "span 1: span_id has 7 bytes, want 8"},
                    IdCase{.name = "ZeroSpanId",
                           .span_id = std::string(8, '\0'),
                           .rejection = "span 1: span_id is all zero"},
                    IdCase{.name = "ShortParent",
                           .parent_span_id = Id(7),
                           .rejection = "span 1: parent_span_id has 7 bytes, want 8"},
                    IdCase{.name = "HexadecimalIds",
                           .trace_id = "00112233445566778899aabbccddeeff",
                           .span_id = "0011223344556677",
                           .parent_span_id = "8899AABBCCDDEEFF"}),
    [](const auto& test) { return std::string(test.param.name); });

struct RefusedCase {
  const char* name;
  std::string bytes;
  std::string message;
};

class Refused : public testing::TestWithParam<RefusedCase> {};

TEST_P(Refused, WholeRequestWithThePlace) {
  Batch batch;
  const auto decoded = Decode(GetParam().bytes, batch);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kInvalidArgument);
  EXPECT_EQ(decoded.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, Refused,
    testing::Values(
        RefusedCase{"JsonText", "{\"resourceSpans\":[]}",
                    "byte 1: field 4: length runs past the end"},
        RefusedCase{"LengthPastTheEnd", "\x0a\x7f", "byte 0: field 1: length runs past the end"},
        RefusedCase{"GroupIsANumber", "\x08\x01", "byte 0: field 1: want wire type 2"},
        RefusedCase{"NameNotUtf8", Field(1, Field(2, Field(2, Field(5, "\xff")))),
                    "byte 6: field 5: text is not UTF-8"},
        RefusedCase{"AttributeNotUtf8", Field(1, Field(2, Field(2, Field(9, Field(1, "k\xff"))))),
                    "byte 10: text is not UTF-8"},
        RefusedCase{"NameIsANumber", Field(1, Field(2, Field(2, "\x28\x01"))),
                    "byte 6: field 5: want wire type 2"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(DecodeOtlp, ResourceAndScopeMayComeAfterTheSpansAndInParts) {
  ExportTraceServiceRequest request;
  ProtoSpan& span = AddSpan(request);
  opentelemetry::proto::resource::v1::Resource first;
  auto& service = *first.add_attributes();
  service.set_key("service.name");
  service.mutable_value()->set_string_value("first");
  opentelemetry::proto::resource::v1::Resource second = first;
  second.mutable_attributes(0)->mutable_value()->set_string_value("second");
  opentelemetry::proto::resource::v1::Resource number = first;
  number.mutable_attributes(0)->mutable_value()->set_int_value(3);
  const std::string scope_group =
      Field(2, span.SerializeAsString()) + Field(1, Field(1, "name")) + Field(1, Field(2, "1.0"));
  const std::string group = Field(1, first.SerializeAsString()) + Field(2, scope_group) +
                            Field(1, second.SerializeAsString()) +
                            Field(1, number.SerializeAsString());
  const std::string bytes = Field(1, group);
  EXPECT_TRUE(oracle::CompareTraces(bytes));
  Batch batch;
  ASSERT_TRUE(Decode(bytes, batch));
  const Span& read = batch.spans.at(0);
  EXPECT_EQ(batch.ServiceOf(read), "second");
  EXPECT_EQ(batch.ResourceOf(read.resource)->attributes.count, 3U);
  EXPECT_EQ(batch.ScopeOf(read.scope)->name, "name");
  EXPECT_EQ(batch.ScopeOf(read.scope)->version, "1.0");
}

TEST(DecodeOtlp, ResourcesAndScopesWithoutSpansAreCheckedAndLeftOut) {
  const std::string attribute = Field(1, "k") + Field(2, Field(1, "v"));
  const std::string bytes = Field(1, Field(1, Field(1, attribute))) +
                            Field(1, Field(2, Field(1, Field(1, "name") + Field(3, attribute))));
  EXPECT_TRUE(oracle::CompareTraces(bytes));
  Batch batch;
  ASSERT_TRUE(Decode(bytes, batch));
  EXPECT_TRUE(batch.resources.empty());
  EXPECT_TRUE(batch.scopes.empty());
  EXPECT_TRUE(batch.attributes.empty());
  EXPECT_FALSE(Decode(Field(1, Field(1, Field(1, "\x0a\x7f"))), batch));
  EXPECT_FALSE(Decode(Field(1, Field(2, Field(1, "\x0a\x01\xff"))), batch));
}

TEST(DecodeOtlp, AttributesAndEventsMayAlternate) {
  ExportTraceServiceRequest sample = samples::Traces();
  const ProtoSpan& span = sample.resource_spans(0).scope_spans(0).spans(0);
  std::string bytes = Field(1, Id(16)) + Field(2, Id(8));
  for (int i = 0; i < 3; ++i) {
    bytes += Field(9, span.attributes(i).SerializeAsString());
    bytes += Field(11, span.events(0).SerializeAsString());
    bytes += Field(15, Field(2, "part " + std::to_string(i)));
    bytes += Field(13, span.links(0).SerializeAsString());
  }
  bytes += Field(15, "\x18\x02");
  bytes = Field(1, Field(2, Field(2, bytes)));
  EXPECT_TRUE(oracle::CompareTraces(bytes));
  Batch batch;
  ASSERT_TRUE(Decode(bytes, batch));
  const Span& read = batch.spans.at(0);
  EXPECT_EQ(read.attributes.count, 3U);
  EXPECT_EQ(batch.EventsOf(read).size(), 3U);
  EXPECT_EQ(batch.LinksOf(read).size(), 3U);
  EXPECT_EQ(read.status_message, "part 2");
  EXPECT_EQ(read.status_code, 2U);
}

TEST(DecodeOtlp, NumbersAreKeptAsSent) {
  const std::string bytes = OneSpan([](ProtoSpan& span) {
    span.set_kind(static_cast<ProtoSpan::SpanKind>(77));
    span.set_start_time_unix_nano(UINT64_MAX);
    span.mutable_status()->set_code(
        static_cast<opentelemetry::proto::trace::v1::Status::StatusCode>(-1));
  });
  EXPECT_TRUE(oracle::CompareTraces(bytes));
  Batch batch;
  ASSERT_TRUE(Decode(bytes, batch));
  EXPECT_EQ(batch.spans.at(0).kind, 77U);
  EXPECT_EQ(batch.spans.at(0).status_code, UINT32_MAX);
  EXPECT_EQ(batch.spans.at(0).start_unix_ns, UINT64_MAX);
  EXPECT_EQ(batch.spans.at(0).end_unix_ns, 0U);
}

TEST(DecodeOtlp, RecordsOfARequestAreBounded) {
  ExportTraceServiceRequest request;
  for (int i = 0; i < 3; ++i) AddSpan(request);
  Batch batch;
  EXPECT_TRUE(Decode(request.SerializeAsString(), batch, {.records_per_request = 3}));
  const auto decoded = Decode(request.SerializeAsString(), batch, {.records_per_request = 2});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
  EXPECT_EQ(decoded.error().message, "more than 2 spans in one request");
}

TEST(DecodeOtlp, TooManyAttributesCostTheirSpan) {
  const std::string bytes = OneSpan([](ProtoSpan& span) {
    for (int i = 0; i < 3; ++i) span.add_attributes()->set_key("k");
  });
  Batch batch;
  auto decoded = Decode(bytes, batch, {.attributes_per_record = 3});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->accepted, 1U);
  decoded = Decode(bytes, batch, {.attributes_per_record = 2});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->first_rejection, "span 0: more than 2 attributes");
  EXPECT_TRUE(batch.attributes.empty());
}

TEST(DecodeOtlp, TooManyEventsCostTheirSpan) {
  const std::string bytes = OneSpan([](ProtoSpan& span) {
    for (int i = 0; i < 3; ++i) span.add_events();
  });
  Batch batch;
  EXPECT_EQ(Decode(bytes, batch, {.attributes_per_record = 3})->accepted, 1U);
  const auto decoded = Decode(bytes, batch, {.attributes_per_record = 2});
  EXPECT_EQ(decoded->first_rejection, "span 0: more than 2 events");
  EXPECT_TRUE(batch.events.empty());
}

TEST(DecodeOtlp, TooManyAttributesOfAResourceRefuseTheRequest) {
  ExportTraceServiceRequest request;
  AddSpan(request);
  auto& resource = *request.mutable_resource_spans(0)->mutable_resource();
  for (int i = 0; i < 3; ++i) resource.add_attributes()->set_key("k");
  Batch batch;
  const auto decoded = Decode(request.SerializeAsString(), batch, {.attributes_per_record = 2});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
  EXPECT_EQ(decoded.error().message, "resource: more than 2 attributes");
}

TEST(DecodeOtlp, IdentityIsOfTheContentAndTheSeed) {
  const std::string one = OneSpan([](ProtoSpan& span) { span.set_name("a"); });
  const std::string other = OneSpan([](ProtoSpan& span) { span.set_name("b"); });
  const auto identity = [](const std::string& bytes, std::uint64_t seed) {
    Batch batch;
    EXPECT_TRUE(Decode(bytes, batch, {.hash_seed = seed}));
    return batch.spans.at(0).identity;
  };
  EXPECT_EQ(identity(one, 1), identity(one, 1));
  EXPECT_NE(identity(one, 1), identity(other, 1));
  EXPECT_NE(identity(one, 1), identity(one, 2));
}

}  // namespace
}  // namespace throughline::spans
