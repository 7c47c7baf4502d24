// The durable store on a disk that fails, is full, loses power or is damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "correlate/check.h"
#include "store/sqlite/sqlite_store.h"
#include "tests/store/fault_matrix.h"
#include "tests/store/faulty_vfs.h"
#include "tests/store/new_directory.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What is appended at once: a span for each number, of a tenant each.
struct Group {
  std::string tenant;
  std::vector<std::uint64_t> numbers;
  std::size_t text_bytes = 10;  // Of an attribute.
};

// Small ones, ones of several pages, new tenants.
const std::vector<Group>& Groups() {
  static const std::vector<Group> groups = {
      {.tenant = "default", .numbers = {1}},
      {.tenant = "default", .numbers = {2, 3}},
      {.tenant = "another", .numbers = {4}, .text_bytes = 30'000},
      {.tenant = "default", .numbers = {5, 6, 7}, .text_bytes = 5'000},
      {.tenant = "a third", .numbers = {8}},
  };
  return groups;
}

// A data directory on a disk of its own, and what its store has acknowledged.
class World {
 public:
  explicit World(bool full_durability)
      : full_durability_(full_durability), directory_(NewDirectory()) {}
  ~World() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  FaultyVfs& disk() { return disk_; }
  bool is_open() const { return store_ != nullptr; }
  const std::string& directory() const { return directory_; }

  // Both: an error is one by name.
  bool Open() {
    auto opened = SqliteStore::Open({.directory = directory_ + "/data",
                                     .hot_bytes = 2U << 20U,
                                     .full_durability = full_durability_,
                                     .vfs = disk_.name(),
                                     .files = &disk_.files()});
    if (!opened) return Refused(opened.error());
    store_ = std::move(*opened);
    return true;
  }
  bool Append(const Group& group) {
    std::vector<Appending> appendings;
    for (const std::uint64_t number : group.numbers) {
      Sample sample(store_->hash_seed());
      sample.From({{"service.name", "pay"}});
      sample.Add(SampleSpan{.trace = {1, number},
                            .span = {number},
                            .attributes = {{"text", std::string(group.text_bytes, 'x')},
                                           {"number", std::to_string(number)}}});
      appendings.push_back(
          {.tenant = group.tenant, .batch = sample.Finish(), .arrival_unix_ns = kNow});
    }
    const auto appended = store_->Append(appendings);
    if (!appended) return Refused(appended.error());
    acknowledged_.push_back(group);
    return true;
  }
  void Close() { store_.reset(); }
  const std::vector<Error>& errors() const { return errors_; }
  std::uint64_t FileBytes(const std::string& name) const {
    return std::filesystem::file_size(directory_ + "/data/" + name);
  }

  bool IsAcknowledged(const Group& group) const {
    return std::any_of(acknowledged_.begin(), acknowledged_.end(),
                       [&](const Group& other) { return other.numbers == group.numbers; });
  }
  // How many of a group's spans a reader finds.
  std::size_t Found(const Group& group) const {
    std::size_t count = 0;
    for (const std::uint64_t number : group.numbers) {
      const auto trace = store_->FindTrace(AsTenant(group.tenant), {1, number}, {});
      EXPECT_TRUE(trace);
      count += trace->records.spans.size();
    }
    return count;
  }
  // All that was acknowledged is found, once; of what was not, nothing, or, where the store was
  // opened anew since, all or nothing of a group.
  void Check(bool reopened) const {
    for (const Group& group : Groups()) {
      const std::size_t found = Found(group);
      if (IsAcknowledged(group)) {
        EXPECT_EQ(found, group.numbers.size()) << "lost: " << group.numbers[0];
      } else if (!reopened) {
        EXPECT_EQ(found, 0u) << "not acknowledged: " << group.numbers[0];
      } else {
        EXPECT_TRUE(found == 0 || found == group.numbers.size()) << "half: " << group.numbers[0];
      }
    }
  }

  // Opens; what is not found then, and all that was acknowledged after it, counts as never
  // acknowledged.
  void ForgetWhatIsLost() {
    ASSERT_TRUE(Open());
    const auto lost = std::find_if(acknowledged_.begin(), acknowledged_.end(),
                                   [&](const Group& group) { return Found(group) == 0; });
    for (auto later = lost; later != acknowledged_.end(); ++later) EXPECT_EQ(Found(*later), 0u);
    acknowledged_.erase(lost, acknowledged_.end());
  }

  // Opens, appends what is not acknowledged, closes, opens and appends again; goes on after errors.
  void Run() {
    bool reopened = false;
    for (int round = 0; round < 2; ++round) {
      if (!is_open() && !Open()) continue;
      for (std::size_t i = 0; i < Groups().size() - (round == 0 ? 1 : 0); ++i) {
        if (IsAcknowledged(Groups()[i])) continue;
        // Opened with a commit that was not acknowledged.
        if (reopened && Found(Groups()[i]) > 0) continue;
        const bool appended = Append(Groups()[i]);
        EXPECT_EQ(Found(Groups()[i]), appended ? Groups()[i].numbers.size() : 0);
      }
      Check(reopened);
      if (round == 0) Close();
      reopened = true;
    }
  }
  // The disk is well again: everything works, and stays.
  void Recover() {
    if (!is_open()) {
      ASSERT_TRUE(Open());
    }
    Check(true);
    for (const Group& group : Groups()) {
      if (!IsAcknowledged(group)) {
        ASSERT_TRUE(Append(group));
      }
    }
    Check(true);
    Close();
    ASSERT_TRUE(Open());
    Check(true);
    Close();
  }

 private:
  bool Refused(const Error& error) {
    EXPECT_TRUE(error.code == Errc::kUnavailable || error.code == Errc::kDataLoss) << error.message;
    EXPECT_THAT(error.message, HasSubstr(directory_));
    errors_.push_back(error);
    return false;
  }

  const bool full_durability_;
  std::string directory_;
  FaultyVfs disk_;
  std::unique_ptr<SqliteStore> store_;
  std::vector<Group> acknowledged_;
  std::vector<Error> errors_;
};

std::string Describe(const Fault& fault) {
  return std::string(fault.operation.has_value() ? OperationName(*fault.operation) : "any call") +
         " " + std::to_string(fault.first) + ", code " + std::to_string(fault.code) + ", effect " +
         std::to_string(static_cast<int>(fault.effect));
}

// Runs with the fault at the first, second, third … call, until it meets none.
void AtEveryCall(Fault fault, bool full_durability) {
  FaultRow row{full_durability ? "intake, full durability" : "intake"};
  for (fault.first = 1;; ++fault.first) {
    SCOPED_TRACE(Describe(fault));
    World world(full_durability);
    world.disk().Fail(fault);
    world.Run();
    for (const Error& error : world.errors()) {
      EXPECT_EQ(error.code, Errc::kUnavailable) << error.message;
    }
    const bool met = world.disk().failed_calls() > 0;
    world.disk().Heal();
    world.Recover();
    // Least of all does a fault that is over weaken what was acknowledged since.
    world.disk().PowerOn({});
    if (full_durability) world.Recover();
    if (testing::Test::HasFailure()) return;
    if (!met) return row.Print(fault);
    ++row.places;
    row.refused += world.errors().empty() ? 0U : 1U;
  }
}

TEST(StoreFaults, ACallThatFailsOnce) {
  for (int operation = 0; operation <= static_cast<int>(kLastOperation); ++operation) {
    AtEveryCall({.operation = static_cast<Operation>(operation)}, true);
    AtEveryCall({.operation = static_cast<Operation>(operation)}, false);
  }
}

TEST(StoreFaults, ACallThatFailsFromThenOn) {
  for (int operation = 0; operation <= static_cast<int>(kLastOperation); ++operation) {
    AtEveryCall({.operation = static_cast<Operation>(operation), .count = kForGood}, true);
  }
  AtEveryCall({.count = kForGood}, true);
}

TEST(StoreFaults, OtherCodesAndEffects) {
  for (const Fault& fault : std::vector<Fault>{
           {.operation = Operation::kOpen, .code = SQLITE_READONLY},
           {.operation = Operation::kWrite, .code = SQLITE_FULL},
           {.operation = Operation::kWrite, .code = SQLITE_READONLY},
           {.operation = Operation::kWrite, .effect = Effect::kTears},
           {.operation = Operation::kWrite, .code = SQLITE_FULL, .effect = Effect::kTears},
           {.operation = Operation::kWrite, .effect = Effect::kComesLate},
           {.operation = Operation::kSync, .code = SQLITE_FULL},
           {.operation = Operation::kSync, .effect = Effect::kComesLate},
           {.operation = Operation::kTruncate, .effect = Effect::kComesLate},
           {.operation = Operation::kDelete, .effect = Effect::kComesLate},
       }) {
    AtEveryCall(fault, true);
  }
}

// What Linux forgot after a failed fsync is written again by who tries again. (Not by who opens
// anew: then the file looks whole until the machine starts anew.)
TEST(StoreFaults, WhatAFailedSyncForgotIsWrittenAgain) {
  for (Fault fault{.operation = Operation::kSync, .effect = Effect::kForgets};; ++fault.first) {
    SCOPED_TRACE(Describe(fault));
    World world(true);
    ASSERT_TRUE(world.Open());
    world.disk().Fail(fault);
    for (const Group& group : Groups()) ASSERT_TRUE(world.Append(group) || world.Append(group));
    const bool met = world.disk().failed_calls() > 0;
    world.disk().PowerOff();
    world.Close();
    world.disk().PowerOn({});
    world.Recover();
    if (HasFailure() || !met) return;
  }
}

// Runs with the power going at the first, second, third … call of each kind that changes something,
// and some of the unsynced sectors left; then `check`s what is there.
void PowerLossAtEveryCall(bool full_durability, const std::function<void(World&)>& check) {
  std::uint64_t seed = 0;
  for (const Operation operation : {Operation::kOpen, Operation::kWrite, Operation::kSync,
                                    Operation::kTruncate, Operation::kDelete}) {
    bool went_off = true;
    for (Fault fault{.operation = operation, .effect = Effect::kPowerOff}; went_off;
         ++fault.first) {
      for (int variant = 0; variant < 5; ++variant, ++seed) {
        SCOPED_TRACE(Describe(fault) + ", seed " + std::to_string(seed));
        World world(full_durability);
        world.disk().Fail(fault);
        world.Run();
        went_off = world.disk().is_off();
        world.disk().PowerOff();
        world.Close();
        world.disk().PowerOn(variant == 0 ? std::nullopt : std::optional(seed));
        check(world);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
  EXPECT_GT(seed, 300u);
}

TEST(StoreFaults, PowerLossKeepsWhatWasAcknowledged) {
  PowerLossAtEveryCall(true, [](World& world) { world.Recover(); });
}

// Without full durability it may lose, but only the newest, and whole groups.
TEST(StoreFaults, PowerLossLosesFromTheEnd) {
  PowerLossAtEveryCall(false, [](World& world) {
    world.ForgetWhatIsLost();
    world.Recover();
  });
}

// A killed process leaves commits that no sync has reached, and the next one finds them. It must
// not acknowledge a retry of them, nor a record of a tenant that only they know, before they are
// durable.
TEST(StoreFaults, PowerLossAfterAKilledProcessKeepsWhatWasAcknowledged) {
  for (const char* path : {"tail-", "catalog", ""}) {
    for (Fault fault{.operation = Operation::kSync, .path = path, .effect = Effect::kPowerOff};;
         ++fault.first) {
      SCOPED_TRACE(path + Describe(fault));
      World world(true);
      world.disk().Fail(fault);
      world.Run();
      const bool killed = world.disk().is_off();
      world.Close();
      world.disk().PowerOff();
      world.disk().Restart();
      ASSERT_TRUE(world.Open());
      for (const Group& group : Groups()) {
        ASSERT_TRUE(world.Append(group));
      }
      world.disk().PowerOff();
      world.Close();
      world.disk().PowerOn({});
      world.Recover();
      if (HasFailure()) return;
      if (!killed) break;
    }
  }
}

TEST(StoreFaults, AFullDiskIsNamed) {
  std::uint64_t limit_bytes = 0;
  for (std::size_t refused = 1; refused > 0; limit_bytes += 1'500) {
    SCOPED_TRACE(limit_bytes);
    World world(true);
    world.disk().LimitBytes(limit_bytes);
    world.Run();
    refused = world.errors().size();
    for (const Error& error : world.errors()) {
      EXPECT_THAT(error.message, StartsWith("disk full: " + world.directory()));
    }
    world.disk().LimitBytes(UINT64_MAX);
    world.Recover();
    if (HasFailure()) return;
  }
  EXPECT_GT(limit_bytes, 100'000u);
}

TEST(StoreFaults, RoomIsTakenAgainWithoutARestart) {
  World world(false);
  ASSERT_TRUE(world.Open());
  ASSERT_TRUE(world.Append(Groups()[0]));
  world.disk().LimitBytes(world.disk().used_bytes() + 25'000);
  for (int again = 0; again < 3; ++again) EXPECT_FALSE(world.Append(Groups()[2]));
  world.Check(false);
  EXPECT_TRUE(world.Append(Groups()[1])) << "small enough";
  world.disk().LimitBytes(UINT64_MAX);
  EXPECT_TRUE(world.Append(Groups()[2]));
  world.Check(false);
}

// Damage is refused by name, or is without consequence for what can be read at all; and where it
// was only read, nothing is lost.
TEST(StoreFaults, DamageIsRefusedOrReadAround) {
  World world(true);
  world.Run();
  world.Recover();
  std::mt19937_64 random(5);
  for (const char* file : {"catalog.db", "tail-0-1.db", "tail-0-1.db-wal"}) {
    const std::uint64_t bytes = world.FileBytes(file);
    for (int round = 0; round < 150; ++round) {
      // Headers are small, and matter most.
      const std::uint64_t offset = random() % (round < 50 ? 100 : bytes);
      const auto mask = static_cast<std::uint8_t>(1U << (random() % 8));
      SCOPED_TRACE(file + (" " + std::to_string(offset)) + ", mask " + std::to_string(mask));
      world.disk().FlipOnRead(std::string("/") + file, offset, mask);
      if (world.Open()) {
        for (const Group& group : Groups()) EXPECT_LE(world.Found(group), group.numbers.size());
      }
      world.Close();
      world.disk().Heal();
      if (HasFailure()) return;
    }
    EXPECT_FALSE(world.errors().empty());
    world.Recover();
  }
}

}  // namespace
}  // namespace throughline::store
