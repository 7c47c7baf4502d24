// The envelope of Jaeger's v1 answers, and the errors of both versions.
#pragma once

#include <cstddef>
#include <string_view>

#include "api/http.h"
#include "correlate/result.h"
#include "wire/json_writer.h"

namespace throughline::api::jaeger {

// Between the two the caller writes one value: the data.
void BeginData(wire::JsonWriter& json);
void EndData(std::size_t total, wire::JsonWriter& json);

// {"data": null, ..., "errors": [{"code": 404, "msg": "..."}]}, with the status of the error.
Response Failure(const Error& error);
// {"error": {"httpCode": 404, "message": "..."}}.
Response FailureV3(const Error& error);

}  // namespace throughline::api::jaeger
