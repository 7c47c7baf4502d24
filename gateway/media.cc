#include "gateway/media.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace throughline::gateway {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return lower;
}

constexpr std::string_view kJsonSpace = " \t\r\n";

// The first byte that is no white space; 0: none.
char FirstByte(std::string_view body) {
  const std::size_t at = body.find_first_not_of(kJsonSpace);
  return at == std::string_view::npos ? '\0' : body[at];
}

// True where `body` begins with an object that does not end on the line it begins on.
bool SpansLines(std::string_view body) {
  const std::size_t begin = body.find_first_not_of(kJsonSpace);
  const std::string_view line = body.substr(begin, body.find('\n', begin) - begin);
  const std::size_t last = line.find_last_not_of(kJsonSpace);
  return line[last] != '}';
}

constexpr std::array<std::string_view, 4> kNdjsonTypes = {
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"};

bool IsNdjson(std::string_view type) {
  return std::find(kNdjsonTypes.begin(), kNdjsonTypes.end(), type) != kNdjsonTypes.end();
}

// Names of Loki push and OTLP logs at the top level, for telling a record from an envelope.
bool HasTopLevelKey(std::string_view body, std::string_view quoted_key) {
  // The first key of the object: what envelopes have only one of.
  const std::size_t brace = body.find('{');
  const std::size_t key = body.find_first_not_of(kJsonSpace, brace + 1);
  return key != std::string_view::npos && body.substr(key, quoted_key.size()) == quoted_key;
}

}  // namespace

std::string MediaTypeOf(std::string_view content_type) {
  return Lower(Trim(content_type.substr(0, content_type.find(';'))));
}

std::string MediaParameterOf(std::string_view content_type, std::string_view name) {
  std::size_t at = content_type.find(';');
  while (at < content_type.size()) {
    const std::size_t end = std::min(content_type.find(';', at + 1), content_type.size());
    const std::string_view parameter = content_type.substr(at + 1, end - at - 1);
    at = end;
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || Lower(Trim(parameter.substr(0, equals))) != name) {
      continue;
    }
    std::string_view value = Trim(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value);
  }
  return {};
}

std::optional<otlp::Format> OtlpFormatOf(std::string_view content_type) {
  if (content_type == "application/x-protobuf") return otlp::Format::kProtobuf;  // The usual.
  const std::string type = MediaTypeOf(content_type);
  if (type == "application/x-protobuf") return otlp::Format::kProtobuf;
  if (type == "application/json") return otlp::Format::kJson;
  return std::nullopt;
}

bool IsLinesType(std::string_view content_type) {
  const std::string type = MediaTypeOf(content_type);
  return type.empty() || type == "application/json" || type == "text/plain" ||
         type == "application/x-www-form-urlencoded" || IsNdjson(type);
}

logs::LineFormat LineFormatOf(std::string_view content_type, Body& body) {
  const std::string type = MediaTypeOf(content_type);
  const char first = FirstByte(body.view());
  if (type == "text/plain") return logs::LineFormat::kText;
  if (IsNdjson(type)) return logs::LineFormat::kNdjson;
  if (type != "application/json") {  // Not said: only an object can be told from text.
    return first == '{' ? logs::LineFormat::kNdjson : logs::LineFormat::kText;
  }
  if (first == '[') return logs::LineFormat::kJsonArray;
  if (first != '{' || !SpansLines(body.view())) return logs::LineFormat::kNdjson;
  Body array(body.size() + 2 + Body::kPadding);
  array.data()[0] = '[';
  std::memcpy(array.data() + 1, body.data(), body.size());
  array.data()[body.size() + 1] = ']';
  array.set_size(body.size() + 2);
  body = std::move(array);
  return logs::LineFormat::kJsonArray;
}

std::optional<logs::EnrichShape> EnrichShapeOf(std::string_view content_type,
                                               std::string_view body) {
  using logs::EnrichShape;
  const std::string type = MediaTypeOf(content_type);
  if (type == "application/x-protobuf") return EnrichShape::kOtlpProtobuf;
  if (IsNdjson(type)) return EnrichShape::kNdjson;
  if (type != "application/json" && !type.empty() && type != "application/x-www-form-urlencoded") {
    return std::nullopt;
  }
  const char first = FirstByte(body);
  if (first == '[') return EnrichShape::kJsonArray;
  if (first != '{') return EnrichShape::kNdjson;
  if (HasTopLevelKey(body, "\"streams\"")) return EnrichShape::kLokiPush;
  if (HasTopLevelKey(body, "\"resourceLogs\"")) return EnrichShape::kOtlpJson;
  if (SpansLines(body)) return EnrichShape::kJsonObject;
  const std::size_t line_end = std::min(body.find('\n', body.find('{')), body.size());
  const bool more = FirstByte(body.substr(line_end)) != '\0';
  return more ? EnrichShape::kNdjson : EnrichShape::kJsonObject;
}

Result<exemplars::ExpositionFormat> ExpositionFormatOf(std::string_view content_type) {
  const std::string type = MediaTypeOf(content_type);
  if (type == "application/openmetrics-text") return exemplars::ExpositionFormat::kOpenMetrics;
  if (type.empty() || type == "text/plain") return exemplars::ExpositionFormat::kText;
  if (type == "application/vnd.google.protobuf" &&
      MediaParameterOf(content_type, "proto") == "io.prometheus.client.MetricFamily" &&
      MediaParameterOf(content_type, "encoding") == "delimited") {
    return exemplars::ExpositionFormat::kProtobuf;
  }
  return Error{Errc::kUnsupported,
               "content-type is \"" + std::string(content_type) +
                   "\", want application/openmetrics-text, text/plain or "
                   "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                   "encoding=delimited"};
}

bool AcceptsGzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const std::size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string item = Lower(Trim(accept_encoding.substr(0, comma)));
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    const std::size_t semicolon = item.find(';');
    const std::string_view coding = Trim(std::string_view(item).substr(0, semicolon));
    if (coding != "gzip" && coding != "*") continue;
    const std::size_t q = semicolon == std::string::npos ? semicolon : item.find("q=", semicolon);
    if (q == std::string::npos) return true;
    return item.find_first_not_of("0. ", q + 2) != std::string::npos;
  }
  return false;
}

}  // namespace throughline::gateway
