// The life of a store, all of it made of one seed: requests of several tenants, retries, late
// records of old traces, giant traces; parts that take over, are sealed and are dropped; snapshots
// for backups; processes
// that end, power that goes, disks that fail or are full for a while. A MemoryStore that got the
// same says what must be answered.
//
// THROUGHLINE_TEST_SEED repeats one life; THROUGHLINE_SIMULATION_SECONDS says for how long new ones
// are tried (CONTRIBUTING.md).
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "store/backup/restore.h"
#include "tests/store/sealed_world.h"

namespace throughline::store {
namespace {

constexpr int kSteps = 100;

SqliteStore::Options RandomOptions(std::uint64_t seed) {
  Random random(seed ^ 0x51b2c3);
  SqliteStore::Options options;
  options.hot_bytes = 32U << 20U;
  options.full_durability = !random.OneIn(3);
  if (random.OneIn(2)) options.seal_bytes = 500'000 + random.Below(200'000);
  if (random.OneIn(2)) options.seal_age_ns = kSecond * (1 + random.Below(600));
  options.seal_wait = std::chrono::milliseconds(0);
  if (random.OneIn(2)) options.retention_ns = 600 * kSecond * (1 + random.Below(6));
  for (std::uint64_t* const age :
       {&options.retention_of.spans_ns, &options.retention_of.logs_ns,
        &options.retention_of.exemplars_ns, &options.retention_of.gauges_ns}) {
    if (random.OneIn(4)) *age = 600 * kSecond * (1 + random.Below(6));
  }
  if (random.OneIn(2)) options.disk_bytes = 60'000 + random.Below(300'000);
  options.pool.open_files = 1 + random.Below(4);
  options.pool.row_bytes = random.OneIn(2) ? 0 : 64'000;
  return options;
}

class Life {
 public:
  explicit Life(std::uint64_t seed) : world_(seed, RandomOptions(seed)), random_(world_.random()) {
    world_.on_step = [this](std::string_view) {
      if (steps_until_off_ > 0 && --steps_until_off_ == 0) world_.disk().PowerOff();
    };
  }

  void Run() {
    Note("open");
    ASSERT_FALSE(world_.Open());
    for (int i = 0; i < kSteps; ++i) {
      Step();
      if (testing::Test::HasFailure()) break;
    }
    if (!testing::Test::HasFailure()) Settle();
    if (testing::Test::HasFailure()) std::cerr << "  what happened: " << history_ << '\n';
  }

 private:
  void Note(const std::string& what) { history_ += what + ", "; }

  void Step() {
    const std::uint64_t kind = random_.Below(100);
    if (kind < 45) return Append();
    if (kind < 55) return Rotate();
    if (kind < 68) return Maintain();
    if (kind < 76) return PassTime();
    if (kind < 83) return Check();
    if (kind < 85) return Snapshot();
    if (kind < 88) return EndProcess();
    if (kind < 93) return EndWithin();
    if (kind < 98) return FailForAWhile();
    FillDisk();
  }

  void Append() {
    Note("append");
    if (const auto error = world_.Append(AGroup())) {
      // Only because a part waits to be sealed, and the next is full.
      EXPECT_EQ(error->code, Errc::kOverloaded) << error->message;
      (void)world_.Retry();
    }
  }
  std::vector<Appending> AGroup() {
    auto group = world_.RandomGroup();
    if (random_.OneIn(40)) group.push_back(Giant());
    return group;
  }
  // One trace of more than a block.
  Appending Giant() {
    Sample sample;
    sample.From({{"service.name", "pay"}, {"generation", static_cast<int>(world_.generation())}});
    const TraceId trace = random_.Trace();
    for (std::uint64_t i = 0; i < 700; ++i) {
      sample.Add(SampleSpan{.trace = trace,
                            .span = {i + 1},
                            .parent = {random_.Below(i + 1)},
                            .start = random_.Time(),
                            .attributes = random_.Attributes()});
      if (i % 20 == 0) {
        sample.Add(SampleLine{.trace = trace, .span = {i + 1}, .body = std::to_string(i)});
      }
    }
    return world_.GroupOf(sample.Finish(), "default").front();
  }

