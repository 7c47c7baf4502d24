#include "gateway/serve.h"

#include <malloc.h>
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/version.h"

namespace throughline::gateway {
namespace {

struct ServeArguments {
  std::string config_file;
  bool check_config = false;
  bool print_config = false;
  std::vector<std::pair<const Setting*, std::string>> flags;  // In the order given.
};

class RealClock final : public Clock {
 public:
  std::uint64_t NowUnixNs() const override {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
  }
};

// Bodies and batches of a few hundred KB come and go all the time: keep their memory instead of
// asking the kernel for it, page by page, each time. Blocks of megabytes are rare and cost more
// than their page faults: they have mappings of their own, which go when they go, so that a hostile
// body leaves nothing behind. What else stays is bounded by the trim threshold.
void TuneMemory() {
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
  ::mallopt(M_TOP_PAD, 1 << 20);
  ::mallopt(M_ARENA_MAX, 2);
}

Result<Config> Load(const ServeArguments& arguments) {
  const EnvironmentLookup lookup = [](const char* name) -> const char* {
    return std::getenv(name);
  };
  Config config;
  if (!arguments.config_file.empty()) {
    std::ifstream file(arguments.config_file, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) return InvalidArgument("cannot read " + arguments.config_file);
    TL_TRY(ApplyYaml(text.str(), arguments.config_file, lookup, config));
  }
  TL_TRY(ApplyEnvironment(lookup, config));
  for (const auto& [setting, text] : arguments.flags) {
    TL_TRY(Apply(*setting, text, FlagOf(*setting), config));
  }
  TL_TRY(CheckConfig(config));
  return config;
}

void SetLog(const Config& config) {
  const LogLevel level = config.log_level == "debug"   ? LogLevel::kDebug
                         : config.log_level == "warn"  ? LogLevel::kWarn
                         : config.log_level == "error" ? LogLevel::kError
                                                       : LogLevel::kInfo;
  log().Set(level, config.log_format == "json" ? LogFormat::kJson : LogFormat::kLogfmt);
}

void SayReady(const Gateway& gateway) {
  std::string line = "throughline ready";
  const auto add = [&line](const char* door, const std::string& address) {
    if (!address.empty()) line += std::string(" ") + door + "=" + address;
  };
  add("http", gateway.AddressOf(Door::kMain));
  add("otlp_http", gateway.AddressOf(Door::kOtlp));
  add("otlp_grpc", gateway.GrpcAddress());
  add("syslog_udp", gateway.SyslogUdpAddress());
  add("syslog_tcp", gateway.SyslogTcpAddress());
  add("fluent", gateway.FluentAddress());
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int Run(const Config& config) {
  TuneMemory();
  SetLog(config);
  // Every thread inherits the mask: only sigwait below sees these.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  const RealClock clock;
  auto gateway = Gateway::Start(config, clock);
  if (!gateway) {
    LogError("cannot start", {{"error", gateway.error().message}});
    return 1;
  }
  LogInfo("started", {{"version", kVersion},
                      {"http", (*gateway)->AddressOf(Door::kMain)},
                      {"otlp_http", (*gateway)->AddressOf(Door::kOtlp)},
                      {"otlp_grpc", (*gateway)->GrpcAddress()},
                      {"syslog_udp", (*gateway)->SyslogUdpAddress()},
                      {"syslog_tcp", (*gateway)->SyslogTcpAddress()},
                      {"fluent", (*gateway)->FluentAddress()},
                      {"data_dir", config.data_dir},
                      {"store", config.store_kind}});
  SayReady(**gateway);
  int signal = 0;
  ::sigwait(&signals, &signal);
  LogInfo("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  const bool finished = (*gateway)->Stop();
  if (!finished) LogWarn("requests were cut off (limits.drain_timeout)");
  LogInfo("stopped");
  return 0;
}

int Serve(const ServeArguments& arguments) {
  const auto config = Load(arguments);
  if (!config) {
    std::fprintf(stderr, "throughline: %s\n", config.error().message.c_str());
    return 2;
  }
  if (arguments.print_config) {
    std::fputs(PrintConfig(*config).c_str(), stdout);
    return 0;
  }
  if (arguments.check_config) {
    std::puts("the configuration is good");
    return 0;
  }
  return Run(*config);
}

}  // namespace

void AddServeCommand(CLI::App& app, int* exit_code) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* const serve = app.add_subcommand("serve", "Run the gateway");
  serve->add_option("--config", arguments->config_file, "A YAML file; flags and environment win");
  serve->add_flag("--check-config", arguments->check_config, "Check the configuration and exit");
  serve->add_flag("--print-config", arguments->print_config, "Print the configuration and exit");
  for (const Setting& setting : Settings()) {
    const std::string names = FlagOf(setting) + (setting.key == "data_dir" ? ",--data" : "");
    CLI::Option* const option = serve->add_option_function<std::vector<std::string>>(
        names,
        [arguments, &setting](const std::vector<std::string>& values) {
          const std::string bare = setting.is_switch ? "true" : "";
          const bool given = !values.empty() && values.front() != "{}";
          const bool empty = given && values.front().empty();
          arguments->flags.emplace_back(&setting, given && !empty ? values.front() : bare);
        },
        std::string(setting.help) + " [" + setting.get(Config()) + "]");
    option->expected(setting.is_switch ? 0 : 1, 1)->type_name("");
    if (!setting.is_switch) option->required(false);
  }
  serve->callback([arguments, exit_code] { *exit_code = Serve(*arguments); });
}

}  // namespace throughline::gateway
