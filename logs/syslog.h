// Syslog messages to log lines.
//
// RFC 5424 ("<34>1 2026-11-22T21:00:00Z host app 42 ORD [id k="v"] text"), RFC 3164 ("<34>Nov 22
// 21:16:04 host app[42]: text"), also with the ISO time that rsyslog writes into such a frame. What
// is neither is a line of text: nobody refuses a log message for its header. Without a valid PRI
// (0-191) the whole line is the text, and user.notice its priority.
//
// A line gets, by the names of the OpenTelemetry log data model (appendix A, RFC5424 Syslog):
//   time               TIMESTAMP. RFC 3164 writes neither year nor zone: UTC, and the year that
//                      brings it nearest to the arrival
//   severity           emerg 21, alert 19, crit 18, err 17, warning 13, notice 10, info 9, debug 5
//                      (appendix B); the word is the severity's text
//   service.name       APP-NAME, or the TAG before "[" or ":"; so the line states its service
//   host.name          HOSTNAME
//   syslog.facility    "kern", "user", ..., "local7"
//   syslog.procid, syslog.msgid
//   syslog.structured_data   a map of SD-ID to a map of its parameters
//   body               MSG, without a byte order mark, one space in front of it (rsyslog keeps that
//                      of RFC 3164's tag), and newlines and NULs behind it
// Header fields that are "-" are left out. A trace id is looked for in the structured data first,
// whatever the SD-ID, then in the text. Structured data that breaks the rules is text.
//
// A message with a time is identified by its content. One without is new each time it comes: nobody
// repeats syslog messages on purpose, so arrival and place tell them apart.
//
// Sources: RFC 5424 section 6, RFC 3164 sections 4 and 5.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::logs {

// Appends the lines of `messages`, which came together at `arrival_unix_ns`. Blank ones are passed
// by. What is kept is copied. kTooLarge: more messages than options.records_per_request.
Result<Decoded> DecodeSyslog(std::span<const std::string_view> messages,
                             std::uint64_t arrival_unix_ns, const DecodeOptions& options,
                             Batch& batch);

}  // namespace throughline::logs
