// A store that seals, on a disk that tests break, beside a MemoryStore that holds what it must
// hold.
//
// The model knows which records were acknowledged, in which hot part each was stored, which parts
// became segments, and which of those retention took: all by the names of the files. Appends that
// failed are tried again where the store may have kept them, as a client would, before anything is
// compared. Made of one seed; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"
#include "tests/store/faulty_vfs.h"
#include "tests/store/random_records.h"

namespace throughline::store {

class SealedWorld {
 public:
  // The directory, the disk and the callbacks of `options` are the world's.
  SealedWorld(std::uint64_t seed, SqliteStore::Options options);
  ~SealedWorld();
  SealedWorld(const SealedWorld&) = delete;
  SealedWorld& operator=(const SealedWorld&) = delete;

  FaultyVfs& disk() { return disk_; }
  Random& random() { return random_; }
  SqliteStore& store() { return *store_; }
  const MemoryStore& reference() const { return *reference_; }
  bool is_open() const { return store_ != nullptr; }
  SqliteStore::Options& options() { return options_; }
  const std::string& data() const { return options_.directory; }
  // Called with each sync point that the store passes.
  std::function<void(std::string_view)> on_step;

  std::uint64_t now_unix_ns = 1'750'000'000 * kSecond + 60;

  // Each of these: absent, or why it failed, which must have one of the codes of a failing disk.
  // `healthy`: nothing is armed, so it must work, and all that is on the disk is looked at.
  std::optional<Error> Open(bool healthy = true);
  std::optional<Error> Append(std::vector<Appending> group);
  std::optional<Error> Rotate();
  std::optional<Error> Age();
  std::optional<Error> Maintain(bool healthy = true);
  // Ends the process: `disk` says what is left.
  void Close() { store_.reset(); }
  // What was done for retries may be lost: records made from here on equal no earlier ones.
  void NewGeneration() { ++generation_; }
  std::uint64_t generation() const { return generation_; }
  // The append that failed last, as its client would. A healthy Open does it by itself.
  std::optional<Error> Retry(bool healthy = true);
  bool has_failed_append() const { return failed_.has_value(); }

  // Some requests: new ones, and retries of this generation.
  std::vector<Appending> RandomGroup();
  std::vector<Appending> GroupOf(std::shared_ptr<const Batch> batch, std::string tenant);

  // Everything that is asked is answered as the reference answers it.
  void Check(int rounds = 3);
  // Whoever says that an answer is complete says what the reference says. For a disk that fails.
  void CheckWhatIsComplete();
  // The traces of dropped segments, and of those whose spans expired, say so, where nothing of them
  // is left.
  void CheckExpired();

  std::vector<std::string> Files() const;  // Of the data directory.
  std::size_t segment_count() const;
  std::size_t dropped_count() const;

 private:
  using Identity = std::tuple<std::string, int, std::uint64_t>;
  // What one tail holds, or held.
  struct Epoch {
    std::vector<Appending> stored;  // Without the records that were known already.
    std::uint64_t segment = 0;
    std::uint64_t last_arrival_unix_ns = 0;
    bool is_dropped = false;
    std::uint64_t dropped_unix_ns = 0;
    bool is_remembered = true;   // Its traces are, once it is dropped.
    segment::Kinds expired = 0;  // Of a segment that is there.
  };
  struct Failed {
    std::vector<Appending> group;
    std::uint64_t tail = 0;
  };

  // The records of an appending that are new, whose identities it notes.
  std::shared_ptr<const Batch> NewOf(const Appending& appending, std::set<Identity>& known) const;
  void Store(std::uint64_t tail, const std::vector<Appending>& fresh);
  void Refused(const Error& error);
  void LookAtFiles(bool was_healthy);
  void LookAtRetention();
  // What has expired of segments that are there; true: more than before.
  bool LookAtExpired();
  bool HasAges() const;
  // The kinds that it holds, and until when a kind is kept.
  static segment::Kinds KindsOf(const Epoch& epoch);
  std::uint64_t KeptUntil(const Epoch& epoch, segment::Kinds kind) const;
  void Rebuild();

  Random random_;
  std::string directory_;
  FaultyVfs disk_;
  SqliteStore::Options options_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<MemoryStore> reference_;
  std::map<std::uint64_t, Epoch> epochs_;  // By tail.
  std::uint64_t active_ = 1;               // Its tail.
  std::set<Identity> known_;               // That the store deduplicates against.
  std::set<std::string> tenants_;
  std::vector<Appending> requests_;  // Of this generation, for retries.
  std::uint64_t requests_of_ = 0;
  std::uint64_t generation_ = 1;
  bool maintained_unwell_ = false;  // Since the files were looked at last.
  std::optional<Failed> failed_;
};

}  // namespace throughline::store
