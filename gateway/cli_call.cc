#include "gateway/cli_call.h"

#include <unistd.h>

#include <cstdio>

#include "gateway/cli_state.h"
#include "gateway/complain.h"

namespace throughline::gateway {
namespace {

HttpHeaders HeadersOf(const CallOptions& options) {
  HttpHeaders headers{{"Accept", "application/json"}};
  if (!options.tenant.empty()) headers.emplace_back("X-Scope-OrgID", options.tenant);
  return headers;
}

int ExitOf(int http_status) {
  if (http_status == 404) return kExitNotFound;
  if (http_status >= 500 || http_status == 429) return kExitUnreachable;
  return http_status >= 400 ? kExitUsage : kExitFound;
}

int Show(const CallOptions& options, const Result<HttpAnswer>& answer, const Renderer& render) {
  if (!answer) {
    return Complain("cannot reach the gateway at " + options.url + ": " + answer.error().message +
                        " (is it running? --url or THROUGHLINE_URL names another one)",
                    kExitUnreachable);
  }
  JsonDocument document;
  const bool is_json = document.Parse(answer->body);
  const bool good = answer->status >= 200 && answer->status < 300;
  if (options.json && is_json) {
    std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
    if (!answer->body.ends_with('\n')) std::fputc('\n', stdout);
  }
  if (!good) {
    return Complain(RenderProblem(document.root(), answer->status), ExitOf(answer->status));
  }
  if (!is_json) {
    return Complain("what answers at " + options.url + " is no Throughline gateway",
                    kExitUnreachable);
  }
  const Rendered rendered = render(document.root(), StyleOf(STDOUT_FILENO));
  if (!options.json) std::fwrite(rendered.text.data(), 1, rendered.text.size(), stdout);
  return rendered.exit_code;
}

}  // namespace

void AddCallOptions(CLI::App& command, CallOptions& options) {
  command.add_option("--url", options.url, "Address of the gateway")
      ->envname("THROUGHLINE_URL")
      ->capture_default_str();
  command.add_option("--tenant", options.tenant, "Tenant (X-Scope-OrgID)")
      ->envname("THROUGHLINE_TENANT");
  command.add_flag("--json", options.json, "The gateway's JSON answer as it is");
  command.add_option("--timeout", options.timeout_seconds, "Seconds to wait for an answer")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
}

void AddWindow(CLI::App& command, WindowQuestion& window) {
  auto* since = command.add_option("--since", window.since, "From this long ago (15m, 2h)");
  command.add_option("--start", window.start, "From: RFC 3339, unix time, or now-15m")
      ->excludes(since);
  command.add_option("--end", window.end, "To: RFC 3339, unix time, or now");
}

HttpClient ClientOf(const CallOptions& options) {
  return HttpClient({.timeout_ms = static_cast<long>(options.timeout_seconds * 1000)}, nullptr);
}

int GetAndShow(const CallOptions& options, const std::string& path,
               const std::vector<std::pair<std::string, std::string>>& query,
               const Renderer& render) {
  HttpClient client = ClientOf(options);
  return Show(options, client.Get(UrlOf(options.url, path, query), HeadersOf(options)), render);
}

int PostAndShow(const CallOptions& options, HttpClient& client, const std::string& path,
                const std::string& json, const Renderer& render) {
  HttpHeaders headers = HeadersOf(options);
  headers.emplace_back("Content-Type", "application/json");
  return Show(options, client.Post(UrlOf(options.url, path, {}), headers, json), render);
}

}  // namespace throughline::gateway
