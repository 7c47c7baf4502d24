#include "gateway/demo.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "gateway/cli_answer.h"
#include "gateway/cli_render.h"
#include "gateway/cli_state.h"
#include "gateway/demo_otlp.h"
#include "gateway/demo_shop.h"
#include "gateway/demo_signals.h"
#include "gateway/http_client.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kTickNs = kSecond / 5;
constexpr std::uint64_t kMetricsEveryNs = 2 * kSecond;
constexpr std::size_t kTickTraces = 1'000;  // At most; what a stall has missed is left out.
constexpr std::uint64_t kFirstBackoffNs = kSecond / 2;
constexpr std::uint64_t kLongestBackoffNs = 8 * kSecond;
constexpr std::uint64_t kSlowNs = kSecond;  // What the first lookup calls a spike.

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
        metrics_(UnixNow()),
        began_ns_(SteadyNow()) {}

  int Run() {
    std::printf("sending %g traces a second of a shop of six services to %s\n",
                options_.traces_per_second, options_.otlp_url.c_str());
    std::fflush(stdout);
    std::uint64_t last_ns = began_ns_;
    std::uint64_t next_metrics_ns = began_ns_ + kMetricsEveryNs;
    while (exit_code_ == kExitFound && !IsOver() && !stop_.WaitFor(kTickNs)) {
      const std::uint64_t now_ns = SteadyNow();
      SendTick(now_ns - last_ns);
      last_ns = now_ns;
      if (now_ns < next_metrics_ns) continue;
      next_metrics_ns = now_ns + kMetricsEveryNs;
      if (SendMetrics()) SuggestOnce();
    }
    if (exit_code_ == kExitFound && !stop_.Requested() && SendMetrics()) SuggestOnce();
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
      visits.push_back(shop_.Next(now - kTickNs * (count - i) / count));
    }
    const bool sent =
        Deliver(options_.otlp_url, "/v1/traces", "application/json", TracesBody(visits)) &&
        Deliver(options_.otlp_url, "/v1/logs", "application/json", OtlpLogsBody(visits)) &&
        Deliver(options_.main_url, "/api/v1/logs", "application/x-ndjson", LinesBody(visits));
    if (!sent) return;
    for (const DemoTrace& visit : visits) {
      metrics_.Add(visit);
      ++traces_;
      spans_ += visit.spans.size();
      lines_ += visit.lines.size();
      Consider(visit);
    }
  }

  bool SendMetrics() {
    return Deliver(options_.otlp_url, "/v1/metrics", "application/json",
                   metrics_.Export(UnixNow()));
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

  // Remembers the newest visit that shows all three: a slow order that reached catalogue.
  void Consider(const DemoTrace& visit) {
    const DemoSpan& root = visit.spans.front();
    if (suggested_ || !visit.is_order || root.end_unix_ns - root.start_unix_ns < kSlowNs) return;
    for (const DemoLine& line : visit.lines) {
      if (line.service != ShopService::kCatalogue) continue;
      slow_trace_ = ToHex(visit.trace_id);
      slow_line_ = TextLine(line, visit.trace_id);
      return;
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
    const std::string& base = options_.main_url;
    std::string flags = base == DemoOptions().main_url ? "" : " --url " + base;
    if (!options_.tenant.empty()) flags += " --tenant " + options_.tenant;
    const std::string header =
        options_.tenant.empty() ? "" : " -H 'X-Scope-OrgID: " + options_.tenant + "'";
    const std::string match = "http_server_request_duration{service=\"storefront\"}";
    std::string line_json;
    wire::AppendJsonString(slow_line_, line_json);
    std::printf(
        "\nThree lookups to try, from a spike to its trace to a log line:\n\n"
        "1. What is behind the requests that took over a second?\n"
        "   %s exemplars '%s' --min-value 1%s\n"
        "   curl -sG%s %s/api/v1/exemplars --data-urlencode 'match=%s' -d min_value=1\n\n"
        "2. One of those traces, its log lines beneath their spans:\n"
        "   %s trace %s%s\n"
        "   curl -s%s %s/api/v1/traces/%s\n\n"
        "3. A line from a log file: which trace is it of?\n"
        "   %s resolve '%s'%s\n"
        "   curl -s%s %s/api/v1/resolve -H 'Content-Type: application/json' -d "
        "'{\"lines\":[%s]}'\n\n",
        options_.program.c_str(), match.c_str(), flags.c_str(), header.c_str(), base.c_str(),
        match.c_str(), options_.program.c_str(), slow_trace_.c_str(), flags.c_str(), header.c_str(),
        base.c_str(), slow_trace_.c_str(), options_.program.c_str(), slow_line_.c_str(),
        flags.c_str(), header.c_str(), base.c_str(), line_json.c_str());
    std::fflush(stdout);
  }

  const DemoOptions& options_;
  StopSignals stop_;
  HttpClient client_;
  Shop shop_;
  ShopMetrics metrics_;
  std::uint64_t began_ns_;
  double due_ = 0;
  bool is_away_ = false;
  bool suggested_ = false;
  int exit_code_ = kExitFound;
  std::string slow_trace_;
  std::string slow_line_;
  std::uint64_t traces_ = 0;
  std::uint64_t spans_ = 0;
  std::uint64_t lines_ = 0;
};

}  // namespace

int RunDemo(const DemoOptions& options) { return Demo(options).Run(); }

}  // namespace throughline::gateway
