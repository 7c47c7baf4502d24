// Answers of doors whose senders print what they are told: text instead of a problem document.
#pragma once

#include "api/http.h"
#include "correlate/result.h"

namespace throughline::gateway::doors {

// The status and Retry-After of `error`, its message as the body.
api::Response PlainFailure(const api::Request& head, const Error& error);

// `status` without a body.
api::Response Empty(int status);

}  // namespace throughline::gateway::doors
