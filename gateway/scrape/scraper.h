// Scrapes the configured targets, each at its times, and hands what they expose to a callback.
//
// Runs on the event loop that it is given: discovery, connections and the callback, one after the
// other, on that loop's thread. At most Limits::at_once targets are being scraped; others that are
// due wait their turn, and one whose last scrape is not over is passed by and counted.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "gateway/scrape/fetch.h"
#include "gateway/scrape/job.h"
#include "gateway/scrape/schedule.h"
#include "gateway/scrape/target.h"

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace throughline::gateway::scrape {

// What stood in one exposition.
struct Scraped {
  std::uint64_t samples = 0;
  std::uint64_t exemplars = 0;
};

// Decodes and takes one exposition. An error is a failed scrape: kOverloaded is
// Failure::kRefused, any other Failure::kUnreadable.
using OnScraped =
    std::function<Result<Scraped>(const Target& target, std::string_view content_type, Body body)>;

// How the last scrape of a target went.
struct TargetState {
  TargetPointer target;
  std::optional<bool> up;               // Not scraped yet: nothing.
  std::chrono::nanoseconds duration{};  // Of the last scrape, the callback included.
  Scraped last;                         // Of the last good scrape.
  std::string error;                    // Why the last one failed; empty: it did not.
};

// Since the start, whatever became of the targets.
struct JobCounts {
  std::string job;
  std::uint64_t good = 0;
  std::array<std::uint64_t, kFailureCount> failed{};  // By Failure.
  std::uint64_t samples = 0;
  std::uint64_t exemplars = 0;
  std::uint64_t discovery_errors = 0;  // Files of targets that could not be read, each time.
  std::uint64_t refused_targets = 0;   // Now: over Limits::targets.
};

struct Stats {
  std::vector<TargetState> targets;
  std::vector<JobCounts> jobs;
};

class Scraper {
 public:
  struct Limits {
    std::size_t body_bytes = 16UL << 20U;  // Of an exposition, also when inflated.
    std::size_t targets = 10'000;          // Over all jobs; further ones are left out and counted.
    std::size_t at_once = 32;
    std::uint64_t seed = 0;  // Of the targets' phases.
  };

  // The loop must outlive it.
  Scraper(boost::asio::io_context& loop, std::vector<Job> jobs, const Limits& limits,
          OnScraped on_scraped);
  ~Scraper();
  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;

  // Once, any thread.
  void Start();
  // Once, on the loop's thread or while nobody runs the loop. The callback will not be called any
  // more.
  void Stop();

  // Any thread.
  Stats GetStats() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace throughline::gateway::scrape
