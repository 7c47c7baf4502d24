#include "gateway/ingest.h"

#include <string>
#include <string_view>
#include <utility>

#include "api/status.h"
#include "correlate/check.h"
#include "exemplars/otlp.h"
#include "gateway/inflate.h"
#include "gateway/media.h"
#include "logs/lines.h"
#include "logs/otlp.h"
#include "otlp/response.h"
#include "spans/otlp.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

constexpr std::string_view kProtobufType = "application/x-protobuf";
constexpr std::string_view kJsonType = "application/json";

std::string_view TypeOf(otlp::Format format) {
  return format == otlp::Format::kProtobuf ? kProtobufType : kJsonType;
}

Intake IntakeOf(RouteKind kind) {
  switch (kind) {
    case RouteKind::kOtlpTraces: return Intake::kOtlpTraces;
    case RouteKind::kOtlpMetrics: return Intake::kOtlpMetrics;
    case RouteKind::kOtlpLogs: return Intake::kOtlpLogs;
    case RouteKind::kLines: return Intake::kLines;
    default: CheckFailed("an intake route", __FILE__, __LINE__);
  }
}

struct Read {
  Decoded decoded;
  std::size_t passed_points = 0;
};

// The body, which stands in `batch`, by the decoder of its door.
Result<Read> Decode(RouteKind kind, std::string_view content_type, const DecodeOptions& options,
                    Batch& batch) {
  const bool json = kind != RouteKind::kLines && OtlpFormatOf(content_type) == otlp::Format::kJson;
  Read read;
  if (kind == RouteKind::kOtlpTraces) {
    TL_TRY_ASSIGN(read.decoded, json ? spans::DecodeOtlpJson(batch.body.view(), options, batch)
                                     : spans::DecodeOtlp(batch.body.view(), options, batch));
  } else if (kind == RouteKind::kOtlpLogs) {
    TL_TRY_ASSIGN(read.decoded, json ? logs::DecodeOtlpJson(batch.body.view(), options, batch)
                                     : logs::DecodeOtlp(batch.body.view(), options, batch));
  } else if (kind == RouteKind::kOtlpMetrics) {
    TL_TRY_ASSIGN(auto metrics, json ? exemplars::DecodeOtlpJson(batch.body.view(), options, batch)
                                     : exemplars::DecodeOtlp(batch.body.view(), options, batch));
    read.decoded = std::move(metrics.exemplars);
    read.passed_points = metrics.data_points;
  } else {
    const logs::LineFormat format = LineFormatOf(content_type, batch.body);
    TL_TRY_ASSIGN(read.decoded, logs::DecodeLines(batch.body.view(), format, options, batch));
  }
  return read;
}

// What was refused or mended, in one sentence for the sender; empty: nothing.
std::string MessageOf(const Decoded& decoded) {
  std::string message = decoded.first_rejection;
  const auto add = [&](std::size_t count, std::string_view what, std::string_view first) {
    if (count == 0) return;
    if (!message.empty()) message += "; ";
    message += std::to_string(count);
    message += what;
    if (!first.empty()) message += ": ";
    message += first;
  };
  add(decoded.repaired, " repaired", decoded.first_repair);
  add(decoded.dropped_links, " span links with broken ids dropped", {});
  return message;
}

struct Outcome {
  std::uint64_t stored = 0;
  std::uint64_t deduplicated = 0;
  std::uint64_t kept_unlinked = 0;
};

api::Response OtlpSuccess(RouteKind kind, otlp::Format format, const Decoded& decoded) {
  // Exemplars have no count of their own in OTLP: their points were taken.
  const std::string_view name = kind == RouteKind::kOtlpTraces    ? "rejectedSpans"
                                : kind == RouteKind::kOtlpMetrics ? "rejectedDataPoints"
                                                                  : "rejectedLogRecords";
  const std::uint64_t rejected = kind == RouteKind::kOtlpMetrics ? 0 : decoded.rejected;
  api::Response response;
  response.content_type = TypeOf(format);
  response.body = otlp::ExportResponse(format, name, rejected, MessageOf(decoded));
  return response;
}

api::Response LinesSuccess(const Decoded& decoded, const Outcome& outcome) {
  api::Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("received").Uint(decoded.received);
  json.Key("accepted").Uint(outcome.stored);
  json.Key("deduplicated").Uint(outcome.deduplicated);
  json.Key("unlinked").Uint(decoded.unlinked - outcome.kept_unlinked);
  json.Key("rejected").Uint(decoded.rejected);
  json.Key("kept_unlinked").Uint(outcome.kept_unlinked);
  json.Key("errors").BeginArray();
  if (!decoded.first_rejection.empty()) json.String(decoded.first_rejection);
  json.EndArray();
  json.EndObject();
  return response;
}

}  // namespace

