#include "gateway/demo.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/cli_answer.h"
#include "gateway/cli_render.h"
#include "gateway/cli_state.h"
#include "gateway/demo_otlp.h"
#include "gateway/demo_shop.h"
#include "gateway/demo_signals.h"
#include "gateway/demo_suggestion.h"
#include "gateway/http_client.h"

namespace throughline::gateway {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kTickNs = kSecond / 5;
constexpr std::uint64_t kMetricsEveryNs = 2 * kSecond;
constexpr std::size_t kTickTraces = 1'000;  // At most; what a stall has missed is left out.
constexpr std::uint64_t kFirstBackoffNs = kSecond / 2;
constexpr std::uint64_t kLongestBackoffNs = 8 * kSecond;
constexpr std::uint64_t kHistoryNs = 600 * kSecond;
constexpr double kHistoryRate = 10;                     // Visits a second at most.
constexpr std::uint64_t kHistoryTickNs = 10 * kSecond;  // Sent at once.
constexpr std::uint64_t kIncidentNs = 90 * kSecond;
constexpr std::uint64_t kIncidentEveryNs = 600 * kSecond;
// Of the first one, from the beginning of the history: what comes before is the baseline.
constexpr std::uint64_t kFirstIncidentNs = 450 * kSecond;
constexpr std::uint64_t kAroundNs = 30 * kSecond;  // What explain looks at around a trace.
constexpr std::uint64_t kSlowNs = kSecond;         // What the first lookup calls a spike.

std::uint64_t UnixNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::uint64_t SteadyNow() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

class Demo {
 public:
  explicit Demo(const DemoOptions& options)
      : options_(options),
        client_({.timeout_ms = 10'000}, [this] { return stop_.Requested(); }),
        shop_(options.seed != 0 ? options.seed : std::random_device()()),
        history_unix_ns_(UnixNow() - kHistoryNs),
        metrics_(history_unix_ns_),
        began_ns_(SteadyNow()) {}

  int Run() {
    std::printf(
        "sending the last ten minutes of a shop of seven services, then %g traces a second of it, "
        "to %s\n",
        options_.traces_per_second, options_.otlp_url.c_str());
    std::fflush(stdout);
    SendHistory();
    began_ns_ = SteadyNow();
    std::uint64_t last_ns = began_ns_;
    std::uint64_t next_metrics_ns = began_ns_ + kMetricsEveryNs;
    while (exit_code_ == kExitFound && !IsOver() && !stop_.WaitFor(kTickNs)) {
      const std::uint64_t now_ns = SteadyNow();
      SendTick(now_ns - last_ns);
      last_ns = now_ns;
      if (now_ns < next_metrics_ns) continue;
      next_metrics_ns = now_ns + kMetricsEveryNs;
      if (SendMetrics(UnixNow())) SuggestOnce();
    }
    if (exit_code_ == kExitFound && !stop_.Requested() && SendMetrics(UnixNow())) SuggestOnce();
    std::printf("sent %llu traces with %llu spans, %llu log lines, %llu exemplars\n",
                static_cast<unsigned long long>(traces_), static_cast<unsigned long long>(spans_),
                static_cast<unsigned long long>(lines_),
                static_cast<unsigned long long>(metrics_.exported_exemplars()));
    return exit_code_;
  }

 private:
  bool IsOver() const {
    return options_.duration_seconds > 0 &&
           static_cast<double>(SteadyNow() - began_ns_) > options_.duration_seconds * 1e9;
  }

  bool IsIncident(std::uint64_t unix_ns) const {
    const std::uint64_t since = unix_ns - history_unix_ns_;
    return (since + kIncidentEveryNs - kFirstIncidentNs) % kIncidentEveryNs < kIncidentNs;
  }

  DemoTrace VisitUntil(std::uint64_t end_unix_ns) {
    return shop_.Next(end_unix_ns, IsIncident(end_unix_ns));
  }

  // Visits at even distances; the metrics of each tick are exported at its end.
  void SendHistory() {
    const double rate = std::min(options_.traces_per_second, kHistoryRate);
    const auto step_ns = static_cast<std::uint64_t>(static_cast<double>(kSecond) / rate);
    std::uint64_t next_ns = history_unix_ns_;
    for (std::uint64_t tick = 1; tick * kHistoryTickNs <= kHistoryNs; ++tick) {
      const std::uint64_t end_ns = history_unix_ns_ + tick * kHistoryTickNs;
      std::vector<DemoTrace> visits;
      for (; next_ns < end_ns; next_ns += step_ns) visits.push_back(VisitUntil(next_ns));
      if (visits.empty()) continue;
      if (stop_.Requested() || !Send(visits) || !SendMetrics(end_ns)) return;
    }
    SuggestOnce();
  }

  void SendTick(std::uint64_t elapsed_ns) {
    due_ += options_.traces_per_second * static_cast<double>(elapsed_ns) * 1e-9;
    const auto count = std::min(static_cast<std::size_t>(due_), kTickTraces);
    due_ = std::min(due_ - static_cast<double>(count), 1.0);
    if (count == 0) return;
    const std::uint64_t now = UnixNow();
    std::vector<DemoTrace> visits;
    visits.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      // Ended at even distances through the tick.
      visits.push_back(VisitUntil(now - kTickNs * (count - i) / count));
    }
    Send(visits);
  }

  bool Send(const std::vector<DemoTrace>& visits) {
    const bool sent =
        Deliver(options_.otlp_url, "/v1/traces", "application/json", TracesBody(visits)) &&
        Deliver(options_.otlp_url, "/v1/logs", "application/json", OtlpLogsBody(visits)) &&
        Deliver(options_.main_url, "/api/v1/logs", "application/x-ndjson", LinesBody(visits));
    if (!sent) return false;
    for (const DemoTrace& visit : visits) {
      metrics_.Add(visit);
      ++traces_;
      spans_ += visit.spans.size();
      lines_ += visit.lines.size();
      Consider(visit);
    }
    return true;
  }

  bool SendMetrics(std::uint64_t now_unix_ns) {
    if (!Deliver(options_.otlp_url, "/v1/metrics", "application/json",
                 metrics_.Export(now_unix_ns))) {
      return false;
    }
    if (!slow_exemplar_.empty()) slow_trace_ = std::exchange(slow_exemplar_, {});
    return true;
  }

  HttpHeaders HeadersOf(const char* content_type) const {
    HttpHeaders headers{{"Content-Type", content_type}};
    if (!options_.tenant.empty()) headers.emplace_back("X-Scope-OrgID", options_.tenant);
    return headers;
  }

  // Sends until it is taken; false when stopped, over, or refused for good.
  bool Deliver(const std::string& base, std::string_view path, const char* content_type,
               const std::string& body) {
    std::uint64_t backoff_ns = kFirstBackoffNs;
    const std::string url = UrlOf(base, path, {});
    while (true) {
      const auto answer = client_.Post(url, HeadersOf(content_type), body);
      if (answer && answer->status >= 200 && answer->status < 300) {
        if (is_away_) std::fprintf(stderr, "throughline: the gateway is back\n");
        is_away_ = false;
        return true;
      }
      if (stop_.Requested()) return false;
      const bool is_busy = answer && (answer->status == 429 || answer->status >= 500);
      if (answer && !is_busy) return Refused(url, *answer);
      SayAway(url, answer ? "status " + std::to_string(answer->status) : answer.error().message);
      const std::uint64_t asked_ns =
          answer ? static_cast<std::uint64_t>(std::clamp(answer->retry_after_seconds, 0L, 30L)) *
                       kSecond
                 : 0;
      if (IsOver() || stop_.WaitFor(std::max(backoff_ns, asked_ns))) {
        if (is_away_ && IsOver()) exit_code_ = kExitUnreachable;
        return false;
      }
      backoff_ns = std::min(backoff_ns * 2, kLongestBackoffNs);
    }
  }

  bool Refused(const std::string& url, const HttpAnswer& answer) {
    JsonDocument problem;
    const bool is_json = problem.Parse(answer.body);
    const std::string why = is_json ? RenderProblem(problem.root(), answer.status)
                                    : "status " + std::to_string(answer.status);
    std::fprintf(stderr, "throughline: %s refused the demo's traffic: %s\n", url.c_str(),
                 why.c_str());
    exit_code_ = kExitUnreachable;
    return false;
  }

  void SayAway(const std::string& url, const std::string& why) {
    if (is_away_) return;
    is_away_ = true;
    std::fprintf(stderr, "throughline: cannot send to %s: %s; trying again until it answers\n",
                 url.c_str(), why.c_str());
  }

  // Remembers which slow payment the next export has an exemplar of: the newest one. Only such from
  // the middle of an incident are worth explaining.
  void Consider(const DemoTrace& visit) {
    for (const DemoSpan& span : visit.spans) {
      if (span.service != ShopService::kPayment || span.route.empty()) continue;
      if (span.http_status != 200 || span.end_unix_ns - span.start_unix_ns < kSlowNs) continue;
      const bool middle =
          IsIncident(span.end_unix_ns - kAroundNs) && IsIncident(span.end_unix_ns + kAroundNs);
      slow_exemplar_ = middle ? ToHex(visit.trace_id) : std::string();
    }
  }

  void SuggestOnce() {
    if (suggested_ || slow_trace_.empty()) return;
    // Only what can really be found is worth suggesting.
    const std::string url =
        UrlOf(options_.main_url, "/api/v1/traces/" + slow_trace_, {{"wait", "5s"}});
    const auto found = client_.Get(url, HeadersOf("application/json"));
    if (!found || found->status != 200) return;
    suggested_ = true;
    std::fputs(SuggestionText(options_, slow_trace_).c_str(), stdout);
    std::fflush(stdout);
  }

  const DemoOptions& options_;
  StopSignals stop_;
  HttpClient client_;
  Shop shop_;
  const std::uint64_t history_unix_ns_;  // Its beginning.
  ShopMetrics metrics_;
  std::uint64_t began_ns_;
  double due_ = 0;
  bool is_away_ = false;
  bool suggested_ = false;
  int exit_code_ = kExitFound;
  std::string slow_exemplar_;  // Of the export to come.
  std::string slow_trace_;     // That an exported exemplar names.
  std::uint64_t traces_ = 0;
  std::uint64_t spans_ = 0;
  std::uint64_t lines_ = 0;
};

}  // namespace

int RunDemo(const DemoOptions& options) { return Demo(options).Run(); }

}  // namespace throughline::gateway
