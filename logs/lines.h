// Log lines as shippers and people post them: NDJSON, one JSON array, or plain text lines.
//
// A JSON object gives its text from `log`, `message`, `msg` or `body`; its time from `time`,
// `timestamp`, `ts` or `@timestamp` (RFC 3339, or an epoch by its magnitude); its severity from
// `level`, `severity`, `severity_text` or `log.level` (names and pino's numbers), else from the
// `level` of an object `log`, which stays an attribute; its service from `service.name`,
// `service_name`, `service`, `app` or the Kubernetes labels. All of its fields but text, time and
// severity become attributes. Its trace id is looked for in its fields at any depth,
// then in its text. Names of text, time and severity count in any case; the first of each list that
// serves is taken and the others stay attributes; without a text the body is the whole object.
//
// NDJSON is cut at newlines and each line parsed by itself: one that the parser refuses is a text
// line. NUL bytes in front of a line are left out: logrotate's copytruncate makes them. In an
// array, an item that is a string is a text line; where the body is no array but objects one after
// the other, they are taken as one.
//
// A line without a time is identified by its request and its place there, so that equal lines of
// one request are all kept and a repeated request adds none. Lines read from a file are identified
// by the file, their offset and their content, with a time or without, however they are cut into
// requests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/ids.h"
#include "correlate/result.h"

namespace throughline::logs {

enum class LineFormat { kNdjson, kJsonArray, kText };

// Where lines were read from. Not for kJsonArray.
struct LineSource {
  std::uint64_t id = 0;      // Of the file, for ever; 0: from nowhere that has places.
  std::uint64_t offset = 0;  // Of the first byte.
};

// kInvalidArgument only for kJsonArray, with the offset; lines cost only themselves.
// `bytes` must be followed by Body::kPadding readable bytes.
Result<Decoded> DecodeLines(std::string_view bytes, LineFormat format, const DecodeOptions& options,
                            Batch& batch, const LineSource& source = {});

// Severity: OTLP's number of a name ("warn", "WARNING", "Err", ...) or of pino's 10..60; 0:
// unknown.
std::uint32_t SeverityNumberOf(std::string_view text);

// RFC 3339 (also with a space for the T and with a comma before the fraction), or an epoch in s,
// ms, us or ns by its magnitude, to ns; 0: neither.
std::uint64_t ParseTime(std::string_view text);

}  // namespace throughline::logs
