#include "gateway/scrape/scraper.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "gateway/log.h"
#include "gateway/scrape/discovery.h"

namespace throughline::gateway::scrape {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using Time = Schedule::Time;

// A job's files, and when they are looked at next.
struct Source {
  FileDiscovery files;
  std::chrono::nanoseconds refresh_interval;
  Time next;
};

struct RunningJob {
  Job job;
  std::vector<Source> sources;
};

}  // namespace

// All but `stats_` belongs to the loop. Handlers share it, so that it ends with the last of them.
class Scraper::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(asio::io_context& loop, std::vector<Job> jobs, const Limits& limits, OnScraped on_scraped)
      : loop_(loop),
        limits_(limits),
        on_scraped_(std::move(on_scraped)),
        schedule_(limits.seed),
        timer_(loop) {
    for (Job& job : jobs) {
      RunningJob running{.job = std::move(job), .sources = {}};
      for (const FileTargets& files : running.job.files) {
        running.sources.push_back({FileDiscovery(files.files), files.refresh_interval, Time()});
      }
      job_index_.emplace(running.job.name, jobs_.size());
      counts_.push_back({.job = running.job.name});
      jobs_.push_back(std::move(running));
    }
  }

  void Start() {
    asio::post(loop_, [self = shared_from_this()] {
      if (!self->stopped_) self->Begin();
    });
  }

  void Stop() {
    stopped_ = true;
    timer_.cancel();
    waiting_.clear();
    for (const auto& [key, fetch] : running_) fetch->Cancel();
    running_.clear();
  }

  Stats GetStats() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    Stats stats;
    stats.jobs = counts_;
    for (const auto& [key, state] : states_) stats.targets.push_back(state);
    return stats;
  }

 private:
  void Begin() {
    const Time now = SteadyClock::now();
    Discover(now);
    SetTargets(now);
    Arm();
  }

  JobCounts& CountsOf(const Target& target) { return counts_[job_index_.at(target.job)]; }

  void Arm() {
    Time next = schedule_.NextDue();
    for (const RunningJob& running : jobs_) {
      for (const Source& source : running.sources) next = std::min(next, source.next);
    }
    if (next == Time::max()) return;
    timer_.expires_at(next);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
      if (!ec && !self->stopped_) self->Tick();
    });
  }

  void Tick() {
    const Time now = SteadyClock::now();
    if (Discover(now)) SetTargets(now);
    for (TargetPointer& target : schedule_.TakeDue(now)) Queue(std::move(target));
    StartWaiting();
    Arm();
  }

  // Looks at the files whose time has come. True: some changed.
  bool Discover(Time now) {
    bool changed = false;
    for (RunningJob& running : jobs_) {
      for (Source& source : running.sources) {
        if (source.next > now) continue;
        source.next = now + source.refresh_interval;
        changed = source.files.Refresh() || changed;
        const auto& errors = source.files.errors();
        for (const std::string& error : errors) {
          LogWarn("cannot read targets", {{"job", running.job.name}, {"error", error}});
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        counts_[job_index_.at(running.job.name)].discovery_errors += errors.size();
      }
    }
    return changed;
  }

  // What the job's configuration and its files name, as far as there is room.
  void AddTargets(const RunningJob& running, std::vector<Target>& targets) {
    std::uint64_t refused = 0;
    const auto add = [&](const std::vector<TargetGroup>& groups) {
      for (const TargetGroup& group : groups) {
        for (const std::string& address : group.targets) {
          // Bad ones are not in the groups: see yaml.h.
          auto target = MakeTarget(running.job, address, group.labels);
          if (!target) continue;
          if (targets.size() < limits_.targets) {
            targets.push_back(*std::move(target));
          } else {
            ++refused;
          }
        }
      }
    };
    add(running.job.groups);
    for (const Source& source : running.sources) add(source.files.groups());
    if (refused > 0) {
      LogWarn("too many targets",
              {{"job", running.job.name}, {"left_out", std::to_string(refused)}});
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    counts_[job_index_.at(running.job.name)].refused_targets = refused;
  }

  void SetTargets(Time now) {
    std::vector<Target> targets;
    for (const RunningJob& running : jobs_) AddTargets(running, targets);
    schedule_.SetTargets(targets, now);
    std::map<std::string, TargetState> states;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const TargetPointer& target : schedule_.targets()) {
      const auto known = states_.find(target->key);
      TargetState state = known == states_.end() ? TargetState() : known->second;
      state.target = target;
      states.emplace(target->key, std::move(state));
    }
    states_ = std::move(states);
  }

  void Queue(TargetPointer target) {
    const bool waits =
        std::any_of(waiting_.begin(), waiting_.end(),
                    [&target](const TargetPointer& other) { return other->key == target->key; });
    if (!waits && !running_.contains(target->key)) {
      waiting_.push_back(std::move(target));
      return;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    ++CountsOf(*target).failed[static_cast<std::size_t>(Failure::kBusy)];
  }

  void StartWaiting() {
    while (!waiting_.empty() && running_.size() < limits_.at_once) {
      const TargetPointer target = std::move(waiting_.front());
      waiting_.pop_front();
      const Time begin = SteadyClock::now();
      running_.emplace(target->key,
                       StartFetch(loop_, *target, limits_.body_bytes,
                                  [self = shared_from_this(), target, begin](FetchResult result) {
                                    self->Finish(target, begin, std::move(result));
                                  }));
    }
  }

  void Finish(const TargetPointer& target, Time begin, FetchResult result) {
    running_.erase(target->key);
    Scraped scraped;
    std::optional<FetchError> error;
    if (auto* const fetched = std::get_if<Fetched>(&result)) {
      auto taken = on_scraped_(*target, fetched->content_type, std::move(fetched->body));
      if (taken) {
        scraped = *taken;
      } else {
        const bool refused = taken.error().code == Errc::kOverloaded;
        error = FetchError{refused ? Failure::kRefused : Failure::kUnreadable,
                           std::move(taken).error().message};
      }
    } else {
      error = std::get<FetchError>(std::move(result));
    }
    Count(*target, SteadyClock::now() - begin, scraped, error);
    if (!stopped_) StartWaiting();
  }

  void Count(const Target& target, std::chrono::nanoseconds duration, const Scraped& scraped,
             const std::optional<FetchError>& error) {
    std::optional<bool> was_up;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      JobCounts& counts = CountsOf(target);
      if (error) {
        ++counts.failed[static_cast<std::size_t>(error->failure)];
      } else {
        ++counts.good;
        counts.samples += scraped.samples;
        counts.exemplars += scraped.exemplars;
      }
      const auto found = states_.find(target.key);
      if (found == states_.end()) return;  // Gone meanwhile.
      TargetState& state = found->second;
      was_up = std::exchange(state.up, !error);
      state.duration = duration;
      state.error = error ? error->message : std::string();
      if (!error) state.last = scraped;
    }
    // Only what changed: a target that is down stays so for long.
    if (error && was_up.value_or(true)) {
      LogWarn("scrape failed", {{"job", target.job},
                                {"target", target.address},
                                {"reason", std::string(FailureName(error->failure))},
                                {"error", error->message}});
    } else if (!error && !was_up.value_or(true)) {
      LogInfo("scrape works again", {{"job", target.job}, {"target", target.address}});
    }
  }

  asio::io_context& loop_;
  const Limits limits_;
  const OnScraped on_scraped_;
  std::vector<RunningJob> jobs_;
  std::map<std::string, std::size_t> job_index_;  // Into jobs_ and counts_.
  Schedule schedule_;
  asio::steady_timer timer_;
  std::deque<TargetPointer> waiting_;
  std::unordered_map<std::string, std::shared_ptr<Fetch>> running_;  // By key.
  bool stopped_ = false;

  mutable std::mutex mutex_;
  std::vector<JobCounts> counts_;              // Guarded by mutex_.
  std::map<std::string, TargetState> states_;  // By key; guarded by mutex_.
};

Scraper::Scraper(asio::io_context& loop, std::vector<Job> jobs, const Limits& limits,
                 OnScraped on_scraped)
    : core_(std::make_shared<Core>(loop, std::move(jobs), limits, std::move(on_scraped))) {}

Scraper::~Scraper() = default;

void Scraper::Start() { core_->Start(); }
void Scraper::Stop() { core_->Stop(); }
Stats Scraper::GetStats() const { return core_->GetStats(); }

}  // namespace throughline::gateway::scrape
