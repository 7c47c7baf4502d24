#include <string>

#include <google/protobuf/stubs/logging.h>

#include "correlate/check.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "spans/otlp.h"
#include "tests/proto/oracle.h"

namespace throughline::oracle {
namespace {

namespace trace = opentelemetry::proto::trace::v1;
using Request = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

bool IsUsable(std::string_view id, std::size_t size) {
  const IdKind kind = KindOf(id, size);
  return kind == IdKind::kValid || kind == IdKind::kRepaired;
}

void CheckEvents(const trace::Span& wanted, const Span& span, const Batch& batch) {
  const auto events = batch.EventsOf(span);
  TL_CHECK(events.size() == static_cast<std::size_t>(wanted.events_size()));
  for (int i = 0; i < wanted.events_size(); ++i) {
    const SpanEvent& event = events[static_cast<std::size_t>(i)];
    TL_CHECK(event.name == wanted.events(i).name());
    TL_CHECK(event.time_unix_ns == wanted.events(i).time_unix_nano());
    CheckSame(wanted.events(i).attributes(), event.attributes, batch);
  }
}

// Returns how many links were dropped.
std::size_t CheckLinks(const trace::Span& wanted, const Span& span, const Batch& batch) {
  const auto links = batch.LinksOf(span);
  std::size_t kept = 0;
  for (const trace::Span::Link& link : wanted.links()) {
    if (!IsUsable(link.trace_id(), 16) || !IsUsable(link.span_id(), 8)) continue;
    TL_CHECK(kept < links.size());
    const SpanLink& given = links[kept++];
    TL_CHECK(ToHex(given.trace_id) == HexOf(link.trace_id(), 16));
    TL_CHECK(ToHex(given.span_id) == HexOf(link.span_id(), 8));
    TL_CHECK(given.trace_state == link.trace_state());
    TL_CHECK(given.flags == link.flags());
    CheckSame(link.attributes(), given.attributes, batch);
  }
  TL_CHECK(kept == links.size());
  return static_cast<std::size_t>(wanted.links_size()) - kept;
}

void CheckSpan(const trace::Span& wanted, const Span& span) {
  TL_CHECK(ToHex(span.trace_id) == HexOf(wanted.trace_id(), 16));
  TL_CHECK(ToHex(span.span_id) == HexOf(wanted.span_id(), 8));
  if (IsUsable(wanted.parent_span_id(), 8)) {
    TL_CHECK(ToHex(span.parent_span_id) == HexOf(wanted.parent_span_id(), 8));
  } else {
    TL_CHECK(!span.parent_span_id.IsValid());
  }
  TL_CHECK(span.name == wanted.name());
  TL_CHECK(span.kind == static_cast<std::uint32_t>(wanted.kind()));
  TL_CHECK(span.start_unix_ns == wanted.start_time_unix_nano());
  TL_CHECK(span.end_unix_ns == wanted.end_time_unix_nano());
  TL_CHECK(span.trace_state == wanted.trace_state());
  TL_CHECK(span.flags == wanted.flags());
  TL_CHECK(span.status_code == static_cast<std::uint32_t>(wanted.status().code()));
  TL_CHECK(span.status_message == wanted.status().message());
}

void CheckAll(const Request& request, const Decoded& decoded, const Batch& batch) {
  std::size_t received = 0;
  std::size_t accepted = 0;
  std::size_t dropped_links = 0;
  for (const auto& group : request.resource_spans()) {
    for (const auto& scope_group : group.scope_spans()) {
      for (const trace::Span& wanted : scope_group.spans()) {
        ++received;
        if (!IsUsable(wanted.trace_id(), 16) || !IsUsable(wanted.span_id(), 8) ||
            KindOf(wanted.parent_span_id(), 8) == IdKind::kBroken) {
          continue;
        }
        TL_CHECK(accepted < batch.spans.size());
        const Span& span = batch.spans[accepted++];
        CheckSame(group.has_resource() ? &group.resource() : nullptr, span.resource, batch);
        CheckSame(scope_group.has_scope() ? &scope_group.scope() : nullptr, span.scope, batch);
        CheckSpan(wanted, span);
        CheckSame(wanted.attributes(), span.attributes, batch);
        CheckEvents(wanted, span, batch);
        dropped_links += CheckLinks(wanted, span, batch);
      }
    }
  }
  TL_CHECK(decoded.received == received);
  TL_CHECK(decoded.accepted == accepted && batch.spans.size() == accepted);
  TL_CHECK(decoded.rejected == received - accepted);
  TL_CHECK(decoded.dropped_links == dropped_links);
}

}  // namespace

bool CompareTraces(std::string_view bytes) {
  Batch batch;
  const auto decoded = spans::DecodeOtlp(bytes, ComparedOptions(), batch);
  Batch again;  // Decoding is a pure function of the bytes.
  TL_CHECK(spans::DecodeOtlp(bytes, ComparedOptions(), again).has_value() == decoded.has_value());
  const google::protobuf::LogSilencer silencer;
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (!decoded) {
    TL_CHECK(IsStricter(decoded.error()));
    return true;
  }
  CheckAll(request, *decoded, batch);
  for (std::size_t i = 0; i < batch.spans.size(); ++i) {
    TL_CHECK(batch.spans[i].identity == again.spans[i].identity);
  }
  return true;
}

}  // namespace throughline::oracle
