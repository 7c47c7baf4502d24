// What /tail answers: the newest lines that are there, then lines as they are stored.
//
// Its parts, without the websocket that it goes out by (gateway/tails.h). The lines of a batch that
// was stored since are ScanBatch's (scan.h).
// Source: grafana.com/docs/loki/latest/reference/loki-http-api, "Stream logs".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/http.h"
#include "api/links/handlers.h"
#include "api/loki/pipeline.h"
#include "api/query/logql.h"
#include "correlate/result.h"
#include "correlate/scope.h"

namespace throughline::api::loki {

inline constexpr std::chrono::seconds kMostTailDelay{5};  // Of delay_for; Loki's own bound.

struct TailQuery {
  query::LogSelection selection;
  std::uint64_t start_unix_ns = 0;  // Lines that are there are shown from here; an hour ago.
  std::size_t limit = 100;          // Of these.
  std::chrono::seconds delay{0};    // For which lines wait for others that are before them.
  bool categorize = false;          // streams.h
};

// `query`, `start`, `limit` and `delay_for`. Numbers of lines have no tail.
Result<TailQuery> ReadTailQuery(const Request& request, const links::Context& context);

// The newest lines that are stored, oldest first.
Result<std::vector<Entry>> FindTailHistory(const TailQuery& query, const Scope& scope,
                                           const links::Context& context);

// What a client was too slow for. Without labels: lines that nobody could look at.
struct DroppedEntry {
  std::map<std::string, std::string> labels;
  std::uint64_t unix_ns = 0;
};

// One message. Lines go into the order of their times.
std::string TailMessage(std::vector<Entry> entries, const std::vector<DroppedEntry>& dropped,
                        bool categorize);

}  // namespace throughline::api::loki