  void Rotate() {
    Note("rotate");
    EXPECT_FALSE(world_.Rotate());
  }
  void Maintain() {
    Note("maintain");
    (void)world_.Maintain();
    world_.CheckExpired();
  }
  void PassTime() {
    const std::uint64_t seconds = random_.Below(random_.OneIn(3) ? 3600 : 60);
    Note(std::to_string(seconds) + " s pass");
    world_.now_unix_ns += seconds * kSecond;
    if (random_.OneIn(3)) return;
    EXPECT_FALSE(world_.Age());
  }
  void Check() {
    Note("check");
    world_.Check(2);
  }

  // What backups copy: beside all else, until it is taken away or the process ends.
  void Snapshot() {
    Note("snapshot");
    (void)world_.Rotate();
    EXPECT_FALSE(world_.Maintain());
    EXPECT_TRUE(world_.store().WriteSnapshot(++snapshots_, world_.now_unix_ns));
    const auto wrong = backup::CheckBackup(world_.data() + "/snapshot", {});
    ASSERT_TRUE(wrong) << wrong.error().message;
    for (const care::Finding& finding : wrong->findings) ADD_FAILURE() << care::Line(finding);
    if (!random_.OneIn(2)) return;  // It goes with the process.
    EXPECT_TRUE(world_.store().RemoveSnapshot());
  }

