// Each error code's HTTP and gRPC status, and the problem document (RFC 9457) that tells of it.
#pragma once

#include <string>
#include <string_view>

#include "api/http.h"
#include "correlate/result.h"

namespace throughline::api {

// A client that comes back later than this loses little; sooner, and the queue is as full as it was.
// Told with kOverloaded and kUnavailable: Retry-After, google.rpc.RetryInfo.
inline constexpr int kRetryAfterSeconds = 1;

int HttpStatusOf(Errc code);
int GrpcStatusOf(Errc code);

// application/problem+json: type (stable: "/problems/<code>"), title, status, detail. Overloaded
// and unavailable carry Retry-After. `extra_members` is JSON to append ("\"state\":\"expired\""),
// or empty.
Response Problem(const Error& error, std::string_view extra_members = {});

// The same for statuses that are no error code of the domain (404 unknown path, 405, 406, 431).
Response HttpProblem(int status, std::string_view slug, std::string detail);

}  // namespace throughline::api
