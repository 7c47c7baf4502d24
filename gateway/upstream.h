// Backends behind ours: a real Prometheus, Loki or Tempo, to which what is asked under /prometheus,
// /loki/loki or /tempo is passed on (prometheus.upstream, loki.upstream, tempo.upstream).
//
// Of Prometheus' API query_exemplars stays ours, merged with what the upstream has. Of Tempo's the
// trace by id, and of Loki's a query for the lines of one trace, get the range of that trace where
// our store knows it: the upstream then opens few blocks instead of all.
//
// All else is passed on as it came, and its answer as it comes: method, path below the prefix,
// query, body, headers but those of the connection (RFC 9110 section 7.6.1). An answer is held
// whole before it is passed on, at most Limits::answer_bytes of it. An upstream that cannot be
// reached is 502, one that is late 504, too many calls at once 503, each with a line that says so.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/http.h"
#include "api/links/handlers.h"
#include "correlate/clock.h"
#include "correlate/result.h"
#include "correlate/store.h"
#include "gateway/http_call.h"
#include "gateway/http_server.h"
#include "gateway/lookups.h"
#include "gateway/read_pool.h"
#include "gateway/routes.h"

namespace boost::asio {
class io_context;
}

namespace throughline::gateway {

struct UpstreamAddress {
  std::string host;  // Without brackets.
  std::string port;
  std::string address;  // As the Host header has it.
  std::string path;     // Before that of every request; without a slash at its end.
};

// "http://HOST[:PORT][/PATH]".
Result<UpstreamAddress> ParseUpstream(std::string_view url);

class Upstreams {
 public:
  struct Limits {
    std::array<std::optional<UpstreamAddress>, kUpstreamCount> addresses;  // By Upstream.
    std::chrono::nanoseconds deadline = std::chrono::seconds(30);
    std::size_t answer_bytes = 32UL << 20U;
    std::size_t calls = 64;  // At once.
  };

  // All must outlive it, and every request that it was given.
  Upstreams(Limits limits, const api::links::Settings& settings, const Store& store,
            Lookups& lookups, ReadPool& reads, const Clock& clock);

  UpstreamSet configured() const { return configured_; }
  // Whether the route is one that is passed on, wholly or in part.
  bool Takes(const Route& route) const { return configured_.test(IndexOf(route.upstream())); }

  // On a thread of `loop`, that of the connection. A route that it takes; the request has its
  // target.
  void Handle(const Route& route, api::Request request, boost::asio::io_context& loop,
              Respond respond);

 private:
  CallRequest CallFor(const Route& route, const api::Request& request,
                      std::string_view query) const;
  void PassOn(const Route& route, CallRequest call, boost::asio::io_context& loop, Respond respond);
  void MergeExemplars(const Route& route, api::Request request, boost::asio::io_context& loop,
                      Respond respond);
  // The query with the range of the trace that it asks for; nullopt: it asks for none that is
  // known. On a read thread.
  std::optional<std::string> NarrowedQuery(const Route& route, const api::Request& request) const;
  // False: Limits::calls are under way.
  bool Enter();

  const Limits limits_;
  UpstreamSet configured_;
  const api::links::Settings& settings_;
  const Store& store_;
  Lookups& lookups_;
  ReadPool& reads_;
  const Clock& clock_;
  std::atomic<std::size_t> calls_{0};
};

}  // namespace throughline::gateway
