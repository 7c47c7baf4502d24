// Between the conditions of a query, as SQLite's planner gives them, and Wanted.
//
// A plan travels in SQLite's idxStr, in words that EXPLAIN QUERY PLAN shows: "trace_id=" for one
// that was pushed down, in the order of their values; "newest first" behind them where rows come
// so.
#pragma once

#include <string>
#include <string_view>

#include "store/sql/table.h"
#include "store/sql/wanted.h"

struct sqlite3_index_info;
struct sqlite3_value;

namespace throughline::store::sql {

// Chooses what is pushed down, and says what it costs. The text of the plan; `info` has the rest.
std::string PlanFor(const Table& table, sqlite3_index_info& info);

// `values` has one for each word of the plan that has an operator.
Wanted WantedBy(const Table& table, std::string_view plan, sqlite3_value** values);

}  // namespace throughline::store::sql
