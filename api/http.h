// Requests and answers as the handlers see them: no sockets, no streams.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/batch.h"
#include "correlate/scope.h"

namespace throughline::api {

struct Request {
  std::string method;
  std::string path;                                          // Percent-decoded, without the query.
  std::vector<std::pair<std::string, std::string>> query;    // Percent-decoded, in order.
  std::vector<std::pair<std::string, std::string>> headers;  // Names in lower case.
  std::vector<std::string> captures;                         // Of the route's {placeholders}.
  Body body;                                                 // Inflated.
  std::string target;  // As sent, path and query, where an upstream has the path; else empty.
  // What the upstream answered to the same request, or why it did not; both empty: not asked.
  std::string upstream_body;
  std::string upstream_failure;
  std::string base_url;  // "http://127.0.0.1:4380", for links.
  Scope scope;
  std::uint64_t arrival_unix_ns = 0;  // When its body was there; 0: not known.

  // The first of that name; empty when absent.
  std::string_view Header(std::string_view lower_case_name) const;
  std::optional<std::string_view> Query(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

}  // namespace throughline::api
