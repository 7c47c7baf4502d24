#include "gateway/gateway.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/ip/host_name.hpp>

#include "correlate/check.h"
#include "gateway/follow_intake.h"
#include "gateway/log.h"
#include "gateway/routes.h"
#include "gateway/scrape/intake.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"

namespace throughline::gateway {
namespace {

constexpr unsigned kMostLoops = 4;  // Of those chosen by themselves.

std::chrono::milliseconds Milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

std::size_t LoopsOf(const Config& config) {
  if (config.loops > 0) return static_cast<std::size_t>(config.loops);
  return std::clamp(std::thread::hardware_concurrency(), 1U, kMostLoops);
}

struct OpenedStore {
  std::unique_ptr<Store> store;
  store::SqliteStore* durable = nullptr;  // The same, where it has files.
};

Result<OpenedStore> OpenStore(const Config& config, store::Maintainer& maintainer) {
  if (config.store_kind == "memory") {
    store::MemoryStore::Options options;
    options.tenants = config.tenants;
    options.watches = config.watches;
    options.memory_limit_bytes = config.store_hot_bytes;
    std::random_device random;
    options.hash_seed = (static_cast<std::uint64_t>(random()) << 32U) | random();
    return OpenedStore{std::make_unique<store::MemoryStore>(options)};
  }
  store::SqliteStore::Options options;
  options.directory = config.data_dir;
  options.hot_bytes = config.store_hot_bytes;
  options.seal_bytes = std::min(config.store_seal_bytes, config.store_hot_bytes);
  options.seal_age_ns = static_cast<std::uint64_t>(config.store_seal_age.count());
  options.retention_ns = static_cast<std::uint64_t>(config.store_retention.count());
  options.retention_of = {
      .spans_ns = static_cast<std::uint64_t>(config.store_retention_spans.count()),
      .logs_ns = static_cast<std::uint64_t>(config.store_retention_logs.count()),
      .exemplars_ns = static_cast<std::uint64_t>(config.store_retention_exemplars.count()),
      .gauges_ns = static_cast<std::uint64_t>(config.store_retention_gauges.count())};
  options.disk_bytes = config.store_disk_bytes;
  options.full_durability = config.store_durability == "full";
  options.tenants = config.tenants;
  options.watches = config.watches;
  options.dedup_horizon_ns = static_cast<std::uint64_t>(config.dedup_horizon.count());
  options.dedup_bytes = config.dedup_bytes;
  options.on_rotate = [&maintainer] { maintainer.Wake(); };
  TL_TRY_ASSIGN(auto store, store::SqliteStore::Open(std::move(options)));
  auto* const durable = store.get();
  return OpenedStore{std::move(store), durable};
}

std::unique_ptr<store::Maintainer> NewMaintainer() {
  store::Maintainer::Options options;
  options.on_error = [](const Error& error) {
    LogError("the store could not be maintained, and tries again", {{"error", error.message}});
  };
  return std::make_unique<store::Maintainer>(std::move(options));
}

// Lets the store get older on the writer's thread; one such work waits at a time.
std::function<void(std::uint64_t now_unix_ns)> AgingOf(Store& store, store::Writer& writer) {
  const auto waits = std::make_shared<std::atomic<bool>>(false);
  return [&store, &writer, waits](std::uint64_t now_unix_ns) {
    if (waits->exchange(true)) return;
    const auto asked = writer.Do([&store, waits, now_unix_ns] {
      waits->store(false);
      const auto aged = store.Age(now_unix_ns);
      if (aged) return;
      LogError("what is hot could not be handed over to be sealed, and is tried again",
               {{"error", aged.error().message}});
    });
    if (!asked) waits->store(false);  // It stops, or has much to do: the next period asks again.
  };
}

api::links::Settings SettingsOf(const Config& config) {
  api::links::Settings settings;
  settings.pending_wait_ns = static_cast<std::uint64_t>(config.links_pending_wait.count());
  settings.explain_lookback_ns = static_cast<std::uint64_t>(config.explain_lookback.count());
  settings.unlinked_kept = config.logs_keep_unlinked;
  settings.query_traces = config.query_traces;
  settings.tag_traces = config.tag_traces;
  settings.exemplars_read = config.exemplars_read;
  settings.exemplars_answered = config.exemplars_answered;
  settings.lines_read = config.lines_read;
  settings.label_lines = config.label_lines;
  settings.query_series = config.query_series;
  for (const BackendConfig& backend : config.backends) {
    settings.backends.push_back({backend.name, backend.kind, backend.url});
  }
  return settings;
}

DecodeOptions DecodeOptionsOf(const Config& config, const Store& store) {
  DecodeOptions options;
  options.hash_seed = store.hash_seed();
  options.keep_unlinked = config.logs_keep_unlinked;
  options.records_per_request = config.records_per_request;
  options.attributes_per_record = config.attributes_per_record;
  options.gauges = config.explain_gauges;
  return options;
}

store::Writer::Limits WriterLimitsOf(const Config& config) {
  store::Writer::Limits limits;
  limits.queue_records = config.queue_records;
  limits.queue_bytes = config.queue_bytes;
  return limits;
}

Tails::Limits TailLimitsOf(const Config& config) {
  Tails::Limits limits;
  limits.tails = config.tails;
  limits.line_bytes = config.tail_bytes;
  limits.lookup_deadline = config.lookup_deadline;
  return limits;
}

// Addresses that CheckConfig has read before.
Upstreams::Limits UpstreamLimitsOf(const Config& config) {
  Upstreams::Limits limits;
  const auto set = [&limits](Upstream upstream, const std::string& url) {
    if (url.empty()) return;
    auto address = ParseUpstream(url);
    TL_CHECK(address.has_value());
    limits.addresses[IndexOf(upstream)] = *std::move(address);
  };
  set(Upstream::kPrometheus, config.prometheus_upstream);
  set(Upstream::kLoki, config.loki_upstream);
  set(Upstream::kTempo, config.tempo_upstream);
  limits.deadline = config.upstream_timeout;
  limits.answer_bytes = config.upstream_bytes;
  limits.calls = config.upstream_calls;
  return limits;
}

Tenants::Limits TenantLimitsOf(const Config& config) {
  return {.tenants = config.tenants,
          .records_per_second = config.tenant_records_per_second,
          .bytes_per_second = config.tenant_bytes_per_second,
          .own = config.tenant_rates};
}

Lookups::Limits LookupLimitsOf(const Config& config, const Store& store) {
  Lookups::Limits limits;
  limits.lookup_deadline = config.lookup_deadline;
  limits.longest_wait = std::chrono::seconds(config.wait_seconds);
  limits.inflated_bytes = config.request_bytes;
  limits.decode = DecodeOptionsOf(config, store);
  limits.enrich_url_template = config.enrich_url_template;
  return limits;
}

GrpcLimits GrpcLimitsOf(const Config& config) {
  return {.message_bytes = config.request_bytes,
          .metadata_bytes = config.header_bytes,
          .inflight_bytes = config.inflight_bytes,
          .memory_bytes = config.grpc_memory_bytes,
          .connections = config.grpc_connections,
          .streams = config.grpc_streams,
          .handshake_timeout = Milliseconds(config.read_timeout),
          .read_timeout = Milliseconds(config.grpc_read_timeout),
          .idle_timeout = Milliseconds(config.grpc_idle_timeout),
          .keepalive = Milliseconds(config.grpc_keepalive),
          .ping_interval = Milliseconds(config.grpc_ping_interval)};
}

StreamLimits StreamLimitsOf(const Config& config) {
  StreamLimits limits;
  limits.connections = config.stream_connections;
  limits.inflight_bytes = config.stream_inflight_bytes;
  limits.total_bytes = config.stream_total_bytes;
  limits.idle_timeout = Milliseconds(config.stream_idle_timeout);
  limits.handshake_timeout = Milliseconds(config.read_timeout);
  return limits;
}

logs::FluentSecrets FluentSecretsOf(const Config& config) {
  logs::FluentSecrets secrets;
  boost::system::error_code ignored;
  secrets.shared_key = config.fluent_shared_key;
  for (const std::string& user : config.fluent_users) {
    const std::size_t colon = user.find(':');
    secrets.users.emplace_back(user.substr(0, colon), user.substr(colon + 1));
  }
  secrets.hostname = boost::asio::ip::host_name(ignored);
  return secrets;
}

}  // namespace

Gateway::Gateway(const Config& config, const Clock& clock,
                 std::unique_ptr<store::Maintainer> maintainer, std::unique_ptr<Store> store,
                 store::SqliteStore* durable)
    : config_(config),
      maintainer_(std::move(maintainer)),
      store_(std::move(store)),
      durable_(durable),
      settings_(SettingsOf(config)),
      metrics_(Routes().size()),
      writer_(*store_, WriterLimitsOf(config),
              [this](const Appending& appending, const Appended& appended) {
                tails_.OnStored(appending, appended);
              }),
      snapshots_(NewSnapshots()),
      snapshot_calls_(snapshots_.get(), clock),
      links_(*store_, settings_),
      path_minutes_(config.path_bytes),
      reads_({.read_threads = config.read_threads, .read_queue = config.read_queue}),
      waits_(*store_, reads_, clock),
      tails_(TailLimitsOf(config), settings_, *store_, reads_, clock),
      tenants_(TenantLimitsOf(config)),
      ingest_(DecodeOptionsOf(config, *store_), writer_, clock, metrics_, tenants_),
      http_intake_({.inflated_bytes = config.request_bytes}, ingest_),
      grpc_intake_({.message_bytes = config.request_bytes}, ingest_),
      lookups_(LookupLimitsOf(config, *store_), settings_, *store_, path_minutes_, reads_, waits_,
               clock),
      upstreams_(UpstreamLimitsOf(config), settings_, *store_, lookups_, reads_, clock),
      front_({.intake = http_intake_,
              .lookups = lookups_,
              .upstreams = upstreams_,
              .tails = tails_,
              .snapshots = snapshot_calls_,
              .metrics = metrics_,
              .tenants = tenants_,
              .state = [this] { return State(); },
              .allowed_origins = config.cors_allowed_origins}) {}

Gateway::~Gateway() {
  if (!stopped_) Stop();
}

Result<std::unique_ptr<Gateway>> Gateway::Start(const Config& config, const Clock& clock) {
  TL_TRY(CheckConfig(config));
  auto maintainer = NewMaintainer();
  TL_TRY_ASSIGN(auto opened, OpenStore(config, *maintainer));
  std::unique_ptr<Gateway> gateway(
      new Gateway(config, clock, std::move(maintainer), std::move(opened.store), opened.durable));
  gateway->maintainer_->Start(
      *gateway->store_, clock,
      [age = AgingOf(*gateway->store_, gateway->writer_), snapshots = gateway->snapshots_.get(),
       of = gateway.get()](const Result<void>& maintained, std::uint64_t now_unix_ns) {
        age(now_unix_ns);
        if (snapshots != nullptr) snapshots->AfterMaintain(maintained, now_unix_ns);
        of->CountLinks(now_unix_ns);
      });
  TL_TRY(gateway->Listen());
  return gateway;
}

std::unique_ptr<store::backup::Snapshots> Gateway::NewSnapshots() {
  if (durable_ == nullptr) return nullptr;
  store::backup::Snapshots::Options options;
  options.on_error = [](const Error& error) {
    LogError("a snapshot could not be made or removed", {{"error", error.message}});
  };
  return std::make_unique<store::backup::Snapshots>(*durable_, writer_, *maintainer_,
                                                    std::move(options));
}

void Gateway::StartScraping() {
  if (config_.scrape_jobs.empty()) return;
  const scrape::Scraper::Limits limits = {.body_bytes = config_.scrape_bytes,
                                          .targets = config_.scrape_targets,
                                          .at_once = config_.scrapes_at_once,
                                          .seed = store_->hash_seed()};
  scraper_ = std::make_unique<scrape::Scraper>(
      streams_.loop(), config_.scrape_jobs, limits,
      [this](const scrape::Target& target, std::string_view content_type, Body body) {
        return scrape::TakeExposition(target, content_type, std::move(body), ingest_);
      });
  scraper_->Start();
}

Result<void> Gateway::FollowFiles() {
  if (config_.logs_files.empty()) return {};
  FollowOptions options;
  options.patterns = config_.logs_files;
  options.state_path = config_.data_dir + "/follow.json";
  options.line_bytes = config_.followed_line_bytes;
  options.files = config_.followed_files;
  TL_TRY_ASSIGN(follower_, FileFollower::Open(std::move(options), [this](FollowedLines lines,
                                                                         FileFollower::Done done) {
                  TakeFollowedLines(std::move(lines), ingest_, std::move(done));
                }));
  following_ =
      std::make_unique<FollowThread>(*follower_, Milliseconds(config_.logs_files_interval));
  return {};
}

Result<void> Gateway::Listen() {
  std::vector<gateway::Listen> listens;
  if (!config_.http_listen.empty()) listens.push_back({Door::kMain, config_.http_listen});
  if (!config_.otlp_http_listen.empty()) listens.push_back({Door::kOtlp, config_.otlp_http_listen});
  ServerLimits limits;
  limits.header_bytes = config_.header_bytes;
  limits.request_bytes = config_.request_bytes;
  limits.inflight_bytes = config_.inflight_bytes;
  limits.connections = config_.connections;
  limits.idle_timeout = Milliseconds(config_.idle_timeout);
  limits.read_timeout = Milliseconds(config_.read_timeout);
  limits.write_timeout = Milliseconds(config_.write_timeout);
  limits.websocket_ping = Milliseconds(config_.tail_ping);
  limits.websocket_duration = Milliseconds(config_.tail_duration);
  ready_ = true;  // Before the first request can ask.
  StartScraping();
  TL_TRY(FollowFiles());
  if (!config_.otlp_grpc_listen.empty()) {
    TL_TRY_ASSIGN(grpc_, GrpcServer::Start(config_.otlp_grpc_listen, GrpcLimitsOf(config_),
                                           grpc_intake_, metrics_));
  }
  TL_TRY(ListenToStreams());
  TL_TRY_ASSIGN(server_, HttpServer::Start(listens, LoopsOf(config_), limits, front_));
  listening_ = true;
  return {};
}

Result<void> Gateway::ListenToStreams() {
  SyslogServer::Limits syslog;
  syslog.message_bytes = config_.syslog_message_bytes;
  syslog.stream = StreamLimitsOf(config_);
  TL_TRY_ASSIGN(syslog_, SyslogServer::Start(config_.syslog_udp_listen, config_.syslog_tcp_listen,
                                             syslog, streams_, ingest_));
  if (config_.fluent_listen.empty()) return {};
  FluentServer::Limits fluent;
  fluent.message_bytes = config_.fluent_message_bytes;
  fluent.inflated_bytes = config_.request_bytes;
  fluent.stream = StreamLimitsOf(config_);
  TL_TRY_ASSIGN(fluent_, FluentServer::Start(config_.fluent_listen, fluent,
                                             FluentSecretsOf(config_), streams_, ingest_));
  return {};
}

bool Gateway::Stop() {
  stopped_ = true;
  ready_ = false;
  waits_.Drain();
  const auto deadline = std::chrono::steady_clock::now() + config_.drain_timeout;
  if (grpc_ != nullptr) grpc_->Drain();
  bool finished = server_ == nullptr || server_->Stop(Milliseconds(config_.drain_timeout));
  const auto left = [deadline] {
    const auto rest = Milliseconds(deadline - std::chrono::steady_clock::now());
    return std::max(rest, std::chrono::milliseconds(0));
  };
  if (grpc_ != nullptr) finished = grpc_->Stop(left()) && finished;
  if (syslog_ != nullptr) finished = syslog_->Stop(left()) && finished;
  if (fluent_ != nullptr) finished = fluent_->Stop(left()) && finished;
  streams_.Stop();
  if (scraper_ != nullptr) scraper_->Stop();  // Its loop has ended.
  following_.reset();                         // What waits to be stored will be, and is noted last.
  reads_.Stop();
  writer_.Stop();
  maintainer_->Stop();
  if (follower_ != nullptr) follower_->Settle();
  return finished;
}

void Gateway::CountLinks(std::uint64_t now_unix_ns) {
  std::vector<std::string> tenants;
  tenants_.ForEach(
      [&](const std::string& tenant, const TenantCounts&) { tenants.push_back(tenant); });
  links_.Wake(reads_, std::move(tenants), now_unix_ns);
}

ProcessState Gateway::State() const {
  ProcessState state;
  state.links = links_.Get();
  state.store = store_->Usage();
  if (listening_) state.http = server_->Stats();
  if (grpc_ != nullptr) state.grpc = grpc_->Stats();
  if (syslog_ != nullptr) state.syslog = syslog_->GetStats();
  if (fluent_ != nullptr) state.fluent = fluent_->GetStats();
  if (follower_ != nullptr) {
    const FollowStats& files = follower_->stats();
    state.followed_files = files.files.load(std::memory_order_relaxed);
    state.followed_bytes = files.read_bytes.load(std::memory_order_relaxed);
    state.followed_cut_lines = files.cut_lines.load(std::memory_order_relaxed);
    state.followed_failures = files.failures.load(std::memory_order_relaxed);
  }
  if (scraper_ != nullptr) state.scrapes = scraper_->GetStats();
  const auto& writer = writer_.stats();
  state.queue_records = writer.waiting_records.load(std::memory_order_relaxed);
  state.queue_bytes = writer.waiting_bytes.load(std::memory_order_relaxed);
  state.commits = writer.commits.load(std::memory_order_relaxed);
  state.failed_batches = writer.failed_batches.load(std::memory_order_relaxed);
  state.maintenance_failures = maintainer_->stats().failures.load(std::memory_order_relaxed);
  const ReadPool::Stats reads = reads_.GetStats();
  state.read_waiting = reads.waiting;
  state.read_refused = reads.refused;
  state.lookups_waiting = waits_.waiting();
  state.tails = tails_.GetStats();
  state.ready = ready_.load(std::memory_order_relaxed);
  return state;
}

}  // namespace throughline::gateway
