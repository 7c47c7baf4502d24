// One thing to scrape: an address with everything that its job and its group say of it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "correlate/result.h"
#include "gateway/scrape/job.h"

namespace throughline::gateway::scrape {

struct Target {
  std::string key;      // All that is below, as text: equal targets are one.
  std::string job;      // The job's name, whatever the label says.
  std::string address;  // As the Host header has it.
  std::string host;     // Without brackets.
  std::string port;
  std::string path;  // With the query.
  Labels labels;     // With `job` and `instance`, without what begins with __.
  bool honor_labels = false;
  std::string tenant;
  std::string accept;
  std::chrono::nanoseconds interval{};
  std::chrono::nanoseconds timeout{};
};

// HOST, HOST:PORT or [IPV6]:PORT; port 80 where there is none.
struct Address {
  std::string text;  // As the Host header has it.
  std::string host;  // Without brackets.
  std::string port;
};
Result<Address> ParseAddress(std::string_view text);

// `address` is HOST, HOST:PORT or [IPV6]:PORT; port 80 where there is none. The group's labels may
// hold __metrics_path__ and __param_NAME, which go into the path, and __scheme__, which must be
// http. Others that begin with __ are dropped.
Result<Target> MakeTarget(const Job& job, std::string_view address, const Labels& labels);

}  // namespace throughline::gateway::scrape
