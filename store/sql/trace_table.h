// The table trace: each trace that has spans, summarized. The times are effective ones
// (docs/concepts.md), as in the answers of the API.
#pragma once

#include <memory>

#include "store/sql/table.h"

namespace throughline::store::sql {

std::unique_ptr<Table> TraceTable(Source& source);  // `source` outlives it.

}  // namespace throughline::store::sql
