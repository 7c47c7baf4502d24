// What OTLP has no place for, kept in a field of its own in each record: any reader of protobuf
// passes by a field that it does not know, so the files stay what every OTLP tool reads, and an
// import of our own gets everything back.
//
// A record that has nothing to add has no such field. Records are matched by their order: decoders
// keep it, and what export writes they never reject.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "wire/protobuf_writer.h"

namespace throughline::store::transfer {

// In Resource, Span, LogRecord, Exemplar and NumberDataPoint. No proto of OTLP comes near it, and
// it is in the range that protobuf leaves to the use inside an organisation.
inline constexpr std::uint32_t kExtraField = 54'318;

enum class Signal : std::uint8_t { kTraces, kLogs, kMetrics };

void PutExtra(const Resource& resource, const Batch& batch, wire::ProtoWriter& proto);
void PutExtra(const Span& span, wire::ProtoWriter& proto);
void PutExtra(const LogLine& line, const Batch& batch, wire::ProtoWriter& proto);
void PutExtra(const Exemplar& exemplar, const Batch& batch, wire::ProtoWriter& proto);
void PutExtra(const GaugePoint& point, const Batch& batch, wire::ProtoWriter& proto);

// Puts the extras of a request into the records that a decoder made of it, which are all that the
// batch holds. Requests of others have none, and stay as they are. kInvalidArgument: it has some,
// and not a record for each.
Result<void> ApplyExtras(Signal signal, std::string_view request, std::uint64_t hash_seed,
                         Batch& batch);

}  // namespace throughline::store::transfer
