#include "gateway/demo_suggestion.h"

#include "gateway/cli_compare.h"
#include "gateway/cli_explain.h"
#include "gateway/demo_shop.h"

namespace throughline::gateway {
namespace {

// How a lookup is asked for at a shell.
class Lookups {
 public:
  explicit Lookups(const DemoOptions& options)
      : command_("   " + options.program + " "), curl_("   curl -s"), url_(options.main_url) {
    if (url_ != DemoOptions().main_url) flags_ += " --url " + url_;
    if (options.tenant.empty()) return;
    flags_ += " --tenant " + options.tenant;
    header_ = " -H 'X-Scope-OrgID: " + options.tenant + "'";
  }

  std::string Command(const std::string& arguments) const {
    return command_ + arguments + flags_ + "\n";
  }
  std::string Get(const std::string& path, const std::string& query) const {
    return curl_ + "G" + header_ + " " + url_ + path + " " + query + "\n";
  }
  std::string Post(const std::string& path, const std::string& json) const {
    return curl_ + header_ + " '" + url_ + path +
           "?format=text' -H 'Content-Type: application/json' -d '" + json + "'\n";
  }

 private:
  const std::string command_, curl_, url_;
  std::string flags_, header_;
};

}  // namespace

std::string SuggestionText(const DemoOptions& options, std::string_view slow_trace) {
  const Lookups lookups(options);
  const std::string payment(FactsOf(ShopService::kPayment).name);
  const std::string metric = "http_server_request_duration{service=\"" + payment + "\"}";
  ExplainQuestion why;
  why.trace_id = slow_trace;
  why.service = payment;
  CompareQuestion worse;
  worse.window.since = "15m";
  worse.service = FactsOf(ShopService::kCheckout).name;
  const auto version = [](ShopService service) {
    return "service.version=" + std::string(FactsOf(service).version);
  };
  worse.baseline = {version(ShopService::kCheckout)};
  worse.candidate = {version(ShopService::kCheckoutCanary)};

  std::string text = "\nThree lookups to try: a spike, its cause, and a canary:\n";
  text += "\n1. Which payments took over a second? Exemplars of the metric, with their traces:\n";
  text += lookups.Command("exemplars '" + metric + "' --min-value 1");
  text +=
      lookups.Get("/api/v1/exemplars", "--data-urlencode 'match=" + metric + "' -d min_value=1");
  text += "\n2. Why did they? From one of these exemplars to the cause, with proof:\n";
  text += lookups.Command("explain --trace-id " + why.trace_id + " --service " + payment);
  text += lookups.Post("/api/v1/explain", ExplainBody(why));
  text += "\n3. Is the canary of " + worse.service + " worse than what runs beside it?\n";
  text += lookups.Command("compare --service " + worse.service + " --baseline " +
                          worse.baseline.front() + " --candidate " + worse.candidate.front() +
                          " --since " + worse.window.since);
  text += lookups.Post("/api/v1/compare", CompareBody(worse));
  return text + "\n";
}

}  // namespace throughline::gateway
