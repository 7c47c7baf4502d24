#include "otlp/response.h"

#include "correlate/attribute.h"
#include "otlp/utf8.h"
#include "wire/json_writer.h"

namespace throughline::otlp {
namespace {

// Tags of the fields written here.
constexpr char kVarint1 = 0x08;
constexpr char kBytes1 = 0x0a;
constexpr char kBytes2 = 0x12;
constexpr char kBytes3 = 0x1a;

void AppendVarintField(char tag, std::uint64_t value, std::string& out) {
  if (value == 0) return;
  out += tag;
  AppendVarint(value, out);
}

// A protobuf string must be UTF-8: what is not, loses its bytes above ASCII.
void AppendTextField(char tag, std::string_view text, std::string& out) {
  if (text.empty()) return;
  out += tag;
  AppendVarint(text.size(), out);
  const std::size_t begin = out.size();
  out += text;
  if (IsUtf8(text)) return;
  for (std::size_t i = begin; i < out.size(); ++i) {
    if (static_cast<unsigned char>(out[i]) >= 0x80) out[i] = '?';
  }
}

void AppendMessageField(char tag, std::string_view message, std::string& out) {
  out += tag;
  AppendVarint(message.size(), out);
  out += message;
}

std::string JsonExportResponse(std::string_view rejected_name, std::uint64_t rejected,
                               std::string_view message) {
  std::string out;
  wire::JsonWriter json(out);
  json.BeginObject();
  if (rejected > 0 || !message.empty()) {
    json.Key("partialSuccess").BeginObject();
    if (rejected > 0) json.Key(rejected_name).UintString(rejected);
    if (!message.empty()) json.Key("errorMessage").String(message);
    json.EndObject();
  }
  json.EndObject();
  return out;
}

}  // namespace

std::string ExportResponse(Format format, std::string_view rejected_name, std::uint64_t rejected,
                           std::string_view message) {
  if (format == Format::kJson) return JsonExportResponse(rejected_name, rejected, message);
  std::string out;
  if (rejected == 0 && message.empty()) return out;
  std::string partial_success;
  AppendVarintField(kVarint1, rejected, partial_success);
  AppendTextField(kBytes2, message, partial_success);
  AppendMessageField(kBytes1, partial_success, out);
  return out;
}

std::string StatusResponse(Format format, int code, std::string_view message) {
  std::string out;
  if (format == Format::kProtobuf) {
    AppendVarintField(kVarint1, static_cast<std::uint64_t>(code), out);
    AppendTextField(kBytes2, message, out);
    return out;
  }
  wire::JsonWriter json(out);
  json.BeginObject();
  json.Key("code").Int(code);
  json.Key("message").String(message);
  json.EndObject();
  return out;
}

std::string RetryStatus(int code, std::string_view message, int retry_seconds) {
  std::string delay;  // google.protobuf.Duration.
  AppendVarintField(kVarint1, static_cast<std::uint64_t>(retry_seconds), delay);
  std::string retry_info;
  AppendMessageField(kBytes1, delay, retry_info);
  std::string any;
  AppendTextField(kBytes1, "type.googleapis.com/google.rpc.RetryInfo", any);
  AppendMessageField(kBytes2, retry_info, any);
  std::string out = StatusResponse(Format::kProtobuf, code, message);
  AppendMessageField(kBytes3, any, out);
  return out;
}

}  // namespace throughline::otlp
