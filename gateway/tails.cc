#include "gateway/tails.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "api/loki/answer.h"
#include "api/loki/scan.h"
#include "api/loki/tail.h"
#include "correlate/scope.h"
#include "gateway/log.h"

namespace throughline::gateway {
namespace {

using api::loki::DroppedEntry;
using api::loki::Entry;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kDroppedNamed = 100;  // Of one message; more are only counted.
constexpr std::size_t kBatchesInARow = 16;  // Then other lookups have a turn.
constexpr std::size_t kEntryBytes = 256;    // Of an entry without its texts, and of a label, about.

// A batch that is stored is found before it is handed over, and looked at later still.
constexpr std::chrono::seconds kOverlap{30};

std::size_t SizeOf(const Entry& entry) {
  std::size_t size = kEntryBytes + entry.line.size();
  for (const api::loki::Label& label : entry.labels.all()) {
    size += sizeof label + label.name.size() + label.value.size();
  }
  return size;
}

// What makes two entries the same line to who reads them.
using EntryKey = std::tuple<std::uint64_t, std::string, std::map<std::string, std::string>>;
EntryKey KeyOf(const Entry& entry) {
  return {entry.unix_ns, entry.line, entry.labels.Of(true, true, true)};
}

api::Response Refusal(Errc code, std::string message) {
  return api::loki::ErrorAnswer(Error{code, std::move(message)});
}

}  // namespace

// One tail: a queue of lines between a read thread and the loop of its connection.
class Tails::Tail final : public Feed {
 public:
  Tail(Tails& tails, api::loki::TailQuery query, Scope scope)
      : tails_(tails), query_(std::move(query)), scope_(std::move(scope)) {}
  ~Tail() override { tails_.count_.fetch_sub(1); }
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  const api::loki::TailQuery& query() const { return query_; }
  const std::string& tenant() const { return scope_.tenant; }
  // That of a lookup which begins now.
  Scope ScopeFor(std::chrono::nanoseconds deadline) const {
    Scope scope = scope_;
    scope.deadline =
        SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(deadline);
    return scope;
  }

  void Begin(std::function<void()> wake) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    wake_ = std::move(wake);
  }
  void End() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    wake_ = nullptr;
    ended_ = true;
  }
  Next Take() override;

  bool ended() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ended_;
  }
  // What was stored before it. Lines that were stored meanwhile may be in both: they go out once.
  void PutHistory(std::vector<Entry> entries);
  // A line that is stored since. Wake says that the last of several was put.
  void Put(Entry entry);
  void PutDropped(DroppedEntry entry);
  void Wake() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (wake_) wake_();
  }

 private:
  struct Waiting {
    Entry entry;
    std::size_t bytes = 0;
    SteadyClock::time_point due;  // Not before.
  };

  std::vector<Entry> TakeDue();

  Tails& tails_;
  const api::loki::TailQuery query_;
  const Scope scope_;
  mutable std::mutex mutex_;
  std::function<void()> wake_;   // Guarded by mutex_, as all below.
  std::deque<Waiting> waiting_;  // By due.
  std::size_t bytes_ = 0;
  std::vector<DroppedEntry> dropped_;  // Since the last message.
  // What went out of what was stored before, as long as it may come once more.
  std::set<EntryKey> history_;
  SteadyClock::time_point history_ends_;
  bool has_history_ = false;  // Nothing goes out before it.
  bool ended_ = false;
};

Feed::Next Tails::Tail::Take() {
  Next next;
  std::vector<Entry> entries;
  std::vector<DroppedEntry> dropped;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!has_history_) return next;
    entries = TakeDue();
    dropped = std::exchange(dropped_, {});
    if (!waiting_.empty()) next.not_before = waiting_.front().due;
  }
  if (entries.empty() && dropped.empty()) return next;
  tails_.lines_sent_.fetch_add(entries.size(), std::memory_order_relaxed);
  next.text = api::loki::TailMessage(std::move(entries), dropped, query_.categorize);
  return next;
}

// The lines that have waited long enough, and with them those that came later and are before them.
std::vector<Entry> Tails::Tail::TakeDue() {
  const auto now = SteadyClock::now();
  std::size_t due = 0;
  std::uint64_t newest_unix_ns = 0;
  for (; due < waiting_.size() && waiting_[due].due <= now; ++due) {
    newest_unix_ns = std::max(newest_unix_ns, waiting_[due].entry.unix_ns);
  }
  std::vector<Entry> entries;
  if (due == 0) return entries;
  std::deque<Waiting> left;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    Waiting& waiting = waiting_[i];
    if (i < due || waiting.entry.unix_ns <= newest_unix_ns) {
      bytes_ -= waiting.bytes;
      entries.push_back(std::move(waiting.entry));
    } else {
      left.push_back(std::move(waiting));
    }
  }
  waiting_ = std::move(left);
  return entries;
}

void Tails::Tail::PutHistory(std::vector<Entry> entries) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Entry& entry : entries) history_.insert(KeyOf(entry));
  history_ends_ = SteadyClock::now() + kOverlap;
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    const bool twice = history_.contains(KeyOf(waiting.entry));
    if (twice) bytes_ -= waiting.bytes;
    return twice;
  });
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    // Not of line_bytes: `limit` bounds them.
    waiting_.push_front({.entry = std::move(*entry), .bytes = 0, .due = {}});
  }
  has_history_ = true;
  if (wake_) wake_();
}

void Tails::Tail::Put(Entry entry) {
  const std::size_t bytes = SizeOf(entry);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!history_.empty() && SteadyClock::now() > history_ends_) history_.clear();
    if (!history_.empty() && history_.contains(KeyOf(entry))) return;
    if (bytes_ + bytes <= tails_.limits_.line_bytes) {
      bytes_ += bytes;
      waiting_.push_back(
          {.entry = std::move(entry), .bytes = bytes, .due = SteadyClock::now() + query_.delay});
      return;
    }
  }
  tails_.lines_dropped_.fetch_add(1, std::memory_order_relaxed);
  PutDropped({.labels = entry.labels.Of(true, false, false), .unix_ns = entry.unix_ns});
}

