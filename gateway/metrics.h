// What the gateway counts of itself, and the text of GET /metrics.
//
// Counters are plain atomics, written by whoever does the work; only metrics.cc knows
// prometheus-cpp. What is a state rather than a count (queues, the store) is asked for when the
// text is made. Names: prefix throughline_, base units, one _total a reason (docs/operations.md).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/store.h"
#include "gateway/http_server.h"
#include "gateway/link_gauge.h"
#include "gateway/scrape/scraper.h"
#include "gateway/stream_stats.h"
#include "gateway/tails.h"
#include "gateway/tenants.h"

namespace throughline::gateway {

// Where records come in: a door, and for those of OTLP the signal.
enum class Intake : std::uint8_t {
  kOtlpTraces,  // Over HTTP.
  kOtlpMetrics,
  kOtlpLogs,
  kGrpcTraces,
  kGrpcMetrics,
  kGrpcLogs,
  kLines,
  kLoki,
  kElasticsearch,
  kSyslog,
  kFluent,
  kFiles,
  kZipkin,
  kRemoteWrite,
  kScrape,
  kOpenMetrics,  // Pushed.
};
inline constexpr std::size_t kIntakeCount = 16;

// received = stored + deduplicated + rejected + unlinked + failed.
struct IntakeCounts {
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> stored{0};
  std::atomic<std::uint64_t> deduplicated{0};
  std::atomic<std::uint64_t> rejected{0};       // Readable and unusable: partial success.
  std::atomic<std::uint64_t> unlinked{0};       // Without a trace id, and so not stored.
  std::atomic<std::uint64_t> failed{0};         // Of requests that the queue or the store refused.
  std::atomic<std::uint64_t> kept_unlinked{0};  // Without a trace id, and stored all the same.
  std::atomic<std::uint64_t> repaired{0};       // Stored after an id was repaired.
  std::atomic<std::uint64_t> dropped_links{0};  // Span links with broken ids.
  std::atomic<std::uint64_t> passed_points{0};  // Metric points, which are not kept.
  std::atomic<std::uint64_t> bad_requests{0};   // Bodies that could not be read.
};

// What is asked for when the text is made.
struct ProcessState {
  StoreUsage store;
  ServerStats http;
  ServerStats grpc;
  SyslogStats syslog;
  StreamStats fluent;
  scrape::Stats scrapes;
  std::uint64_t followed_files = 0;  // logs.files
  std::uint64_t followed_bytes = 0;
  std::uint64_t followed_cut_lines = 0;
  std::uint64_t followed_failures = 0;
  std::uint64_t queue_records = 0;
  std::uint64_t queue_bytes = 0;
  std::uint64_t commits = 0;
  std::uint64_t failed_batches = 0;
  std::uint64_t maintenance_failures = 0;
  std::uint64_t read_waiting = 0;
  std::uint64_t read_refused = 0;
  std::uint64_t lookups_waiting = 0;  // ?wait=
  Tails::Stats tails;
  LinkGaugeState links;
  bool ready = false;
};

class Metrics {
 public:
  explicit Metrics(std::size_t routes);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  IntakeCounts& Of(Intake intake) { return intakes_[static_cast<std::size_t>(intake)]; }
  // Any thread.
  void Count(const Finished& finished);
  // A call that was finished. `method` indexes GrpcMethods(), one past them: no such method; `code`
  // is a gRPC status code.
  void CountGrpc(std::size_t method, int code);

  // Prometheus text 0.0.4.
  std::string Render(const ProcessState& state, const Tenants& tenants) const;

 private:
  struct RouteCounts;
  class Page;

  void RenderIntake(Page& page) const;
  void RenderRoutes(Page& page) const;
  void RenderGrpc(Page& page) const;
  static void RenderTenants(const Tenants& tenants, Page& page);
  static void RenderScrapes(const scrape::Stats& stats, Page& page);
  static void RenderLinks(const LinkGaugeState& links, Page& page);
  static void RenderState(const ProcessState& state, Page& page);
  static void RenderStreams(const ProcessState& state, Page& page);

  std::array<IntakeCounts, kIntakeCount> intakes_;
  std::vector<std::unique_ptr<RouteCounts>> routes_;  // The last: no route.
  static constexpr std::size_t kGrpcCodes = 17;       // 0 to 16.
  using GrpcCounts = std::array<std::atomic<std::uint64_t>, kGrpcCodes>;
  std::vector<GrpcCounts> grpc_methods_;  // The last: no method.
};

}  // namespace throughline::gateway
