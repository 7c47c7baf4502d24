// The snapshot of a running store that a backup copies from.
//
// Begin asks for one. The appending thread lets another part take over, so that all that was
// acknowledged before is in parts that Maintain seals; then Maintain's thread makes DIR/snapshot:
// links to the segments, and a catalog that lists exactly them. It is there until Release, or until
// nobody has looked for `lease_ns`, and as long keeps the room of what retention drops. One at a
// time. What a process left behind goes with the first run of Maintain.
//
// Threads: Begin, Look and Release on any, none waits for the disk. AfterMaintain on Maintain's.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "correlate/result.h"
#include "store/maintainer.h"
#include "store/sqlite/sqlite_store.h"
#include "store/writer.h"

namespace throughline::store::backup {

class Snapshots {
 public:
  struct Options {
    std::uint64_t lease_ns = 300'000'000'000;
    // It was not made, or not removed, which is tried again. On Maintain's thread.
    std::function<void(const Error& error)> on_error = {};
  };
  enum class State : std::uint8_t { kMaking, kReady };

  // All outlive it. The maintainer is started with AfterMaintain.
  Snapshots(SqliteStore& store, Writer& writer, Maintainer& maintainer, Options options)
      : store_(store), writer_(writer), maintainer_(maintainer), options_(std::move(options)) {}
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // `id` is the caller's choice, and not 0. kConflict: there is one that somebody looks at.
  Result<void> Begin(std::uint64_t id, std::uint64_t now_unix_ns);
  // How far it is; renews the lease. kNotFound: it was released, it expired, or it never was.
  // Anything else: why it could not be made, once.
  Result<State> Look(std::uint64_t id, std::uint64_t now_unix_ns);
  // False: there is none of that id.
  bool Release(std::uint64_t id);

  // After each run of Store::Maintain.
  void AfterMaintain(const Result<void>& maintained, std::uint64_t now_unix_ns);

 private:
  enum class Step : std::uint8_t { kCutting, kSealing, kReady, kFailed };
  struct Current {
    std::uint64_t id = 0;
    std::uint64_t looked_unix_ns = 0;
    Step step = Step::kCutting;
    std::optional<std::uint64_t> last_tail = {};  // That has to be sealed; absent: not cut yet.
    Error error = {};                             // kFailed.
  };

  bool IsExpired(std::uint64_t now_unix_ns) const;
  // Has Cut run on the appending thread.
  Result<void> QueueCut(std::uint64_t id);
  void Cut(std::uint64_t id);
  void Fail(std::uint64_t id, const Error& error);
  void Make(std::uint64_t id, std::uint64_t now_unix_ns);
  void Remove();

  SqliteStore& store_;
  Writer& writer_;
  Maintainer& maintainer_;
  const Options options_;
  std::mutex mutex_;
  std::optional<Current> current_;  // Guarded by mutex_.
  bool may_be_there_ = true;        // The folder. Maintain's thread's.
};

}  // namespace throughline::store::backup