void Tails::Tail::PutDropped(DroppedEntry entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (dropped_.size() < kDroppedNamed) dropped_.push_back(std::move(entry));
}

Tails::Tails(const Limits& limits, const api::links::Settings& settings, const Store& store,
             ReadPool& reads, const Clock& clock)
    : limits_(limits), settings_(settings), store_(store), reads_(reads), clock_(clock) {}
Tails::~Tails() = default;

void Tails::Handle(api::Request request, const Reply& reply) {
  if (request.method != "GET" || !AsksForWebSocket(request)) {
    return reply(Refusal(Errc::kInvalidArgument, "want a request for a websocket (RFC 6455)"));
  }
  auto tenant = TenantFromHeader(request.Header("x-scope-orgid"));
  if (!tenant) return reply(api::loki::ErrorAnswer(tenant.error()));
  Scope scope;
  scope.tenant = *std::move(tenant);
  const api::links::Context context{store_, settings_, clock_.NowUnixNs()};
  auto query = api::loki::ReadTailQuery(request, context);
  if (!query) return reply(api::loki::ErrorAnswer(query.error()));
  if (count_.fetch_add(1) >= limits_.tails) {
    count_.fetch_sub(1);
    return reply(Refusal(Errc::kOverloaded, "max concurrent tail requests limit exceeded (" +
                                                std::to_string(limits_.tails) + ", limits.tails)"));
  }
  auto tail = std::make_shared<Tail>(*this, *std::move(query), std::move(scope));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(tails_, [](const auto& weak) { return weak.expired(); });
    tails_.push_back(tail);
  }
  // Behind its entry in tails_, so that no line is stored between the two.
  auto read = [this, tail] { ReadHistory(*tail); };
  if (!reads_.Submit(std::move(read))) {
    return reply(Refusal(Errc::kOverloaded, "too many lookups wait (limits.read_queue)"));
  }
  reply.Upgrade(std::move(tail));
}

void Tails::ReadHistory(Tail& tail) {
  std::vector<Entry> entries;
  try {
    const api::links::Context context{store_, settings_, clock_.NowUnixNs()};
    const Scope until = tail.ScopeFor(limits_.lookup_deadline);
    auto found = api::loki::FindTailHistory(tail.query(), until, context);
    if (found) {
      entries = *std::move(found);
    } else {
      LogError("a tail begins without what was stored before", {{"error", found.error().message}});
    }
  } catch (const std::exception& error) {
    LogError("a tail begins without what was stored before", {{"error", error.what()}});
  }
  tail.PutHistory(std::move(entries));
}

void Tails::OnStored(const Appending& appending, const Appended& appended) {
  if (count_.load(std::memory_order_relaxed) == 0 || appended.logs == 0) return;
  const std::size_t bytes = appending.batch->size_bytes();
  bool fits = false;
  bool submit = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    fits = waiting_.empty() || waiting_bytes_ + bytes <= limits_.batch_bytes;
    if (fits) {
      waiting_.push_back(appending);
      waiting_bytes_ += bytes;
      submit = !std::exchange(working_, true);
    }
  }
  if (!fits) PassBy(appending);
  if (submit) Submit();
}

void Tails::Submit() {
  if (reads_.Submit([this] { Work(); })) return;
  std::deque<Appending> passed;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    passed = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    working_ = false;
  }
  for (const Appending& batch : passed) PassBy(batch);
}

void Tails::PassBy(const Appending& batch) {
  batches_passed_.fetch_add(1, std::memory_order_relaxed);
  for (const auto& tail : TailsOf(batch.tenant)) {
    tail->PutDropped({.labels = {}, .unix_ns = batch.arrival_unix_ns});
    tail->Wake();
  }
}

void Tails::Work() {
  for (std::size_t i = 0; i < kBatchesInARow; ++i) {
    Appending batch;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (waiting_.empty()) {
        working_ = false;
        return;
      }
      batch = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= batch.batch->size_bytes();
    }
    Show(batch);
  }
  Submit();
}

void Tails::Show(const Appending& batch) {
  for (const auto& tail : TailsOf(batch.tenant)) {
    try {
      const Scope until = tail->ScopeFor(limits_.lookup_deadline);
      const api::links::Context context{store_, settings_, clock_.NowUnixNs()};
      const auto put = [&tail](Entry& entry) {
        tail->Put(std::move(entry));
        return true;
      };
      api::loki::ScanBatch(tail->query().selection, *batch.batch, batch.arrival_unix_ns, until,
                           context, put);
    } catch (const std::exception& error) {
      LogError("lines could not be shown to a tail", {{"error", error.what()}});
    }
    tail->Wake();
  }
}

Tails::Stats Tails::GetStats() const {
  return {.tails = count_.load(std::memory_order_relaxed),
          .lines_sent = lines_sent_.load(std::memory_order_relaxed),
          .lines_dropped = lines_dropped_.load(std::memory_order_relaxed),
          .batches_passed = batches_passed_.load(std::memory_order_relaxed)};
}

std::vector<std::shared_ptr<Tails::Tail>> Tails::TailsOf(const std::string& tenant) const {
  std::vector<std::shared_ptr<Tail>> tails;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& weak : tails_) {
    auto tail = weak.lock();
    if (tail != nullptr && tail->tenant() == tenant && !tail->ended()) {
      tails.push_back(std::move(tail));
    }
  }
  return tails;
}

}  // namespace throughline::gateway