  // The process ends, the power with it or not, and a new one opens, perhaps with other settings.
  void EndProcess() {
    const bool power_loss = world_.options().full_durability && random_.OneIn(2);
    const bool clean = !world_.disk().is_off() && !power_loss && random_.OneIn(3);
    if (!clean) world_.disk().PowerOff();
    world_.Close();
    if (power_loss) {
      const std::uint64_t seed = random_.engine()();
      Note("power loss");
      world_.disk().PowerOn(random_.OneIn(4) ? std::nullopt : std::optional(seed));
      identities_are_safe_ = false;
    } else if (!clean) {
      Note("kill");
      world_.disk().Restart();
    } else {
      Note("close");
      world_.disk().Heal();
    }
    steps_until_off_ = 0;
    // What recognises retries of sealed records is kept as best the disk can.
    if (!identities_are_safe_) world_.NewGeneration();
    identities_are_safe_ = true;
    ChangeSettings();
    if (random_.OneIn(6)) OpenOnAFailingDisk();
    if (!world_.is_open()) {
      ASSERT_FALSE(world_.Open());
    }
    world_.CheckExpired();
    world_.Check(1);
  }
  void ChangeSettings() {
    SqliteStore::Options& options = world_.options();
    if (options.retention_ns != 0 && random_.OneIn(3)) {
      options.retention_ns = 600 * kSecond * (1 + random_.Below(6));
    }
    if (random_.OneIn(6)) {
      options.retention_of.logs_ns = random_.OneIn(2) ? 0 : 600 * kSecond * (1 + random_.Below(6));
    }
    if (options.disk_bytes != 0 && random_.OneIn(3)) {
      options.disk_bytes = 60'000 + random_.Below(300'000);
    }
  }
  void OpenOnAFailingDisk() {
    const Fault fault = AFault();
    Note("open with " + Describe(fault));
    world_.disk().Fail(fault);
    (void)world_.Open(false);
    world_.disk().Heal();
    // Retries may not be recognised, and files that nobody needs may be there: once more.
    world_.disk().PowerOff();
    world_.Close();
    world_.disk().Restart();
  }
  // Somewhere within what comes next.
  void EndWithin() {
    steps_until_off_ = 1 + random_.Below(8);
    Note("end at step " + std::to_string(steps_until_off_));
    for (int i = 0; i < 3 && !world_.disk().is_off(); ++i) {
      (void)world_.Rotate();
      (void)world_.Maintain(false);
      if (!world_.disk().is_off()) (void)world_.Append(AGroup());
    }
    EndProcess();
  }

  Fault AFault() {
    Fault fault;
    if (!random_.OneIn(8)) {
      fault.operation =
          static_cast<Operation>(random_.Below(static_cast<std::uint64_t>(kLastOperation) + 1));
    }
    fault.first = 1 + random_.Below(random_.OneIn(2) ? 5 : 40);
    fault.count = random_.OneIn(2) ? kForGood : 1 + random_.Below(3);
    constexpr Effect kEffects[] = {Effect::kFails, Effect::kFails, Effect::kTears,
                                   Effect::kComesLate};
    fault.effect = random_.Of(kEffects);
    return fault;
  }
  static std::string Describe(const Fault& fault) {
    return std::string(fault.operation ? OperationName(*fault.operation) : "any call") + " " +
           std::to_string(fault.first) + (fault.count == kForGood ? " and on" : "") + " effect " +
           std::to_string(static_cast<int>(fault.effect));
  }

  void FailForAWhile() {
    const Fault fault = AFault();
    Note("fail " + Describe(fault));
    world_.disk().Fail(fault);
    LiveBadly();
    if (random_.OneIn(3)) return EndProcess();
    world_.disk().Heal();
    GetWell();
  }
  void FillDisk() {
    const std::uint64_t room = random_.Below(200'000);
    Note("full but for " + std::to_string(room));
    world_.disk().LimitBytes(world_.disk().used_bytes() + room);
    LiveBadly();
    world_.disk().LimitBytes(UINT64_MAX);
    GetWell();
  }
  void LiveBadly() {
    world_.CheckWhatIsComplete();
    for (std::uint64_t i = random_.Below(5); i > 0; --i) {
      switch (random_.Below(3)) {
        case 0:
          Note("append?");
          if (world_.has_failed_append()) {
            (void)world_.Retry(false);
          } else {
            (void)world_.Append(AGroup());
          }
          break;
        case 1:
          Note("rotate?");
          (void)(random_.OneIn(2) ? world_.Rotate() : world_.Age());
          break;
        default:
          Note("maintain?");
          (void)world_.Maintain(false);
          identities_are_safe_ = false;
      }
    }
  }
  void GetWell() {
    Note("well");
    // First: retention may have taken what the reference has.
    EXPECT_FALSE(world_.Maintain());
    (void)world_.Retry();
  }

  void Settle() {
    Note("settle");
    world_.Check(3);
    (void)world_.Maintain();
    (void)world_.Rotate();
    (void)world_.Maintain();
    world_.Check(3);
    world_.Close();
    ASSERT_FALSE(world_.Open());
    world_.Check(3);
    world_.CheckExpired();
  }

  SealedWorld world_;
  Random& random_;
  std::uint64_t steps_until_off_ = 0;  // 0: never.
  bool identities_are_safe_ = true;
  std::uint64_t snapshots_ = 0;
  std::string history_;
};

std::chrono::seconds TimeToRun() {
  const char* const given = std::getenv("THROUGHLINE_SIMULATION_SECONDS");
  if (given != nullptr) return std::chrono::seconds(std::strtol(given, nullptr, 10));
  const bool repeats = std::getenv("THROUGHLINE_TEST_SEED") != nullptr;
  return std::chrono::seconds(repeats ? 0 : 3);
}

TEST(StoreSimulation, LivesOfOneSeedEach) {
  std::uint64_t seed = SeedOfThisRun();
  const auto end = std::chrono::steady_clock::now() + TimeToRun();
  std::uint64_t lives = 0;
  do {
    SCOPED_TRACE("THROUGHLINE_TEST_SEED=" + std::to_string(seed));
    Life(seed++).Run();
    ++lives;
  } while (std::chrono::steady_clock::now() < end && !HasFailure());
  RecordProperty("lives", std::to_string(lives));
  if (std::getenv("THROUGHLINE_SIMULATION_SECONDS") != nullptr) {
    std::cout << lives << " lives, the last of seed " << seed - 1 << '\n';
  }
}

}  // namespace
}  // namespace throughline::store
