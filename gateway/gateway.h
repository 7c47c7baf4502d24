// The running gateway: every part, built in order and stopped in order.
//
//   loop-N    event loops of the HTTP server: receive, inflate, decode; timers of waiting requests
//   gRPC's    its own threads: receive, inflate, decode
//   follow    reads followed files, where there are any
//   writer    the one thread that appends to the store
//   read-N    lookups
//   streams   the event loop of syslog, Fluent Forward and scraping
//
// Stopping: no new connections; waiting requests go with what there is; requests under way finish
// (limits.drain_timeout); loops, gRPC, streams, files, lookups and writer end, in this order; then
// the store closes.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "api/links/handlers.h"
#include "correlate/clock.h"
#include "correlate/result.h"
#include "correlate/store.h"
#include "gateway/config.h"
#include "gateway/fluent_server.h"
#include "gateway/follow.h"
#include "gateway/front.h"
#include "gateway/grpc_intake.h"
#include "gateway/grpc_server.h"
#include "gateway/http_intake.h"
#include "gateway/http_server.h"
#include "gateway/ingest.h"
#include "gateway/link_gauge.h"
#include "gateway/lookups.h"
#include "gateway/metrics.h"
#include "gateway/read_pool.h"
#include "gateway/scrape/scraper.h"
#include "gateway/snapshot_calls.h"
#include "gateway/streams.h"
#include "gateway/syslog_server.h"
#include "gateway/tails.h"
#include "gateway/tenants.h"
#include "gateway/upstream.h"
#include "gateway/wait.h"
#include "store/backup/snapshots.h"
#include "store/maintainer.h"
#include "store/sqlite/sqlite_store.h"
#include "store/writer.h"

namespace throughline::gateway {

class Gateway {
 public:
  // Opens the store, replays it, and listens. `clock` outlives the gateway.
  static Result<std::unique_ptr<Gateway>> Start(const Config& config, const Clock& clock);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // "127.0.0.1:4380"; empty: that door is off.
  std::string AddressOf(Door door) const { return server_->AddressOf(door); }
  std::string GrpcAddress() const { return grpc_ == nullptr ? "" : grpc_->address(); }

  std::string SyslogUdpAddress() const { return syslog_->udp_address(); }
  std::string SyslogTcpAddress() const { return syslog_->tcp_address(); }
  std::string FluentAddress() const { return fluent_ == nullptr ? "" : fluent_->address(); }

  // Once. False: some requests did not finish in time, and their connections were cut.
  bool Stop();

 private:
  Gateway(const Config& config, const Clock& clock, std::unique_ptr<store::Maintainer> maintainer,
          std::unique_ptr<Store> store, store::SqliteStore* durable);
  void StartScraping();
  Result<void> FollowFiles();
  std::unique_ptr<store::backup::Snapshots> NewSnapshots();
  Result<void> Listen();
  Result<void> ListenToStreams();
  // What the maintainer's thread does beside maintaining.
  void CountLinks(std::uint64_t now_unix_ns);
  ProcessState State() const;

  const Config config_;
  std::unique_ptr<store::Maintainer> maintainer_;  // Outlives the store, which wakes it.
  std::unique_ptr<Store> store_;
  store::SqliteStore* const durable_;  // The same, where it has files; else null.
  const api::links::Settings settings_;
  Metrics metrics_;
  Streams streams_;  // Outlives the writer, whose answers are posted to it.
  store::Writer writer_;
  std::unique_ptr<store::backup::Snapshots> snapshots_;  // Null where the store has no files.
  SnapshotCalls snapshot_calls_;
  LinkGauge links_;
  api::links::PathMinutes path_minutes_;
  ReadPool reads_;
  WaitRoom waits_;
  Tails tails_;  // The writer calls it, from the first request on.
  Tenants tenants_;
  Ingest ingest_;
  HttpIntake http_intake_;
  GrpcIntake grpc_intake_;
  Lookups lookups_;
  Upstreams upstreams_;
  Front front_;
  std::unique_ptr<HttpServer> server_;        // Null until Listen; its loops die before all above.
  std::unique_ptr<GrpcServer> grpc_;          // Null until Listen, and where it is off.
  std::unique_ptr<SyslogServer> syslog_;      // Null until Listen.
  std::unique_ptr<FluentServer> fluent_;      // Null until Listen, and where it is off.
  std::unique_ptr<FileFollower> follower_;    // Null where no file is followed.
  std::unique_ptr<FollowThread> following_;   // The same.
  std::unique_ptr<scrape::Scraper> scraper_;  // Null where nothing is scraped.
  std::atomic<bool> ready_{false};
  std::atomic<bool> listening_{false};  // server_ is set: its loops may ask for it before that.
  bool stopped_ = false;
};

}  // namespace throughline::gateway
