#include "logs/otlp.h"

#include <string>
#include <string_view>
#include <vector>

#include "logs/finish_line.h"
#include "otlp/proto.h"

namespace throughline::logs {
namespace {

// Bytes of the usual attribute, for a first guess at how many there are.
constexpr std::size_t kAttributeBytes = 60;

class LogReader final : public otlp::Envelope {
 public:
  LogReader(otlp::ProtoRequest& request, Decoded& decoded)
      : request_(request),
        batch_(request.batch),
        decoded_(decoded),
        finisher_(request.body, request.options, request.batch, decoded) {}

 private:
  // The id fields of one record as they were sent.
  struct Ids {
    std::string_view trace_id;
    std::string_view span_id;
  };

  void OnScope(std::size_t count) override { otlp::ReserveMore(batch_.logs, count); }

  void OnRestart() override { decoded_ = {}; }

  bool OnRecord(std::string_view message, std::uint32_t resource, std::uint32_t scope) override {
    if (!finisher_.Begin()) return request_.Fail(finisher_.TooMany());
    request_.BeginRecord();
    LogLine line;
    Ids ids;
    line.resource = resource;
    line.scope = scope;
    if (!ReadFields(message, line, ids)) return false;
    if (!body_.empty() && !otlp::ReadAnyValue(body_, line.body, request_)) return false;
    const std::string_view repaired = ReadIds(ids, line);
    if (request_.problem.empty()) {
      finisher_.Accept(line, repaired);
    } else {
      finisher_.Reject(request_.problem);
    }
    return true;
  }

  bool ReadFields(std::string_view message, LogLine& line, Ids& ids) {
    const std::size_t begin = batch_.attributes.size();
    body_.clear();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: line.time_unix_ns = reader.Fixed64(); break;
        case 2: line.severity_number = reader.Varint32(); break;
        case 3: line.severity_text = otlp::ReadText(reader); break;
        case 5: body_.push_back(reader.Bytes()); break;
        case 6:
          if (const std::string_view item = reader.Bytes(); reader.ok()) {
            if (!otlp::ReadKeyValue(item, request_)) return false;
          }
          break;
        case 8: line.flags = reader.Fixed32(); break;
        case 9: ids.trace_id = reader.Bytes(); break;
        case 10: ids.span_id = reader.Bytes(); break;
        case 11: line.observed_unix_ns = reader.Fixed64(); break;
        case 12: line.event_name = otlp::ReadText(reader); break;
        default: reader.Skip();
      }
    }
    line.attributes = {.begin = static_cast<std::uint32_t>(begin),
                       .count = static_cast<std::uint32_t>(batch_.attributes.size() - begin)};
    return reader.ok() || request_.Fail(reader.fault());
  }

  // Sets request_.problem where the record is to be rejected; says what was repaired. A broken span
  // id costs only itself: the link needs none.
  std::string_view ReadIds(const Ids& ids, LogLine& line) {
    using otlp::IdState;
    bool repaired = false;
    if (otlp::ReadTraceId(ids.trace_id, line.trace_id, repaired) == IdState::kBroken) {
      request_.problem = otlp::IdProblem("trace_id", ids.trace_id, sizeof(TraceId));
      return {};
    }
    const std::string_view of_span = ReadSpanId(ids, line);
    return repaired ? "trace_id was repaired" : of_span;
  }

  static std::string_view ReadSpanId(const Ids& ids, LogLine& line) {
    bool repaired = false;
    switch (otlp::ReadSpanId(ids.span_id, line.span_id, repaired)) {
      case otlp::IdState::kBroken: return "span_id is broken and was dropped";
      case otlp::IdState::kValid: return repaired ? "span_id was repaired" : std::string_view();
      case otlp::IdState::kAbsent: break;
    }
    return {};
  }

  otlp::ProtoRequest& request_;
  Batch& batch_;
  Decoded& decoded_;
  LineFinisher finisher_;
  std::vector<std::string_view> body_;  // The parts of the record's body.
};

}  // namespace

Result<Decoded> DecodeOtlp(std::string_view bytes, const DecodeOptions& options, Batch& batch) {
  Decoded decoded;
  otlp::ProtoRequest request(bytes, options, batch);
  otlp::ReserveMore(batch.attributes, bytes.size() / kAttributeBytes);
  LogReader reader(request, decoded);
  if (!reader.Read(request)) return request.ErrorOf();
  return decoded;
}

}  // namespace throughline::logs
