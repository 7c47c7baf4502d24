#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "correlate/ids.h"
#include "logs/finish_line.h"
#include "logs/otlp.h"
#include "otlp/json.h"
#include "otlp/json_ids.h"

namespace throughline::logs {
namespace {

using otlp::JsonMessage;
using otlp::JsonPath;
using wire::JsonValue;

enum RecordField : std::size_t {
  kTime,
  kObservedTime,
  kSeverityNumber,
  kSeverityText,
  kEventName,
  kBody,
  kAttributes,
  kFlags,
  kTraceId,
  kSpanId,
  kRecordFields
};
constexpr JsonMessage<kRecordFields>::Names kRecordNames = {
    "timeUnixNano", "observedTimeUnixNano", "severityNumber", "severityText", "eventName",
    "body",         "attributes",           "flags",          "traceId",      "spanId"};

// SEVERITY_NUMBER_TRACE is 1, TRACE2 is 2, ... FATAL4 is 24; UNSPECIFIED is 0.
std::int64_t SeverityOf(std::string_view name) {
  constexpr std::string_view kPrefix = "SEVERITY_NUMBER_";
  constexpr std::array<std::string_view, 6> kLevels = {"TRACE", "DEBUG", "INFO",
                                                       "WARN",  "ERROR", "FATAL"};
  if (!name.starts_with(kPrefix)) return -1;
  name.remove_prefix(kPrefix.size());
  if (name == "UNSPECIFIED") return 0;
  for (std::size_t level = 0; level < kLevels.size(); ++level) {
    if (!name.starts_with(kLevels[level])) continue;
    const std::string_view step = name.substr(kLevels[level].size());
    const auto first = static_cast<std::int64_t>(4 * level + 1);
    if (step.empty()) return first;
    if (step.size() == 1 && step[0] >= '2' && step[0] <= '4') return first + (step[0] - '1');
  }
  return -1;
}

class JsonLogReader {
 public:
  JsonLogReader(std::string_view request, otlp::JsonDecoder& decoder, Decoded& decoded)
      : decoder_(decoder), finisher_(request, decoder.options(), decoder.batch(), decoded) {}

  void Read(JsonValue value, const JsonPath& at, std::uint32_t resource, std::uint32_t scope) {
    if (!finisher_.Begin()) return decoder_.Fail(finisher_.TooMany());
    decoder_.BeginRecord();
    const JsonMessage<kRecordFields> fields(decoder_, value, kRecordNames, at);
    LogLine line;
    line.resource = resource;
    line.scope = scope;
    line.time_unix_ns = fields.Uint64(kTime);
    line.observed_unix_ns = fields.Uint64(kObservedTime);
    line.severity_number = fields.Enum(kSeverityNumber, SeverityOf);
    line.severity_text = fields.KeptText(kSeverityText);
    line.event_name = fields.KeptText(kEventName);
    line.body = decoder_.AnyValue(fields[kBody], at, fields.name(kBody));
    line.attributes = fields.Attributes(kAttributes);
    line.flags = fields.Uint32(kFlags);
    const std::string_view repaired = ReadIds(fields, line);
    if (!decoder_.ok()) return;
    if (decoder_.problem().empty()) {
      finisher_.Accept(line, repaired);
    } else {
      finisher_.Reject(decoder_.problem());
    }
  }

 private:
  // Gives what was repaired; empty: nothing was. A broken span id costs only itself: the link needs
  // none.
  std::string_view ReadIds(const JsonMessage<kRecordFields>& fields, LogLine& line) {
    const std::string_view trace_text = fields.Text(kTraceId);
    const std::string_view span_text = fields.Text(kSpanId);
    std::string_view repaired;
    if (!otlp::IsAbsentId(trace_text, otlp::kTraceIdDigits)) {
      const Resolved trace = ResolveTraceIdText(trace_text);
      if (!trace.IsValid()) decoder_.Reject(std::string("traceId: ").append(trace.reason));
      if (trace.repaired) repaired = "traceId was repaired";
      line.trace_id = trace.trace_id;
    }
    if (!otlp::IsAbsentId(span_text, otlp::kSpanIdDigits)) {
      const ResolvedSpan span = ResolveSpanIdText(span_text);
      line.span_id = span.span_id;
      if (!repaired.empty()) return repaired;
      if (!span.span_id.IsValid()) return "spanId is broken and was dropped";
      if (span.repaired) return "spanId was repaired";
    }
    return repaired;
  }

  otlp::JsonDecoder& decoder_;
  LineFinisher finisher_;
};

}  // namespace

Result<Decoded> DecodeOtlpJson(std::string_view bytes, const DecodeOptions& options, Batch& batch) {
  constexpr otlp::JsonEnvelope kEnvelope = {"resourceLogs", "scopeLogs", "logRecords"};
  Decoded decoded;
  otlp::JsonDecoder decoder(options, batch);
  TL_TRY_ASSIGN(const JsonValue request, decoder.Parse(bytes));
  JsonLogReader reader(bytes, decoder, decoded);
  otlp::ForEachRecord(
      decoder, request, kEnvelope, [&batch](std::size_t count) { otlp::Expect(count, batch.logs); },
      [&reader](JsonValue value, const JsonPath& at, std::uint32_t resource, std::uint32_t scope) {
        reader.Read(value, at, resource, scope);
      });
  if (!decoder.ok()) return decoder.error();
  return decoded;
}

}  // namespace throughline::logs
