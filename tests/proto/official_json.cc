#include "tests/proto/official_json.h"

#include <string_view>

#include <google/protobuf/util/json_util.h>

#include "correlate/check.h"
#include "otlp/base64.h"

namespace throughline::samples {
namespace {

std::string IdText(std::string_view base64) {
  std::string bytes;
  TL_CHECK(otlp::DecodeBase64(base64, bytes));
  if (bytes.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos) return bytes;
  std::string text;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

// Quotes inside of strings are escaped, so that `"name":"` is never text.
void RewriteIds(std::string_view name, std::string& json) {
  const std::string before = '"' + std::string(name) + "\":\"";
  for (std::size_t at = json.find(before); at != std::string::npos; at = json.find(before, at)) {
    at += before.size();
    const std::size_t size = json.find('"', at) - at;
    json.replace(at, size, IdText(std::string_view(json).substr(at, size)));
  }
}

}  // namespace

std::string OfficialJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_enums_as_ints = true;
  std::string json;
  TL_CHECK(google::protobuf::util::MessageToJsonString(message, &json, options).ok());
  for (const char* const name : {"traceId", "spanId", "parentSpanId"}) RewriteIds(name, json);
  return json;
}

}  // namespace throughline::samples
