#include "api/links/report_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "api/links/render.h"
#include "api/time_text.h"

namespace throughline::api::links {

std::string Plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool second = i + 1 < text.size();
    if (byte < 0x20 || byte == 0x7f) {
      out += '?';
    } else if (byte == 0xc2 && second && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      out += '?';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string Fixed(double value, int digits) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%.*f", digits, value);
  return std::string(text, static_cast<std::size_t>(std::max(size, 0)));
}

std::string Duration(double ns) {
  if (ns >= 1e9) return Fixed(ns / 1e9, 2) + " s";
  return Fixed(ns / 1e6, ns >= 1e7 ? 0 : 1) + " ms";
}

std::string ShortDuration(std::uint64_t ns) {
  const auto value = static_cast<double>(ns);
  return ns >= 1'000'000'000 ? Fixed(value / 1e9, 1) + " s" : Duration(value);
}

std::string Percent(double share) { return Fixed(100 * share, 0) + " %"; }

std::string Count(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string Moment(std::uint64_t unix_ns) {
  std::string iso;
  AppendIsoTime(unix_ns, iso);
  if (iso.size() > 19) iso[10] = ' ';
  return iso.substr(0, 19) + "Z";
}

bool WantsText(const Request& request, Parameters& parameters) {
  const std::string_view accept = request.Header("accept");
  const bool accepts_text =
      accept.find("text/plain") != accept.npos && accept.find("json") == accept.npos;
  return parameters.Word("format", {"json", "text"}, accepts_text ? 1 : 0) == 1;
}

Response TextAnswer(std::string text) {
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

std::uint64_t Ns(double value) {
  return value > 0 ? static_cast<std::uint64_t>(std::llround(value)) : 0;
}

std::int64_t SignedNs(double value) { return std::llround(value); }

double Rounded(double value) { return std::round(value * 1e6) / 1e6; }

void WriteTraceIds(wire::JsonWriter& json, const std::vector<TraceId>& ids) {
  json.Key("trace_ids").BeginArray();
  for (const TraceId id : ids) WriteId(json, id);
  json.EndArray();
}

void WriteNullable(wire::JsonWriter& json, const std::string& text) {
  if (text.empty()) {
    json.Null();
  } else {
    json.String(text);
  }
}

void WriteWindowTimes(wire::JsonWriter& json, const TimeSpan& window) {
  WriteTime(json, "start_unix_nano", "start", window.start_unix_ns);
  WriteTime(json, "end_unix_nano", "end", window.end_unix_ns);
}

}  // namespace throughline::api::links
