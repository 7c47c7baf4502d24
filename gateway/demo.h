// The `demo` command: live traffic of a shop of seven services, through the public doors.
//
// It begins with the last ten minutes of the shop, an incident in them, so that there is something
// to explain and to compare with at once; further incidents follow, one every ten minutes.
//
// Traces, metrics with exemplars and the log lines of four services go over OTLP/HTTP, the lines
// of the other three as JSON and text lines to POST /api/v1/logs. One thread; nothing is buffered
// but what is being sent; a gateway that is away is waited for. SIGINT and SIGTERM end it.
#pragma once

#include <cstdint>
#include <string>

namespace throughline::gateway {

struct DemoOptions {
  std::string otlp_url = "http://127.0.0.1:4318";
  std::string main_url = "http://127.0.0.1:4380";
  std::string tenant;
  std::string program = "throughline";  // As the lookups to try call it.
  double traces_per_second = 10;
  double duration_seconds = 0;  // Of live traffic. 0: until stopped.
  std::uint64_t seed = 0;       // 0: a new one each time.
};

// Runs until stopped; returns an exit code (cli_state.h).
int RunDemo(const DemoOptions& options);

}  // namespace throughline::gateway
