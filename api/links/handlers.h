// Our own lookups: /api/v1 (docs/api.md, api/links/openapi.yaml).
//
// Handlers are functions of a request, a store and a time; they run on a read thread and never
// wait. Waiting (?wait=) is the gateway's: it calls a handler again when a record has come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/http.h"
#include "correlate/store.h"

namespace throughline::api::links {

// A backend that holds the records too, for the ready queries of `locate`.
struct Backend {
  std::string name;  // As configured.
  std::string kind;  // loki, tempo, jaeger, elasticsearch, sql, grafana.
  std::string url;   // Base URL; may be empty: then queries carry no url.
};

struct Settings {
  std::uint64_t pending_wait_ns = 60'000'000'000;
  std::uint64_t locate_padding_ns = 60'000'000'000;  // Around first and last record.
  // How far back explain looks for a baseline, before it looks at earlier days.
  std::uint64_t explain_lookback_ns = 6ULL * 3600 * 1'000'000'000;
  std::vector<Backend> backends;
  std::size_t default_limit = 100;
  std::size_t max_limit = 10'000;
  std::size_t resolve_items = 100'000;  // ids and lines in one POST /resolve.
  std::size_t query_traces = 100'000;   // That one TraceQL query, or search of Jaeger's, looks at.
  std::size_t query_series = 1000;      // Of one metric of TraceQL's or LogQL's.
  std::size_t tag_traces = 1000;        // That one list of tags or of their values looks at.
  // Of one query of Prometheus' API: exemplars read, and of those answered.
  std::size_t exemplars_read = 100'000;
  std::size_t exemplars_answered = 5'000;
  // Of one query of Loki's API: lines read, and for lists of labels fewer.
  std::size_t lines_read = 500'000;
  std::size_t label_lines = 50'000;
  std::size_t health_lookups = 20'000;  // Of ids, in one GET /links/health, or GET /coverage.
  bool unlinked_kept = false;           // logs.keep_unlinked: what has no trace id is stored too.
};

class PathMinutes;

struct Context {
  const Store& store;
  const Settings& settings;
  std::uint64_t now_unix_ns;
  PathMinutes* path_minutes = nullptr;  // Null: none are kept.
};

Response Locate(const Request& request, const Context& context);         // GET /locate/{id}
Response GetTrace(const Request& request, const Context& context);       // GET /traces/{id}
Response FindTraces(const Request& request, const Context& context);     // GET /traces
Response FindLogs(const Request& request, const Context& context);       // GET /logs
Response FindExemplars(const Request& request, const Context& context);  // GET /exemplars
Response FindGauges(const Request& request, const Context& context);     // GET /gauges
Response Resolve(const Request& request, const Context& context);        // POST /resolve
Response Services(const Request& request, const Context& context);       // GET /services
Response Operations(const Request& request,
                    const Context& context);  // GET /services/{s}/operations
Response ExplainWindow(const Request& request, const Context& context);      // POST /explain
Response Health(const Request& request, const Context& context);             // GET /links/health
Response FindCoverage(const Request& request, const Context& context);       // GET /coverage
Response Decisions(const Request& request, const Context& context);          // GET /decisions/{id}
Response CompareSelections(const Request& request, const Context& context);  // POST /compare
Response CriticalPaths(const Request& request, const Context& context);      // GET /critical-path
Response Dependencies(const Request& request, const Context& context);       // GET /dependencies
Response OpenApi(const Request& request, const Context& context);            // GET /openapi.yaml

}  // namespace throughline::api::links
