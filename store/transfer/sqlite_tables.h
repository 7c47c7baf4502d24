// The tables of the SQLite form: one place for what writer and reader must agree on.
//
// Times are nanoseconds since 1970 as INTEGER: one after 2262 shows negative, and reads back as it
// was. NULL is "not sent", "no id", or empty text where only that makes sense.
#pragma once

#include <string>
#include <string_view>

namespace throughline::store::transfer {

// Where the resource came from, and the scope, in the order of the columns of every table.
#define TL_RESOURCE_COLUMNS "resource, resource_service"
#define TL_SCOPE_COLUMNS "scope_name, scope_version, scope_attributes"

// In the order in which they are bound and read, after the id.
inline constexpr std::string_view kSpanColumns =
    "tenant, arrival_unix_ns, service, " TL_RESOURCE_COLUMNS ", " TL_SCOPE_COLUMNS
    ", trace_id, span_id, parent_span_id, name, kind, start_unix_ns, end_unix_ns, duration_ns, "
    "status_code, status_message, flags, trace_state, attributes, events, links";
inline constexpr std::string_view kLogColumns =
    "tenant, arrival_unix_ns, service, " TL_RESOURCE_COLUMNS ", " TL_SCOPE_COLUMNS
    ", trace_id, span_id, time_unix_ns, observed_unix_ns, severity_number, severity_text, "
    "event_name, body, body_json, flags, attributes, found_by, sampled, related, identity";
inline constexpr std::string_view kExemplarColumns =
    "tenant, arrival_unix_ns, service, " TL_RESOURCE_COLUMNS ", " TL_SCOPE_COLUMNS
    ", trace_id, span_id, time_unix_ns, metric, unit, metric_type, value, le, labels, attributes";
inline constexpr std::string_view kGaugeColumns =
    "tenant, arrival_unix_ns, service, " TL_RESOURCE_COLUMNS
    ", time_unix_ns, metric, unit, metric_type, value, labels";

#undef TL_RESOURCE_COLUMNS
#undef TL_SCOPE_COLUMNS

// "INSERT INTO span(...) VALUES(?,...)".
std::string InsertInto(std::string_view table, std::string_view columns);
// "SELECT id, ... FROM span WHERE id > ? ORDER BY id".
std::string SelectFrom(std::string_view table, std::string_view columns);

// Creates the tables, and the one that keeps the state of the export while it goes on.
extern const char* const kCreateTables;
// Creates the indexes and the view `link`, and drops the state.
extern const char* const kFinishTables;

}  // namespace throughline::store::transfer
