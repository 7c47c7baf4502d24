#include <algorithm>

#include "correlate/trace_id.h"
#include "logs/elastic_bulk.h"
#include "wire/json_writer.h"

namespace throughline::logs {
namespace {

std::string_view NameOf(BulkAction action) {
  switch (action) {
    case BulkAction::kCreate: return "create";
    case BulkAction::kIndex: return "index";
    case BulkAction::kUpdate: return "update";
    case BulkAction::kDelete: return "delete";
  }
  return {};
}

std::string_view ResultOf(const BulkItem& item) {
  switch (item.status) {
    case 200: return "updated";
    case 404: return "not_found";
    default: return "created";
  }
}

void WriteDone(const BulkItem& item, wire::JsonWriter& json) {
  json.Key("_version").Uint(1);
  json.Key("result").String(ResultOf(item));
  json.Key("_shards").Raw(R"({"total":1,"successful":1,"failed":0})");
  json.Key("_seq_no").Uint(0);
  json.Key("_primary_term").Uint(1);
}

void WriteError(std::string_view type, std::string_view reason, wire::JsonWriter& json) {
  json.Key("type").String(type);
  json.Key("reason").String(reason);
}

void WriteItem(const BulkItem& item, wire::JsonWriter& json) {
  json.BeginObject();
  json.Key(NameOf(item.action)).BeginObject();
  json.Key("_index").String(item.index);
  json.Key("_id").String(item.id.empty() ? ToHex(SpanId{item.generated_id}) : item.id);
  if (item.error_type.empty()) WriteDone(item, json);
  json.Key("status").Int(item.status);
  if (!item.error_type.empty()) {
    json.Key("error").BeginObject();
    WriteError(item.error_type, item.error_reason, json);
    json.EndObject();
  }
  json.EndObject();
  json.EndObject();
}

std::string_view TypeOf(Errc code) {
  switch (code) {
    case Errc::kOverloaded: return "es_rejected_execution_exception";
    case Errc::kUnavailable:
    case Errc::kDataLoss: return "unavailable_shards_exception";
    case Errc::kTooLarge: return "content_too_long_exception";
    case Errc::kUnauthenticated:
    case Errc::kPermissionDenied: return "security_exception";
    default: return "illegal_argument_exception";
  }
}

}  // namespace

std::string BulkAnswer(const DecodedBulk& bulk, std::uint64_t took_ms) {
  std::string body;
  wire::JsonWriter json(body);
  json.BeginObject();
  json.Key("errors").Bool(
      std::any_of(bulk.items.begin(), bulk.items.end(),
                  [](const BulkItem& item) { return !item.error_type.empty(); }));
  json.Key("took").Uint(took_ms);
  json.Key("items").BeginArray();
  for (const BulkItem& item : bulk.items) WriteItem(item, json);
  json.EndArray();
  json.EndObject();
  return body;
}

std::string BulkFailure(const Error& error, int http_status) {
  std::string body;
  wire::JsonWriter json(body);
  const std::string_view type = TypeOf(error.code);
  json.BeginObject();
  json.Key("error").BeginObject();
  json.Key("root_cause").BeginArray();
  json.BeginObject();
  WriteError(type, error.message, json);
  json.EndObject();
  json.EndArray();
  WriteError(type, error.message, json);
  json.EndObject();
  json.Key("status").Int(http_status);
  json.EndObject();
  return body;
}

}  // namespace throughline::logs
