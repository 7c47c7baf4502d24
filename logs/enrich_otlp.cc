#include "logs/enrich_otlp.h"

#include <string>
#include <utility>

#include "correlate/attribute.h"
#include "logs/enrich_shapes.h"
#include "logs/link_line.h"
#include "logs/otlp.h"
#include "wire/protobuf.h"

namespace throughline::logs {
namespace {

// opentelemetry/proto/logs/v1/logs.proto, collector/logs/v1/logs_service.proto.
constexpr std::uint32_t kResourceLogs = 1;
constexpr std::uint32_t kScopeLogs = 2;
constexpr std::uint32_t kLogRecords = 2;
constexpr std::uint32_t kAttributes = 6;

// Field numbers here are below 16: one byte of tag.
void AppendMessage(std::uint32_t field, std::string_view content, std::string& out) {
  out += static_cast<char>(field << 3U | static_cast<std::uint32_t>(wire::WireType::kBytes));
  AppendVarint(content.size(), out);
  out += content;
}

class ProtobufEnricher {
 public:
  ProtobufEnricher(std::string_view bytes, const EnrichOptions& options, TraceFields& fields)
      : bytes_(bytes), fields_(fields), reader_(options.decode) {}

  Result<Enriched> Enrich() {
    std::string body;
    if (!Message(bytes_, 0, body)) return InvalidArgument("protobuf: " + fault_);
    result_.body = std::move(body);
    return std::move(result_);
  }

 private:
  // Gives `message` with its records enriched. `level` 0: the request, 1: ResourceLogs,
  // 2: ScopeLogs. A message in which nothing was added keeps its length as it was written. False:
  // not a message.
  bool Message(std::string_view message, std::size_t level, std::string& out) {
    constexpr std::uint32_t kInner[] = {kResourceLogs, kScopeLogs, kLogRecords};
    Splice splice(message);
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() != kInner[level]) {
        reader.Skip();
        continue;
      }
      const char* const begin = reader.field_at();
      const std::string_view content = reader.Bytes();
      if (!reader.ok()) break;
      std::string changed;
      if (level == 2) {
        changed = Record(content);
      } else if (!Message(content, level + 1, changed)) {
        return false;
      }
      if (changed.size() == content.size()) continue;
      std::string field;
      AppendMessage(kInner[level], changed, field);
      const char* const end = content.data() + content.size();
      splice.Replace(begin, static_cast<std::size_t>(end - begin), field);
    }
    if (!reader.ok()) {
      fault_ = reader.fault().Text(bytes_);
      return false;
    }
    out = splice.Finish();
    return true;
  }

  // Adding is appending: fields may come in any order.
  std::string Record(std::string_view record) {
    ++result_.records;
    std::string out(record);
    const auto read = reader_.Of(record, otlp::Format::kProtobuf);
    if (!read.readable) {
      ++result_.malformed;
      return out;
    }
    for (const AddedField& field :
         fields_.For(read.line, read.malformed, read.batch->Of(read.line.attributes))) {
      std::string value;
      switch (field.type) {
        case AddedField::Type::kText: AppendStringValue(field.text, value); break;
        case AddedField::Type::kInteger: AppendIntValue(field.integer, value); break;
        case AddedField::Type::kBool: AppendBoolValue(field.boolean, value); break;
      }
      std::string attribute;
      AppendMessage(1, field.name(), attribute);
      AppendMessage(2, value, attribute);
      AppendMessage(kAttributes, attribute, out);
    }
    return out;
  }

  std::string_view bytes_;
  TraceFields& fields_;
  OtlpRecordReader reader_;
  Enriched result_;
  std::string fault_;
};

}  // namespace

OtlpRecordReader::Read OtlpRecordReader::Of(std::string_view record, otlp::Format format) {
  Batch& batch = scratch_.Fresh();
  Result<Decoded> decoded = Decoded();
  if (format == otlp::Format::kProtobuf) {
    std::string records;
    std::string scopes;
    AppendMessage(kLogRecords, record, records);
    AppendMessage(kScopeLogs, records, scopes);
    request_.clear();
    AppendMessage(kResourceLogs, scopes, request_);
    decoded = DecodeOtlp(request_, options_, batch);
  } else {
    request_ = R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[)";
    request_.append(record).append("]}]}]}");
    const std::size_t size = request_.size();
    request_.append(Body::kPadding, ' ');
    decoded = DecodeOtlpJson(std::string_view(request_).substr(0, size), options_, batch);
  }
  Read read;
  if (!decoded) return read;
  if (batch.logs.empty()) {
    // Refused: for its ids, which a repeated call would not mend, or for its size.
    const std::string_view reason = decoded->first_rejection;
    read.readable = reason.find("trace") != std::string_view::npos ||
                    reason.find("span") != std::string_view::npos;
    read.malformed = read.readable ? "id refused" : "";
    // The refused record has left no attributes to look at.
    if (record.find(TraceFieldName(TraceField::kState)) != std::string_view::npos) {
      read.malformed = "";
    }
  } else {
    read.readable = true;
    read.line = batch.logs.front();
    if (!read.line.trace_id.IsValid()) {
      LogLine again = read.line;
      read.malformed = LinkLine(again, batch).malformed;
    }
  }
  read.batch = &batch;
  return read;
}

Result<Enriched> EnrichOtlpProtobuf(std::string_view bytes, const EnrichOptions& options,
                                    TraceFields& fields) {
  return ProtobufEnricher(bytes, options, fields).Enrich();
}

}  // namespace throughline::logs
