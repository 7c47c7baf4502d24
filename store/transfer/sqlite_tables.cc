#include "store/transfer/sqlite_tables.h"

#include <algorithm>

namespace throughline::store::transfer {

// Columns of values have no type: REAL would make an integer of -0.0, and a double of an integer.
const char* const kCreateTables = R"(
CREATE TABLE span(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_span_id TEXT,
  service TEXT, name TEXT NOT NULL, kind INTEGER NOT NULL,
  start_unix_ns INTEGER NOT NULL, end_unix_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL,
  status_code INTEGER NOT NULL, status_message TEXT, flags INTEGER NOT NULL, trace_state TEXT,
  attributes TEXT, events TEXT, links TEXT,
  resource TEXT, resource_service TEXT,
  scope_name TEXT, scope_version TEXT, scope_attributes TEXT, arrival_unix_ns INTEGER);
CREATE TABLE log(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, trace_id TEXT, span_id TEXT,
  time_unix_ns INTEGER, observed_unix_ns INTEGER, service TEXT,
  severity_number INTEGER NOT NULL, severity_text TEXT, event_name TEXT,
  body TEXT, body_json TEXT, flags INTEGER NOT NULL, attributes TEXT,
  found_by TEXT NOT NULL, sampled INTEGER, related TEXT, identity TEXT,
  resource TEXT, resource_service TEXT,
  scope_name TEXT, scope_version TEXT, scope_attributes TEXT, arrival_unix_ns INTEGER);
CREATE TABLE exemplar(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, trace_id TEXT, span_id TEXT, time_unix_ns INTEGER, service TEXT,
  metric TEXT NOT NULL, unit TEXT, metric_type TEXT NOT NULL, value, le,
  labels TEXT, attributes TEXT,
  resource TEXT, resource_service TEXT,
  scope_name TEXT, scope_version TEXT, scope_attributes TEXT, arrival_unix_ns INTEGER);
CREATE TABLE gauge(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, time_unix_ns INTEGER, service TEXT,
  metric TEXT NOT NULL, unit TEXT, metric_type TEXT NOT NULL, value, labels TEXT,
  resource TEXT, resource_service TEXT, arrival_unix_ns INTEGER);
CREATE TABLE export_state(id INTEGER PRIMARY KEY, state TEXT NOT NULL);
)";

const char* const kFinishTables = R"(
CREATE INDEX span_trace_id ON span(trace_id);
CREATE INDEX span_time ON span(start_unix_ns);
CREATE INDEX log_trace_id ON log(trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX log_time ON log(time_unix_ns);
CREATE INDEX exemplar_trace_id ON exemplar(trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX exemplar_time ON exemplar(time_unix_ns);
CREATE INDEX gauge_time ON gauge(time_unix_ns);
CREATE VIEW link(trace_id, kind, time, service, tenant) AS
  SELECT trace_id, 'span', start_unix_ns, service, tenant FROM span
  UNION ALL
  SELECT trace_id, 'log', coalesce(time_unix_ns, observed_unix_ns, arrival_unix_ns), service,
         tenant FROM log WHERE trace_id IS NOT NULL
  UNION ALL
  SELECT trace_id, 'exemplar', coalesce(time_unix_ns, arrival_unix_ns), service, tenant
    FROM exemplar WHERE trace_id IS NOT NULL;
DROP TABLE export_state;
)";

std::string InsertInto(std::string_view table, std::string_view columns) {
  std::string sql = "INSERT INTO ";
  sql.append(table).append("(").append(columns).append(") VALUES(?");
  const auto commas = std::count(columns.begin(), columns.end(), ',');
  for (auto i = commas; i > 0; --i) sql += ",?";
  return sql + ")";
}

std::string SelectFrom(std::string_view table, std::string_view columns) {
  std::string sql = "SELECT id, ";
  sql.append(columns).append(" FROM ").append(table).append(" WHERE id > ? ORDER BY id");
  return sql;
}

}  // namespace throughline::store::transfer
