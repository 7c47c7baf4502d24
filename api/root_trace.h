// GET /api/traces/{id} at the root, which is Tempo's where protobuf is asked for, else Jaeger's.
#pragma once

#include "api/http.h"
#include "api/links/handlers.h"

namespace throughline::api {

Response GetRootTrace(const Request& request, const links::Context& context);

}  // namespace throughline::api
