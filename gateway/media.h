// Media types and codings: what a request's body is, and what its sender would like back.
//
// Source: RFC 9110 sections 8.3 (Content-Type), 8.4 (Content-Encoding), 12.5.3 (Accept-Encoding).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "exemplars/exposition.h"
#include "logs/enrich.h"
#include "logs/lines.h"
#include "otlp/response.h"

namespace throughline::gateway {

// "Application/JSON; charset=utf-8" -> "application/json".
std::string MediaTypeOf(std::string_view content_type);

// The value of a parameter (its name in lower case), without quotes; empty: there is none.
// "application/x-protobuf; proto=a.B" has "a.B" for "proto".
std::string MediaParameterOf(std::string_view content_type, std::string_view name);

// application/x-protobuf or application/json.
std::optional<otlp::Format> OtlpFormatOf(std::string_view content_type);

// True for what POST /api/v1/logs reads: JSON, NDJSON and text in their usual names, no type at
// all, and curl's default for --data-binary.
bool IsLinesType(std::string_view content_type);

// How to read the lines of a body of that type. One JSON object that spans several lines is put
// between brackets, as an array of one.
logs::LineFormat LineFormatOf(std::string_view content_type, Body& body);

// The shape of a body for POST /api/v1/enrich, by its type and, for JSON, its content; nullopt:
// not one that anybody here reads.
std::optional<logs::EnrichShape> EnrichShapeOf(std::string_view content_type,
                                               std::string_view body);

// Which exposition of metrics a body is: OpenMetrics, Prometheus' protobuf (delimited) or its text
// (also text/plain of no version, and no type at all). kUnsupported for others.
Result<exemplars::ExpositionFormat> ExpositionFormatOf(std::string_view content_type);

bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace throughline::gateway
