#include "api/plain_text.h"

#include <utility>

#include "api/status.h"

namespace throughline::api {

Response PlainText(int status, std::string line) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(line);
  response.body += '\n';
  return response;
}

Response PlainText(const Error& error) {
  Response response = PlainText(HttpStatusOf(error.code), error.message);
  if (error.code == Errc::kOverloaded || error.code == Errc::kUnavailable) {
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  return response;
}

}  // namespace throughline::api
