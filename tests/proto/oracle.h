// Compares the protobuf decoders of OTLP with the official classes.
//
// The property: on every request that protobuf accepts, our decoder gives the same records with the
// same fields, or refuses it for one of the few things in which we are stricter (a known field of
// another wire type, which the Go parsers refuse too; varints over 64 bits). A difference stops the
// process.
#pragma once

#include <string_view>

#include <google/protobuf/repeated_ptr_field.h>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "opentelemetry/proto/common/v1/common.pb.h"
#include "opentelemetry/proto/resource/v1/resource.pb.h"

namespace throughline::oracle {

// Each decodes `bytes` both ways and compares. False: protobuf refuses them.
bool CompareTraces(std::string_view bytes);
bool CompareMetrics(std::string_view bytes);
bool CompareLogs(std::string_view bytes);

// The options that all comparisons use.
DecodeOptions ComparedOptions();

// True for the errors that protobuf need not share.
bool IsStricter(const Error& error);

using KeyValues = google::protobuf::RepeatedPtrField<opentelemetry::proto::common::v1::KeyValue>;

void CheckSame(const KeyValues& wanted, Range range, const Batch& batch);
void CheckSame(const opentelemetry::proto::common::v1::AnyValue& wanted,
               std::string_view any_value);
// `wanted` is null where the message is absent.
void CheckSame(const opentelemetry::proto::resource::v1::Resource* wanted, std::uint32_t index,
               const Batch& batch);
void CheckSame(const opentelemetry::proto::common::v1::InstrumentationScope* wanted,
               std::uint32_t index, const Batch& batch);

// What becomes of id bytes, said independently of the decoders.
enum class IdKind { kValid, kRepaired, kAbsent, kBroken };
IdKind KindOf(std::string_view bytes, std::size_t wanted_size);
// The id as 32 or 16 hexadecimal digits; kValid and kRepaired only.
std::string HexOf(std::string_view bytes, std::size_t wanted_size);

}  // namespace throughline::oracle
