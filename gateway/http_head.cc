#include "gateway/http_head.h"

#include <array>
#include <charconv>

namespace throughline::gateway {

namespace {

std::string_view WordsOf(int version) { return version == 10 ? "HTTP/1.0 " : "HTTP/1.1 "; }

void AppendHeader(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  out += ": ";
  for (const char c : value) out += static_cast<unsigned char>(c) < ' ' || c == 127 ? ' ' : c;
  out += "\r\n";
}

void AppendNumber(std::size_t value, std::string& out) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

const char* ReasonPhrase(int status) {
  switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

}  // namespace

void FormatHead(const api::Response& response, int version, bool keep, bool has_body,
                std::string_view date, std::string& out) {
  out.clear();
  out += WordsOf(version);
  AppendNumber(static_cast<std::size_t>(response.status), out);
  out += ' ';
  out += ReasonPhrase(response.status);
  out += "\r\n";
  if (has_body) {
    if (!response.content_type.empty()) AppendHeader("Content-Type", response.content_type, out);
    out += "Content-Length: ";
    AppendNumber(response.body.size(), out);
    out += "\r\n";
  }
  out += date;
  if (!keep) {
    out += "Connection: close\r\n";
  } else if (version == 10) {
    out += "Connection: keep-alive\r\n";
  }
  for (const auto& [name, value] : response.headers) AppendHeader(name, value, out);
  out += "\r\n";
}

}  // namespace throughline::gateway
