#include "store/backup/snapshots.h"

#include "correlate/check.h"

namespace throughline::store::backup {

bool Snapshots::IsExpired(std::uint64_t now_unix_ns) const {
  return now_unix_ns > current_->looked_unix_ns &&
         now_unix_ns - current_->looked_unix_ns > options_.lease_ns;
}

Result<void> Snapshots::Begin(std::uint64_t id, std::uint64_t now_unix_ns) {
  TL_CHECK(id != 0);
  {
    const std::lock_guard lock(mutex_);
    if (current_ && current_->step != Step::kFailed && !IsExpired(now_unix_ns)) {
      return Error{Errc::kConflict, "there is a snapshot for another backup already"};
    }
    current_ = Current{.id = id, .looked_unix_ns = now_unix_ns};
  }
  auto queued = QueueCut(id);
  if (!queued) (void)Release(id);
  return queued;
}

Result<Snapshots::State> Snapshots::Look(std::uint64_t id, std::uint64_t now_unix_ns) {
  const std::lock_guard lock(mutex_);
  if (!current_ || current_->id != id || IsExpired(now_unix_ns)) {
    return Error{Errc::kNotFound, "there is no such snapshot any more"};
  }
  if (current_->step == Step::kFailed) {
    Error error = std::move(current_->error);
    current_.reset();
    return error;
  }
  current_->looked_unix_ns = now_unix_ns;
  return current_->step == Step::kReady ? State::kReady : State::kMaking;
}

bool Snapshots::Release(std::uint64_t id) {
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->id != id) return false;
    current_.reset();
  }
  maintainer_.Wake();
  return true;
}

Result<void> Snapshots::QueueCut(std::uint64_t id) {
  return writer_.Do([this, id] { Cut(id); });
}

void Snapshots::Cut(std::uint64_t id) {
  std::optional<std::uint64_t> last_tail;
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->id != id) return;
    last_tail = current_->last_tail;
  }
  if (!last_tail) last_tail = store_.LastTail();
  // What came later need not be in it: one that took over by itself meanwhile will do.
  const auto rotated = store_.LastTail() == *last_tail ? store_.Rotate() : Result<bool>(false);
  if (!rotated) return Fail(id, rotated.error());
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->id != id) return;
    current_->last_tail = last_tail;
    current_->step = Step::kSealing;
  }
  maintainer_.Wake();
}

void Snapshots::Fail(std::uint64_t id, const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->id != id) return;
    current_->step = Step::kFailed;
    current_->error = error;
  }
  if (options_.on_error) options_.on_error(error);
}

void Snapshots::AfterMaintain(const Result<void>& maintained, std::uint64_t now_unix_ns) {
  std::uint64_t id = 0;
  std::uint64_t last_tail = 0;
  {
    const std::lock_guard lock(mutex_);
    if (current_ && IsExpired(now_unix_ns)) current_.reset();
    if (current_ && current_->step == Step::kReady) return;
    if (current_ && current_->step == Step::kSealing) {
      id = current_->id;
      last_tail = *current_->last_tail;
    }
  }
  if (id == 0) return Remove();
  if (store_.IsSealed(last_tail)) return Make(id, now_unix_ns);
  if (!maintained) return Fail(id, maintained.error());
  // Another part was waiting when it was cut: that one is sealed now.
  {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->id != id) return;
    current_->step = Step::kCutting;
  }
  if (const auto queued = QueueCut(id); !queued) Fail(id, queued.error());
}

void Snapshots::Make(std::uint64_t id, std::uint64_t now_unix_ns) {
  may_be_there_ = true;
  if (const auto written = store_.WriteSnapshot(id, now_unix_ns); !written) {
    Fail(id, written.error());
    return Remove();
  }
  const auto is_wanted = [&] {
    const std::lock_guard lock(mutex_);
    if (!current_ || current_->id != id) return false;
    current_->step = Step::kReady;
    return true;
  };
  if (!is_wanted()) Remove();
}

void Snapshots::Remove() {
  if (!may_be_there_) return;
  const auto removed = store_.RemoveSnapshot();
  may_be_there_ = !removed;
  if (!removed && options_.on_error) options_.on_error(removed.error());
}

}  // namespace throughline::store::backup
