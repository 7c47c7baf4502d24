#include <string>

#include <google/protobuf/stubs/logging.h>

#include "correlate/check.h"
#include "logs/otlp.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "tests/proto/oracle.h"

namespace throughline::oracle {
namespace {

namespace logs_v1 = opentelemetry::proto::logs::v1;
using Request = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;

void CheckLine(const logs_v1::LogRecord& wanted, const LogLine& line, const Batch& batch) {
  const IdKind trace_id = KindOf(wanted.trace_id(), 16);
  if (trace_id != IdKind::kAbsent) {
    TL_CHECK(ToHex(line.trace_id) == HexOf(wanted.trace_id(), 16));
    TL_CHECK(line.found_by == FoundBy::kField);
  } else {
    TL_CHECK(line.found_by != FoundBy::kField);
    TL_CHECK((line.found_by == FoundBy::kNone) == !line.trace_id.IsValid());
  }
  const IdKind span_id = KindOf(wanted.span_id(), 8);
  if (span_id == IdKind::kValid || span_id == IdKind::kRepaired) {
    TL_CHECK(ToHex(line.span_id) == HexOf(wanted.span_id(), 8));
  }
  TL_CHECK(line.time_unix_ns == wanted.time_unix_nano());
  TL_CHECK(line.observed_unix_ns == wanted.observed_time_unix_nano());
  TL_CHECK(line.severity_number == static_cast<std::uint32_t>(wanted.severity_number()));
  TL_CHECK(line.severity_text == wanted.severity_text());
  TL_CHECK(line.event_name == wanted.event_name());
  TL_CHECK(line.flags == wanted.flags());
  CheckSame(wanted.body(), line.body);
  CheckSame(wanted.attributes(), line.attributes, batch);
}

void CheckAll(const Request& request, const Decoded& decoded, const Batch& batch) {
  std::size_t received = 0;
  std::size_t kept = 0;
  for (const auto& group : request.resource_logs()) {
    for (const auto& scope_group : group.scope_logs()) {
      for (const logs_v1::LogRecord& wanted : scope_group.log_records()) {
        ++received;
        if (KindOf(wanted.trace_id(), 16) == IdKind::kBroken) continue;
        TL_CHECK(kept < batch.logs.size());
        const LogLine& line = batch.logs[kept++];
        CheckSame(group.has_resource() ? &group.resource() : nullptr, line.resource, batch);
        CheckSame(scope_group.has_scope() ? &scope_group.scope() : nullptr, line.scope, batch);
        CheckLine(wanted, line, batch);
      }
    }
  }
  TL_CHECK(decoded.received == received && batch.logs.size() == kept);
  TL_CHECK(decoded.rejected == received - kept);
  TL_CHECK(decoded.accepted + decoded.unlinked == kept);
}

}  // namespace

bool CompareLogs(std::string_view bytes) {
  Batch batch;
  const auto decoded = logs::DecodeOtlp(bytes, ComparedOptions(), batch);
  Batch again;  // Decoding is a pure function of the bytes.
  TL_CHECK(logs::DecodeOtlp(bytes, ComparedOptions(), again).has_value() == decoded.has_value());
  const google::protobuf::LogSilencer silencer;
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (!decoded) {
    TL_CHECK(IsStricter(decoded.error()));
    return true;
  }
  CheckAll(request, *decoded, batch);
  for (std::size_t i = 0; i < batch.logs.size(); ++i) {
    TL_CHECK(batch.logs[i].identity == again.logs[i].identity);
  }
  return true;
}

}  // namespace throughline::oracle
