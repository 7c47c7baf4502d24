// A blocking HTTP client for the client commands and the demo, over libcurl.
//
// One connection is kept open and used again. One thread at a time. An answer of any status is a
// value; the error is that no answer came (kUnavailable), or one that is over the bound
// (kTooLarge).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/result.h"

namespace throughline::gateway {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;              // Inflated.
  long retry_after_seconds = 0;  // 0: not said.
};

class HttpClient {
 public:
  struct Limits {
    long connect_timeout_ms = 3'000;
    long timeout_ms = 30'000;  // Of a whole call.
    std::size_t answer_bytes = 256U << 20U;
  };
  // `give_up` is asked during a call, about once a second; true ends it. May be empty.
  explicit HttpClient(const Limits& limits, std::function<bool()> give_up);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Result<HttpAnswer> Get(const std::string& url, const HttpHeaders& headers);
  Result<HttpAnswer> Post(const std::string& url, const HttpHeaders& headers,
                          std::string_view body);
  Result<HttpAnswer> Delete(const std::string& url, const HttpHeaders& headers);

 private:
  struct Handle;
  Result<HttpAnswer> Perform(const std::string& url, const HttpHeaders& headers);

  Limits limits_;
  std::function<bool()> give_up_;
  std::unique_ptr<Handle> handle_;
};

// Percent-encodes everything but RFC 3986's unreserved characters.
std::string PercentEncode(std::string_view text);

// `base` + `path` + the query; parameters with an empty value are left out.
std::string UrlOf(std::string_view base, std::string_view path,
                  const std::vector<std::pair<std::string, std::string>>& query);

}  // namespace throughline::gateway
