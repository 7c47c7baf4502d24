// Lookups: from a routed request to an answer made on a read thread.
//
// Puts around the handlers of api/ what every lookup has: the tenant, the deadline, ?wait=, the one
// catch, and for GET the ETag and gzip.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "api/links/handlers.h"
#include "api/links/path_minutes.h"
#include "correlate/clock.h"
#include "correlate/store.h"
#include "gateway/http_server.h"
#include "gateway/read_pool.h"
#include "gateway/routes.h"
#include "gateway/wait.h"

namespace boost::asio {
class io_context;
}

namespace throughline::gateway {

class Lookups {
 public:
  struct Limits {
    std::chrono::nanoseconds lookup_deadline = std::chrono::seconds(10);
    std::chrono::nanoseconds longest_wait = std::chrono::seconds(30);
    std::size_t inflated_bytes = 20UL << 20U;
    DecodeOptions decode;             // For enrich.
    std::string enrich_url_template;  // With {trace_id}; empty: a link to our own page.
  };

  // All must outlive it, and every request that it was given.
  Lookups(const Limits& limits, const api::links::Settings& settings, const Store& store,
          api::links::PathMinutes& path_minutes, ReadPool& reads, WaitRoom& waits,
          const Clock& clock)
      : limits_(limits),
        settings_(settings),
        store_(store),
        path_minutes_(path_minutes),
        reads_(reads),
        waits_(waits),
        clock_(clock) {}

  // On a thread of `loop`, that of the connection. The request has path, query and captures.
  void Handle(const Route& route, api::Request request, boost::asio::io_context& loop,
              Respond respond);

 private:
  using Shared = std::shared_ptr<api::Request>;

  api::Response Answer(const Route& route, const api::Request& request) const;
  api::Response Enrich(const api::Request& request) const;
  void HandleEnrich(const Shared& request, boost::asio::io_context& loop, Respond respond);

  const Limits limits_;
  const api::links::Settings& settings_;
  const Store& store_;
  api::links::PathMinutes& path_minutes_;
  ReadPool& reads_;
  WaitRoom& waits_;
  const Clock& clock_;
};

// Adds the ETag of a good answer to a GET, makes it 304 where the client has it, and compresses it
// where the client can read that.
void FinishGet(const api::Request& request, api::Response& response);

}  // namespace throughline::gateway
