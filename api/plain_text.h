// Answers of one line of text: how Tempo tells what is wrong, and Grafana shows it as it is.
#pragma once

#include <string>

#include "api/http.h"
#include "correlate/result.h"

namespace throughline::api {

// "trace not found", with a newline behind. Never HTML.
Response PlainText(int status, std::string line);
// The error's own status and words; overloaded and unavailable carry Retry-After.
Response PlainText(const Error& error);

}  // namespace throughline::api
