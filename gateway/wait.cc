#include "gateway/wait.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/status.h"

namespace throughline::gateway {
namespace {

constexpr std::chrono::seconds kQuietTime{1};

}  // namespace

// One waiting request. Everything but OnRecord runs on its loop.
class WaitRoom::Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  Waiter(WaitRoom& room, Waiting waiting, boost::asio::io_context& loop, Respond respond)
      : room_(room),
        waiting_(std::move(waiting)),
        loop_(loop),
        respond_(std::move(respond)),
        patience_(loop),
        quiet_(loop),
        came_(waiting_.ids.size()),
        there_(waiting_.ids.size(), false) {
    room_.waiting_.fetch_add(1, std::memory_order_relaxed);
  }
  ~Waiter() {
    room_.waiting_.fetch_sub(1, std::memory_order_relaxed);
    const std::lock_guard<std::mutex> lock(room_.mutex_);
    room_.waiters_.erase(this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void Start() {
    for (std::size_t i = 0; i < waiting_.ids.size(); ++i) {
      auto callback = [weak = weak_from_this(), i] {
        if (const auto self = weak.lock()) self->OnRecord(i);
      };
      auto watch = room_.store_.Watch(waiting_.scope, waiting_.ids[i], std::move(callback));
      if (!watch) return End(api::Problem(watch.error()));
      watches_.push_back(std::move(watch).value());
    }
    patience_.expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(waiting_.patience));
    patience_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
      if (!ec) self->Finish();
    });
    auto look = [self = shared_from_this()] { self->Look(); };
    if (!room_.reads_.Submit(std::move(look))) End(ReadQueueFull());
  }

  // Any thread: the process stops.
  void LetGo() {
    boost::asio::post(loop_, [self = shared_from_this()] { self->Finish(); });
  }

 private:
  // The writer thread: a record of ids[i] was stored. Wakes the loop once, however many come.
  void OnRecord(std::size_t i) {
    came_[i].store(true, std::memory_order_release);
    if (woken_.exchange(true, std::memory_order_acq_rel)) return;
    boost::asio::post(loop_, [self = shared_from_this()] { self->OnWake(); });
  }

  void OnWake() {
    woken_.store(false, std::memory_order_release);
    for (std::size_t i = 0; i < there_.size(); ++i) {
      if (came_[i].load(std::memory_order_acquire)) there_[i] = true;
    }
    Judge(std::chrono::nanoseconds(0));
  }

  // A read thread: what is there already, and how long ago the last of it came.
  void Look() {
    std::vector<bool> there(waiting_.ids.size(), false);
    std::uint64_t last_arrival = 0;
    for (std::size_t i = 0; i < waiting_.ids.size(); ++i) {
      if (waiting_.until == WaitFor::kQuiet) {
        const auto records = room_.store_.FindTrace(waiting_.scope, waiting_.ids[i], FindOptions());
        if (!records) continue;
        there[i] = !records->matches.empty();
        last_arrival = std::max(last_arrival, LastArrival(records->records));
      } else {
        const auto summaries = room_.store_.Summarize(waiting_.scope, waiting_.ids[i]);
        there[i] = summaries && !summaries->empty();
      }
    }
    const std::uint64_t now = room_.clock_.NowUnixNs();
    const auto age = std::chrono::nanoseconds(
        now > last_arrival && last_arrival > 0 ? static_cast<std::int64_t>(now - last_arrival) : 0);
    boost::asio::post(loop_, [self = shared_from_this(), there = std::move(there), age] {
      for (std::size_t i = 0; i < there.size(); ++i) {
        if (there[i]) self->there_[i] = true;
      }
      // A record that came since has set the timer already.
      if (!self->quiet_since_record_) self->Judge(age);
    });
  }

  static std::uint64_t LastArrival(const Batch& batch) {
    std::uint64_t last = 0;
    for (const Span& span : batch.spans) last = std::max(last, span.arrival_unix_ns);
    for (const LogLine& line : batch.logs) last = std::max(last, line.arrival_unix_ns);
    for (const Exemplar& exemplar : batch.exemplars) {
      last = std::max(last, exemplar.arrival_unix_ns);
    }
    return last;
  }

  // Goes on waiting or not; `age` is that of the last record.
  void Judge(std::chrono::nanoseconds age) {
    const auto there = std::count(there_.begin(), there_.end(), true);
    if (there == 0) return;
    if (waiting_.until == WaitFor::kFirstRecord) return Finish();
    if (waiting_.until == WaitFor::kEveryId) {
      if (static_cast<std::size_t>(there) == there_.size()) Finish();
      return;
    }
    quiet_since_record_ = true;
    if (age >= kQuietTime) return Finish();
    quiet_.expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(kQuietTime - age));
    quiet_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
      if (!ec) self->Finish();
    });
  }

  void Finish() {
    if (finished_) return;
    Release();
    auto answer = [self = shared_from_this()] {
      api::Response response = self->waiting_.answer();
      if (response.status == 404) response.headers.emplace_back("Retry-After", "1");
      self->respond_(std::move(response));
    };
    if (!room_.reads_.Submit(std::move(answer))) respond_(ReadQueueFull());
  }

  void End(api::Response response) {
    if (finished_) return;
    Release();
    respond_(std::move(response));
  }

  void Release() {
    finished_ = true;
    watches_.clear();
    patience_.cancel();
    quiet_.cancel();
  }

  WaitRoom& room_;
  Waiting waiting_;
  boost::asio::io_context& loop_;
  Respond respond_;
  boost::asio::steady_timer patience_;
  boost::asio::steady_timer quiet_;
  std::vector<std::unique_ptr<Store::WatchHandle>> watches_;
  std::vector<std::atomic<bool>> came_;  // Set by the writer.
  std::atomic<bool> woken_{false};       // The loop was told.
  std::vector<bool> there_;              // What the loop knows.
  bool quiet_since_record_ = false;
  bool finished_ = false;
};

WaitRoom::~WaitRoom() = default;

void WaitRoom::Hold(Waiting waiting, boost::asio::io_context& loop, Respond respond) {
  auto waiter = std::make_shared<Waiter>(*this, std::move(waiting), loop, std::move(respond));
  bool draining = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiters_.insert(waiter.get());
    draining = draining_;
  }
  waiter->Start();
  if (draining) waiter->LetGo();
}

void WaitRoom::Drain() {
  std::vector<std::shared_ptr<Waiter>> all;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    draining_ = true;
    for (Waiter* const waiter : waiters_) {
      if (auto alive = waiter->weak_from_this().lock()) all.push_back(std::move(alive));
    }
  }
  for (const auto& waiter : all) waiter->LetGo();
}

Result<std::chrono::nanoseconds> ParsePatience(std::string_view text,
                                               std::chrono::nanoseconds most) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(parsed.ptr,
                              static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
  const double factor = unit.empty() || unit == "s" ? 1e9
                        : unit == "ms"              ? 1e6
                        : unit == "m"               ? 60e9
                                                    : 0;
  if (parsed.ec != std::errc() || factor == 0 || !(number >= 0)) {
    return InvalidArgument("\"" + std::string(text) +
                           "\" is no time to wait, want such as 5s or 200ms");
  }
  const double wanted = std::min(number * factor, static_cast<double>(most.count()));
  return std::chrono::nanoseconds(static_cast<std::int64_t>(wanted));
}

api::Response ReadQueueFull() {
  return api::Problem(Error{Errc::kOverloaded, "too many lookups wait (limits.read_queue)"});
}

}  // namespace throughline::gateway
