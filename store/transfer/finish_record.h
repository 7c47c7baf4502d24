// What all readers of import do with a record whose fields are read: check its ids, give it its
// identity and append it to the batch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "correlate/batch.h"

namespace throughline::store::transfer {

// Each gives why the record is none; empty: it stands in the batch.
std::string Finish(Span& span, const DecodeOptions& options, Batch& batch);
// Without `identity` it is that of the content; where that has neither a time nor an attribute,
// `place` takes part in it.
std::string Finish(LogLine& line, std::optional<std::uint64_t> identity, std::uint64_t place,
                   const DecodeOptions& options, Batch& batch);
std::string Finish(Exemplar& exemplar, const DecodeOptions& options, Batch& batch);
std::string Finish(GaugePoint& point, const DecodeOptions& options, Batch& batch);

}  // namespace throughline::store::transfer