// A request whose batch waits to be stored.
struct Ingest::Pending {
  RouteKind kind;
  otlp::Format format;
  Decoded decoded;
  std::size_t records = 0;  // In the batch.
  Respond respond;
};

api::Response Ingest::Failure(RouteKind kind, const api::Request& head, const Error& error) {
  api::Response response = api::Problem(error);
  if (kind == RouteKind::kLines) return response;
  // A type that is neither of OTLP's gets the readable one.
  const auto format = OtlpFormatOf(head.Header("content-type")).value_or(otlp::Format::kJson);
  response.content_type = TypeOf(format);
  response.body = otlp::StatusResponse(format, api::GrpcStatusOf(error.code), error.message);
  return response;
}

std::optional<api::Response> Ingest::Admit(RouteKind kind, const api::Request& head) {
  const std::string_view type = head.Header("content-type");
  const bool known = kind == RouteKind::kLines ? IsLinesType(type) : OtlpFormatOf(type).has_value();
  if (!known) {
    const std::string_view want = kind == RouteKind::kLines
                                      ? "application/x-ndjson, application/json or text/plain"
                                      : "application/x-protobuf or application/json";
    return Failure(kind, head,
                   Error{Errc::kUnsupported, "content-type is \"" + std::string(type) +
                                                 "\", want " + std::string(want)});
  }
  const auto encoding = CheckEncoding(head);
  if (!encoding) return Failure(kind, head, encoding.error());
  return std::nullopt;
}

void Ingest::Handle(RouteKind kind, api::Request request, Respond respond) {
  IntakeCounts& counts = metrics_.Of(IntakeOf(kind));
  const auto fail = [&](const Error& error) {
    counts.bad_requests.fetch_add(1, std::memory_order_relaxed);
    respond(Failure(kind, request, error));
  };
  auto tenant = TenantFromHeader(request.Header("x-scope-orgid"));
  if (!tenant) return fail(tenant.error());
  const auto inflated = InflateBody(request, limits_.inflated_bytes);
  if (!inflated) return fail(inflated.error());

  const std::string_view type = request.Header("content-type");
  auto batch = std::make_shared<Batch>();
  batch->body = std::move(request.body);
  auto read = Decode(kind, type, limits_.decode, *batch);
  if (!read) return fail(read.error());

  const Decoded& decoded = read->decoded;
  const auto add = [](std::atomic<std::uint64_t>& counter, std::uint64_t by) {
    if (by > 0) counter.fetch_add(by, std::memory_order_relaxed);
  };
  add(counts.received, decoded.received);
  add(counts.rejected, decoded.rejected);
  add(limits_.decode.keep_unlinked ? counts.kept_unlinked : counts.unlinked, decoded.unlinked);
  add(counts.repaired, decoded.repaired);
  add(counts.dropped_links, decoded.dropped_links);
  add(counts.passed_points, read->passed_points);

  auto pending = std::make_shared<Pending>();
  pending->kind = kind;
  pending->format = OtlpFormatOf(type).value_or(otlp::Format::kJson);
  pending->records = batch->record_count();
  pending->decoded = std::move(read->decoded);
  pending->respond = std::move(respond);
  Store(std::move(pending), *std::move(tenant), std::move(batch));
}

void Ingest::Store(std::shared_ptr<Pending> pending, std::string tenant,
                   std::shared_ptr<const Batch> batch) {
  IntakeCounts& counts = metrics_.Of(IntakeOf(pending->kind));
  const bool keeps_unlinked = limits_.decode.keep_unlinked;
  auto done = [pending, &counts, keeps_unlinked](Result<Appended> result) {
    if (!result) {
      counts.failed.fetch_add(pending->records, std::memory_order_relaxed);
      api::Request head;  // Only its type matters here.
      head.headers.emplace_back("content-type", TypeOf(pending->format));
      return pending->respond(Failure(pending->kind, head, result.error()));
    }
    Outcome outcome;
    outcome.stored = result->spans + result->logs + result->exemplars;
    outcome.deduplicated =
        result->deduplicated_spans + result->deduplicated_logs + result->deduplicated_exemplars;
    outcome.kept_unlinked = keeps_unlinked ? pending->decoded.unlinked : 0;
    counts.stored.fetch_add(outcome.stored, std::memory_order_relaxed);
    counts.deduplicated.fetch_add(outcome.deduplicated, std::memory_order_relaxed);
    pending->respond(pending->kind == RouteKind::kLines
                         ? LinesSuccess(pending->decoded, outcome)
                         : OtlpSuccess(pending->kind, pending->format, pending->decoded));
  };
  if (pending->records == 0) return done(Appended{});
  const auto queued =
      writer_.Submit(Appending{std::move(tenant), std::move(batch), clock_.NowUnixNs()}, done);
  if (!queued) done(queued.error());
}

}  // namespace throughline::gateway
