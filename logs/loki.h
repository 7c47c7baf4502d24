// Loki's push API to lines: POST /loki/api/v1/push in JSON (both shapes) and in protobuf.
//
//   {"streams": [{"stream": {"app": "a"}, "values": [["1700000000000000000", "line", {"k":
//   "v"}]]}]}
//   {"streams": [{"labels": "{app=\"a\"}", "entries": [{"ts": "2026-01-24T12:00:00Z", "line":
//   "x"}]}]} logproto.PushRequest, already uncompressed (senders use snappy and say nothing of it)
//
// A stream's labels are the attributes of a resource, shared by its entries, and structured
// metadata are attributes of the line. The line is text. Its trace id is looked for in the
// metadata, then in the labels, then in the text. Its time is the entry's, as sent (a number is
// taken too, and a negative one is no time). Its service is what the labels or else the metadata
// state (service_name, service, app, ...), its severity what metadata or labels call level,
// detected_level or severity; both stay attributes.
//
// An entry that cannot be read costs only itself, and a stream whose labels cannot be read all of
// its entries: they are rejected, as in Loki, which stores the others and answers 400. Labels
// without any pair and names that Loki would refuse are taken. Bytes of a text that are no UTF-8
// become U+FFFD.
//
// kInvalidArgument where the body as a whole is none: broken JSON or protobuf, streams that are no
// array. kTooLarge: over options.records_per_request.
// Sources: Loki 3.x docs "Ingest logs"; pkg/loghttp/push, pkg/loghttp/legacy; pkg/push/push.proto.
#pragma once

#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::logs {

Result<Decoded> DecodeLokiJson(std::string_view bytes, const DecodeOptions& options, Batch& batch);
Result<Decoded> DecodeLokiProto(std::string_view bytes, const DecodeOptions& options, Batch& batch);

}  // namespace throughline::logs
