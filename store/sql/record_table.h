// The tables span, log and exemplar.
#pragma once

#include <memory>

#include "store/sql/table.h"

namespace throughline::store::sql {

// `source` outlives them.
std::unique_ptr<Table> SpanTable(Source& source);
std::unique_ptr<Table> LogTable(Source& source);
std::unique_ptr<Table> ExemplarTable(Source& source);

}  // namespace throughline::store::sql
