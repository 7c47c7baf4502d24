// What a query asks of one table, as far as the store can look it up by it.
//
// More rows may be given than are wanted: SQLite looks at every condition itself. So nothing here
// has to be exact, but for what it leaves out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "correlate/query.h"
#include "correlate/trace_id.h"

namespace throughline::store::sql {

// What columns of tables mean to a lookup.
enum class Key : std::uint8_t {
  kTraceId,   // = as 32 lower-case hexadecimal digits: one lookup.
  kTenant,    // =
  kKind,      // = : of links.
  kTime,      // = < <= > >= : of the record.
  kService,   // =
  kName,      // = : of spans; of exemplars the metric.
  kStatus,    // =
  kDuration,  // = > >=
  kSeverity,  // = > >=
};

struct Wanted {
  bool nothing = false;  // No row can be.
  std::optional<TraceId> trace_id = {};
  std::optional<std::string> tenant = {};
  std::optional<std::string> kind = {};
  TimeRange time = {};
  std::optional<std::string> service = {};
  std::optional<std::string> name = {};
  std::optional<std::uint32_t> status_code = {};
  std::uint64_t min_duration_ns = 0;
  std::uint32_t min_severity_number = 0;
  bool newest_first = false;  // Rows have to come so.
  std::size_t limit = 0;      // So many rows will be enough, it seems; 0: not known.
};

}  // namespace throughline::store::sql
