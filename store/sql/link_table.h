// The table link: each record that carries a trace id, in one line. Columns as the view of the
// SQLite form of export has them.
#pragma once

#include <memory>

#include "store/sql/table.h"

namespace throughline::store::sql {

std::unique_ptr<Table> LinkTable(Source& source);  // `source` outlives it.

}  // namespace throughline::store::sql
