#include "gateway/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "gateway/grpc_methods.h"
#include "gateway/routes.h"
#include "gateway/version.h"

namespace throughline::gateway {
namespace {

// Those that we answer; the last is any other.
constexpr std::array kStatuses = {101, 200, 202, 204, 304, 400, 404, 405, 408,
                                  409, 413, 415, 429, 431, 500, 503, 0};
constexpr std::array kBucketsNs = {
    std::uint64_t{100'000},       std::uint64_t{250'000},       std::uint64_t{500'000},
    std::uint64_t{1'000'000},     std::uint64_t{2'500'000},     std::uint64_t{5'000'000},
    std::uint64_t{10'000'000},    std::uint64_t{25'000'000},    std::uint64_t{50'000'000},
    std::uint64_t{100'000'000},   std::uint64_t{250'000'000},   std::uint64_t{1'000'000'000},
    std::uint64_t{2'500'000'000}, std::uint64_t{10'000'000'000}};

// google.rpc.Code.
constexpr std::array<std::string_view, 17> kGrpcCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

constexpr std::array<std::pair<std::string_view, std::string_view>, kIntakeCount> kIntakeNames = {
    {{"otlp_http", "traces"},
     {"otlp_http", "metrics"},
     {"otlp_http", "logs"},
     {"otlp_grpc", "traces"},
     {"otlp_grpc", "metrics"},
     {"otlp_grpc", "logs"},
     {"lines", "logs"},
     {"loki", "logs"},
     {"elasticsearch", "logs"},
     {"syslog", "logs"},
     {"fluent", "logs"},
     {"files", "logs"},
     {"zipkin", "traces"},
     {"remote_write", "metrics"},
     {"scrape", "metrics"},
     {"openmetrics", "metrics"}}};

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

std::uint64_t Load(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

std::uint64_t ResidentBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long long size = 0;
  unsigned long long resident = 0;
  const int read = std::fscanf(file, "%llu %llu", &size, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

struct Metrics::RouteCounts {
  std::array<std::atomic<std::uint64_t>, kStatuses.size()> by_status{};
  std::array<std::atomic<std::uint64_t>, kBucketsNs.size()> by_bucket{};
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::uint64_t> elapsed_ns{0};
  std::atomic<std::uint64_t> request_bytes{0};
  std::atomic<std::uint64_t> response_bytes{0};
};

// The families of one answer, in the order in which they were first named.
class Metrics::Page {
 public:
  void Counter(const std::string& name, const char* help, Labels labels, double value) {
    Add(name, help, MetricType::Counter, std::move(labels)).counter.value = value;
  }
  void Counter(const std::string& name, const char* help, Labels labels, std::uint64_t value) {
    Counter(name, help, std::move(labels), static_cast<double>(value));
  }
  void Gauge(const std::string& name, const char* help, Labels labels, double value) {
    Add(name, help, MetricType::Gauge, std::move(labels)).gauge.value = value;
  }
  void Gauge(const std::string& name, const char* help, std::uint64_t value) {
    Gauge(name, help, {}, static_cast<double>(value));
  }
  void Histogram(const std::string& name, const char* help, Labels labels,
                 const RouteCounts& counts) {
    auto& histogram = Add(name, help, MetricType::Histogram, std::move(labels)).histogram;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < kBucketsNs.size(); ++i) {
      below += Load(counts.by_bucket[i]);
      histogram.bucket.push_back({below, static_cast<double>(kBucketsNs[i]) / 1e9});
    }
    histogram.sample_count = Load(counts.count);
    histogram.sample_sum = static_cast<double>(Load(counts.elapsed_ns)) / 1e9;
  }
  std::string Text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  ClientMetric& Add(const std::string& name, const char* help, MetricType type, Labels labels) {
    const auto [found, is_new] = index_.try_emplace(name, families_.size());
    if (is_new) {
      MetricFamily& family = families_.emplace_back();
      family.name = name;
      family.help = help;
      family.type = type;
    }
    ClientMetric& metric = families_[found->second].metric.emplace_back();
    for (auto& [key, value] : labels) {
      ClientMetric::Label& label = metric.label.emplace_back();
      label.name = std::move(key);
      label.value = std::move(value);
    }
    return metric;
  }

  std::map<std::string, std::size_t> index_;
  std::vector<MetricFamily> families_;
};

Metrics::Metrics(std::size_t routes) : grpc_methods_(GrpcMethods().size() + 1) {
  for (std::size_t i = 0; i <= routes; ++i) routes_.push_back(std::make_unique<RouteCounts>());
}
Metrics::~Metrics() = default;

void Metrics::Count(const Finished& finished) {
  const std::size_t route = std::min<std::size_t>(finished.route, routes_.size() - 1);
  RouteCounts& counts = *routes_[route];
  const auto add = [](std::atomic<std::uint64_t>& counter, std::uint64_t by) {
    counter.fetch_add(by, std::memory_order_relaxed);
  };
  std::size_t status = 0;
  while (status + 1 < kStatuses.size() && kStatuses[status] != finished.status) ++status;
  add(counts.by_status[status], 1);
  for (std::size_t i = 0; i < kBucketsNs.size(); ++i) {
    if (finished.elapsed_ns <= kBucketsNs[i]) {
      add(counts.by_bucket[i], 1);
      break;
    }
  }
  add(counts.count, 1);
  add(counts.elapsed_ns, finished.elapsed_ns);
  add(counts.request_bytes, finished.request_bytes);
  add(counts.response_bytes, finished.response_bytes);
}

void Metrics::CountGrpc(std::size_t method, int code) {
  const auto known = static_cast<std::size_t>(code) < kGrpcCodes ? code : 2;  // UNKNOWN.
  grpc_methods_[std::min(method, grpc_methods_.size() - 1)][static_cast<std::size_t>(known)]
      .fetch_add(1, std::memory_order_relaxed);
}

namespace {

// The intake's counters, one family a reason.
struct IntakeFamily {
  const char* name;
  const char* help;
  std::atomic<std::uint64_t> IntakeCounts::*counter;
};
constexpr std::array kIntakeFamilies = {
    IntakeFamily{"throughline_records_received_total", "Records in bodies that could be read.",
                 &IntakeCounts::received},
    IntakeFamily{"throughline_records_stored_total", "Records stored.", &IntakeCounts::stored},
    IntakeFamily{"throughline_records_deduplicated_total", "Records that were stored already.",
                 &IntakeCounts::deduplicated},
    IntakeFamily{"throughline_records_rejected_total", "Records that were refused alone.",
                 &IntakeCounts::rejected},
    IntakeFamily{"throughline_records_unlinked_total",
                 "Lines and exemplars without a trace id, not stored.", &IntakeCounts::unlinked},
    IntakeFamily{"throughline_records_failed_total",
                 "Records of requests that the queue or the store refused.", &IntakeCounts::failed},
    IntakeFamily{"throughline_records_kept_unlinked_total",
                 "Lines and exemplars without a trace id, stored (logs.keep_unlinked).",
                 &IntakeCounts::kept_unlinked},
    IntakeFamily{"throughline_ids_repaired_total", "Records stored after an id was repaired.",
                 &IntakeCounts::repaired},
    IntakeFamily{"throughline_span_links_dropped_total", "Span links with broken ids.",
                 &IntakeCounts::dropped_links},
    IntakeFamily{"throughline_metric_points_passed_total",
                 "Metric points seen and not kept; their exemplars are.",
                 &IntakeCounts::passed_points},
    IntakeFamily{"throughline_requests_malformed_total", "Bodies that could not be read.",
                 &IntakeCounts::bad_requests},
};

}  // namespace

void Metrics::RenderIntake(Page& page) const {
  for (const IntakeFamily& family : kIntakeFamilies) {
    for (std::size_t i = 0; i < kIntakeCount; ++i) {
      page.Counter(family.name, family.help,
                   {{"door", std::string(kIntakeNames[i].first)},
                    {"signal", std::string(kIntakeNames[i].second)}},
                   Load(intakes_[i].*family.counter));
    }
  }
}

void Metrics::RenderTenants(const Tenants& tenants, Page& page) {
  struct Family {
    const char* name;
    const char* help;
    std::atomic<std::uint64_t> TenantCounts::*counter;
  };
  constexpr Family kFamilies[] = {
      {"throughline_tenant_records_received_total", "Records in bodies that could be read.",
       &TenantCounts::received},
      {"throughline_tenant_records_stored_total", "Records stored.", &TenantCounts::stored},
      {"throughline_tenant_records_deduplicated_total", "Records that were stored already.",
       &TenantCounts::deduplicated},
      {"throughline_tenant_records_rejected_total", "Records that were refused alone.",
       &TenantCounts::rejected},
      {"throughline_tenant_records_unlinked_total",
       "Lines and exemplars without a trace id, not stored.", &TenantCounts::unlinked},
      {"throughline_tenant_records_failed_total",
       "Records of requests that the queue or the store refused.", &TenantCounts::failed},
      {"throughline_tenant_requests_refused_total", "Over limits.tenant_*, answered 429.",
       &TenantCounts::refused_requests},
  };
  for (const Family& family : kFamilies) {
    tenants.ForEach([&](const std::string& tenant, const TenantCounts& counts) {
      page.Counter(family.name, family.help, {{"tenant", tenant}}, Load(counts.*family.counter));
    });
  }
}

void Metrics::RenderRoutes(Page& page) const {
  for (std::uint32_t i = 0; i < routes_.size(); ++i) {
    const RouteCounts& counts = *routes_[i];
    if (Load(counts.count) == 0) continue;
    const std::string method(i < Routes().size() ? Routes()[i].method : "");
    const Labels labels = {{"method", method}, {"route", std::string(RouteName(i))}};
    for (std::size_t s = 0; s < kStatuses.size(); ++s) {
      if (Load(counts.by_status[s]) == 0) continue;
      Labels with_status = labels;
      with_status.emplace_back("status",
                               kStatuses[s] == 0 ? "other" : std::to_string(kStatuses[s]));
      page.Counter("throughline_http_requests_total", "Requests answered.", with_status,
                   Load(counts.by_status[s]));
    }
    page.Histogram("throughline_http_request_duration_seconds",
                   "From the last byte of the header to the last of the answer.", labels, counts);
    page.Counter("throughline_http_request_bytes_total", "Of bodies, as sent.", labels,
                 Load(counts.request_bytes));
    page.Counter("throughline_http_response_bytes_total", "Of answers.", labels,
                 Load(counts.response_bytes));
  }
}

void Metrics::RenderScrapes(const scrape::Stats& stats, Page& page) {
  for (const scrape::JobCounts& job : stats.jobs) {
    const auto of_result = [&](std::string result, std::uint64_t count) {
      page.Counter("throughline_scrapes_total", "Scrapes, by how they ended.",
                   {{"job", job.job}, {"result", std::move(result)}}, count);
    };
    of_result("good", job.good);
    for (std::size_t i = 0; i < scrape::kFailureCount; ++i) {
      const auto failure = static_cast<scrape::Failure>(i);
      of_result(std::string(scrape::FailureName(failure)), job.failed[i]);
    }
    const Labels labels = {{"job", job.job}};
    page.Counter("throughline_scraped_samples_total", "Of good scrapes.", labels, job.samples);
    page.Counter("throughline_scraped_exemplars_total", "Of good scrapes.", labels, job.exemplars);
    page.Counter("throughline_scrape_discovery_errors_total",
                 "Files of targets that could not be read.", labels, job.discovery_errors);
    page.Gauge("throughline_scrape_targets_left_out", "Over limits.scrape_targets.", labels,
               static_cast<double>(job.refused_targets));
  }
  std::set<std::pair<std::string, std::string>> urls;
  for (const scrape::TargetState& state : stats.targets) {
    const scrape::Target& target = *state.target;
    std::string url = "http://" + target.address + target.path;
    // Targets that differ in their labels alone would be one series twice.
    if (!state.up || !urls.emplace(target.job, url).second) continue;
    const Labels labels = {{"job", target.job}, {"url", std::move(url)}};
    page.Gauge("throughline_scrape_up", "1: the last scrape was good.", labels,
               *state.up ? 1.0 : 0.0);
    page.Gauge("throughline_scrape_duration_seconds", "Of the last scrape.", labels,
               std::chrono::duration<double>(state.duration).count());
    page.Gauge("throughline_scrape_samples", "Of the last good scrape.", labels,
               static_cast<double>(state.last.samples));
    page.Gauge("throughline_scrape_exemplars", "Of the last good scrape.", labels,
               static_cast<double>(state.last.exemplars));
  }
}

void Metrics::RenderGrpc(Page& page) const {
  for (std::size_t i = 0; i < grpc_methods_.size(); ++i) {
    const std::string method(i < GrpcMethods().size() ? GrpcMethods()[i].path : "");
    for (std::size_t code = 0; code < kGrpcCodes; ++code) {
      const std::uint64_t count = Load(grpc_methods_[i][code]);
      if (count == 0) continue;
      page.Counter("throughline_grpc_calls_total", "Calls finished.",
                   {{"method", method}, {"code", std::string(kGrpcCodeNames[code])}}, count);
    }
  }
}

void Metrics::RenderStreams(const ProcessState& state, Page& page) {
  struct Family {
    const char* name;
    const char* help;
    std::uint64_t StreamStats::*value;
    bool is_gauge = false;
  };
  constexpr Family kFamilies[] = {
      {"throughline_stream_connections", "Open now.", &StreamStats::connections, true},
      {"throughline_stream_connections_accepted_total", "Ever.",
       &StreamStats::connections_accepted},
      {"throughline_stream_connections_refused_total", "Over limits.stream_*.",
       &StreamStats::connections_refused},
      {"throughline_stream_timeouts_total", "Connections ended by a timeout.",
       &StreamStats::timeouts},
      {"throughline_stream_problems_total", "Connections closed for what they sent.",
       &StreamStats::problems},
      {"throughline_stream_retries_total", "Batches offered to a full queue again.",
       &StreamStats::retries},
      {"throughline_stream_batches_lost_total", "Batches that the store refused for good.",
       &StreamStats::lost_batches},
      {"throughline_stream_held_bytes", "Buffered, or not stored yet.", &StreamStats::held_bytes,
       true},
  };
  const std::pair<const char*, const StreamStats*> doors[] = {{"syslog_tcp", &state.syslog.tcp},
                                                              {"fluent", &state.fluent}};
  for (const Family& family : kFamilies) {
    for (const auto& [door, stats] : doors) {
      const Labels labels = {{"door", door}};
      if (family.is_gauge) {
        page.Gauge(family.name, family.help, labels, static_cast<double>(stats->*family.value));
      } else {
        page.Counter(family.name, family.help, labels, stats->*family.value);
      }
    }
  }
  page.Counter("throughline_syslog_datagrams_total", "Read.", {}, state.syslog.datagrams);
  page.Counter("throughline_syslog_datagrams_dropped_total", "Read, and not stored.", {},
               state.syslog.dropped_datagrams);
  page.Counter("throughline_syslog_messages_cut_total", "Over limits.syslog_message_bytes.", {},
               state.syslog.cut_messages);
}

void Metrics::RenderState(const ProcessState& state, Page& page) {
  const auto& http = state.http;
  page.Gauge("throughline_http_connections", "Open now.", http.connections);
  page.Counter("throughline_http_connections_accepted_total", "Ever.", {},
               http.connections_accepted);
  page.Counter("throughline_http_connections_refused_total", "Over limits.connections.", {},
               http.connections_refused);
  page.Counter("throughline_http_timeouts_total", "Connections ended by a timeout.", {},
               http.timeouts);
  page.Gauge("throughline_http_inflight_bytes", "Of bodies being worked on.", http.inflight_bytes);
  const auto& grpc = state.grpc;
  page.Gauge("throughline_grpc_connections", "Open now.", grpc.connections);
  page.Counter("throughline_grpc_connections_accepted_total", "Ever.", {},
               grpc.connections_accepted);
  page.Counter("throughline_grpc_connections_refused_total", "Over limits.grpc_connections.", {},
               grpc.connections_refused);
  page.Counter("throughline_grpc_timeouts_total", "Calls over limits.grpc_read_timeout.", {},
               grpc.timeouts);
  page.Gauge("throughline_grpc_inflight_bytes", "Of messages being worked on.",
             grpc.inflight_bytes);
  page.Gauge("throughline_files_followed", "Log files open now (logs.files).",
             state.followed_files);
  page.Counter("throughline_files_read_bytes_total", "Of followed files.", {},
               state.followed_bytes);
  page.Counter("throughline_files_lines_cut_total", "Over limits.followed_line_bytes.", {},
               state.followed_cut_lines);
  page.Counter("throughline_files_failures_total", "To open or read a file, or to note offsets.",
               {}, state.followed_failures);
  page.Gauge("throughline_queue_records", "Waiting to be stored.", state.queue_records);
  page.Gauge("throughline_queue_bytes", "Waiting to be stored.", state.queue_bytes);
  page.Counter("throughline_commits_total", "Transactions of the writer.", {}, state.commits);
  page.Counter("throughline_commits_failed_total", "Batches that the store refused.", {},
               state.failed_batches);
  page.Gauge("throughline_lookups_queued", "Waiting for a read thread.", state.read_waiting);
  page.Counter("throughline_lookups_refused_total", "Over limits.read_queue.", {},
               state.read_refused);
  page.Gauge("throughline_lookups_waiting", "Waiting for records (?wait=).", state.lookups_waiting);
  page.Gauge("throughline_tails", "Of Loki's API, open now.", state.tails.tails);
  page.Counter("throughline_tail_lines_sent_total", "To tails.", {}, state.tails.lines_sent);
  page.Counter("throughline_tail_lines_dropped_total", "Over limits.tail_bytes.", {},
               state.tails.lines_dropped);
  page.Counter("throughline_tail_batches_passed_total",
               "Batches that no tail was shown, because too many waited.", {},
               state.tails.batches_passed);
  const StoreUsage& store = state.store;
  page.Gauge("throughline_store_spans", "Stored now.", store.spans);
  page.Gauge("throughline_store_logs", "Stored now.", store.logs);
  page.Gauge("throughline_store_exemplars", "Stored now.", store.exemplars);
  page.Gauge("throughline_store_gauge_points", "Stored now.", store.gauges);
  page.Gauge("throughline_store_traces", "Stored now.", store.traces);
  page.Gauge("throughline_store_parts", "Hot parts and sealed files.", store.parts);
  page.Counter("throughline_store_maintenance_failures_total",
               "Failed runs of sealing and retention.", {}, state.maintenance_failures);
  page.Gauge("throughline_store_tenants", "Stored now.", store.tenants);
  page.Gauge("throughline_store_memory_bytes", "Held by records.", store.memory_bytes);
  page.Gauge("throughline_store_memory_limit_bytes", "store.hot_bytes.", store.memory_limit_bytes);
  page.Gauge("throughline_store_disk_bytes", "Of all files.", store.disk_bytes);
  page.Gauge("throughline_store_watches", "Ids being waited for.", store.watches);
}

void Metrics::RenderLinks(const LinkGaugeState& links, Page& page) {
  if (!links.walked) return;
  for (std::size_t i = 0; i < kLinkCauses; ++i) {
    const auto cause = static_cast<LinkCause>(i);
    page.Gauge("throughline_links",
               "Of records of the last 15 min by their own time, as last walked (once a minute).",
               {{"state", std::string(LinkStateName(StateOfCause(cause)))},
                {"reason", std::string(LinkCauseName(cause))}},
               static_cast<double>(links.counts[i]));
  }
  page.Gauge("throughline_links_complete",
             "1 where the last walk saw every link of its range; 0: throughline_links has fewer.",
             links.complete ? 1U : 0U);
}

std::string Metrics::Render(const ProcessState& state, const Tenants& tenants) const {
  Page page;
  page.Gauge("throughline_build_info", "The version that runs.",
             {{"version", kVersion}, {"compiler", __VERSION__}}, 1.0);
  page.Gauge("throughline_ready", "1 while requests are taken.", state.ready ? 1U : 0U);
  RenderIntake(page);
  RenderTenants(tenants, page);
  RenderRoutes(page);
  RenderGrpc(page);
  RenderScrapes(state.scrapes, page);
  RenderState(state, page);
  RenderLinks(state.links, page);
  RenderStreams(state, page);
  page.Counter("process_cpu_seconds_total", "User and system time.", {}, CpuSeconds());
  page.Gauge("process_resident_memory_bytes", "Resident set.", ResidentBytes());
  return page.Text();
}

}  // namespace throughline::gateway
