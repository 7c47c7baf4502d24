// The process ends at each step of sealing and of retention: nothing that was acknowledged is lost
// or doubled, no file stays that nobody needs, and the store goes on.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/store/sealed_world.h"

namespace throughline::store {
namespace {

constexpr const char* kSteps[] = {
    "rotate:created",  "seal:written",  "seal:synced",    "seal:renamed",    "seal:seen",
    "seal:catalogued", "seal:unlinked", "retain:dropped", "retain:unlinked", "retain:forgotten",
};

SqliteStore::Options Options(bool full_durability) {
  SqliteStore::Options options;
  options.hot_bytes = 4U << 20U;
  options.full_durability = full_durability;
  options.retention_ns = kHour;
  options.expired_ns = 10 * kHour;
  return options;
}

void AppendSome(SealedWorld& world) {
  for (int i = 0; i < 3; ++i) ASSERT_FALSE(world.Append(world.RandomGroup()));
}

void Seal(SealedWorld& world) {
  ASSERT_FALSE(world.Rotate());
  AppendSome(world);
  ASSERT_FALSE(world.Maintain());
}

// One segment that is remembered as dropped, one that is due, one that stays, records that are hot.
void Prepare(SealedWorld& world) {
  ASSERT_FALSE(world.Open());
  AppendSome(world);
  Seal(world);
  world.now_unix_ns += 2 * kHour;
  Seal(world);
  world.now_unix_ns += kHour / 2;
  Seal(world);
  AppendSome(world);
  world.now_unix_ns += kHour * 8;
}

// Passes every step.
void PassAll(SealedWorld& world, bool healthy) {
  (void)world.Rotate();
  world.now_unix_ns += 10 * kHour;
  (void)world.Maintain(healthy);
}

void GoOn(SealedWorld& world) {
  ASSERT_FALSE(world.Open());
  world.Check();
  world.CheckExpired();
  ASSERT_FALSE(world.Maintain());
  world.Check();
  AppendSome(world);
  Seal(world);
  world.Check();
  world.CheckExpired();
  world.Close();
  ASSERT_FALSE(world.Open());
  world.Check();
  world.CheckExpired();
}

TEST(SealingCrash, TheStepsAreAllThere) {
  SealedWorld world(1, Options(false));
  std::set<std::string> steps;
  world.on_step = [&](std::string_view step) { steps.emplace(step); };
  Prepare(world);
  PassAll(world, true);
  EXPECT_EQ(steps, std::set<std::string>(std::begin(kSteps), std::end(kSteps)));
}

// Of a segment whose lines expire, and whose other records stay.
constexpr const char* kStepsOfAKind[] = {
    "retain:hidden",  "strip:written", "strip:synced",
    "strip:unlinked", "strip:renamed", "strip:catalogued",
};

void PrepareAKind(SealedWorld& world) {
  world.options().retention_ns = 0;
  world.options().retention_of.logs_ns = kHour;
  ASSERT_FALSE(world.Open());
  AppendSome(world);
  Seal(world);
  world.now_unix_ns += 2 * kHour;
}

TEST(SealingCrash, TheStepsOfAKindAreAllThere) {
  SealedWorld world(2, Options(false));
  std::set<std::string> steps;
  PrepareAKind(world);
  world.on_step = [&](std::string_view step) { steps.emplace(step); };
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(steps, std::set<std::string>(std::begin(kStepsOfAKind), std::end(kStepsOfAKind)));
}

// `left`: absent: the process ends, and all that it wrote is there; else what a power loss leaves.
void EndAt(const char* step, std::uint64_t seed, bool power_loss, bool full_durability) {
  SCOPED_TRACE(std::string(step) + ", seed " + std::to_string(seed));
  SealedWorld world(seed, Options(full_durability));
  const std::string_view name(step);
  const bool of_a_kind = name.starts_with("strip:") || name == "retain:hidden";
  of_a_kind ? PrepareAKind(world) : Prepare(world);
  bool ended = false;
  world.on_step = [&](std::string_view at) {
    if (at != step) return;
    ended = true;
    world.disk().PowerOff();
  };
  PassAll(world, false);
  ASSERT_TRUE(ended);
  world.on_step = nullptr;
  world.Close();
  if (power_loss) {
    world.disk().PowerOn(seed % 4 == 0 ? std::nullopt : std::optional(seed));
    world.NewGeneration();
  } else {
    world.disk().Restart();
  }
  GoOn(world);
}

TEST(SealingCrash, AKilledProcess) {
  std::uint64_t seed = 100;
  for (const char* const step : kSteps) {
    EndAt(step, ++seed, false, false);
    EndAt(step, ++seed, false, true);
    if (HasFatalFailure()) return;
  }
  for (const char* const step : kStepsOfAKind) {
    EndAt(step, ++seed, false, false);
    EndAt(step, ++seed, false, true);
    if (HasFatalFailure()) return;
  }
}

TEST(SealingCrash, APowerLoss) {
  std::uint64_t seed = 1000;
  for (const char* const step : kSteps) {
    for (int i = 0; i < 8; ++i) EndAt(step, ++seed, true, true);
    if (HasFailure()) return;
  }
  for (const char* const step : kStepsOfAKind) {
    for (int i = 0; i < 8; ++i) EndAt(step, ++seed, true, true);
    if (HasFailure()) return;
  }
}

// The same with a real process and a real signal. What it must have kept says a world of the same
// seed that lived on.
TEST(SealingCrash, ARealProcess) {
  std::uint64_t seed = 5000;
  for (const char* const step : kSteps) {
    SCOPED_TRACE(step);
    SealedWorld killed(++seed, Options(false));
    SealedWorld alive(seed, Options(false));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Prepare(killed);
      killed.on_step = [&](std::string_view at) {
        if (at == step) (void)::raise(SIGKILL);
      };
      PassAll(killed, false);
      ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    Prepare(alive);
    const bool has_dropped = std::string_view(step).starts_with("retain:");
    const Asked asked{.rounds = 5, .traces = false, .in_expired = false};
    const std::string before = Answers(Random(seed), alive.reference(), asked);
    PassAll(alive, true);
    const std::string after = Answers(Random(seed), alive.reference(), asked);
    EXPECT_NE(before, after);
    SqliteStore::Options options = killed.options();
    options.on_rotate = nullptr;
    options.sync_point = nullptr;
    auto store = SqliteStore::Open(options);
    ASSERT_TRUE(store) << store.error().message;
    // The first of those that are dropped was; the others are with the next Maintain.
    if (!has_dropped) {
      EXPECT_EQ(Difference(Answers(Random(seed), **store, asked), before), "");
    }
    ASSERT_TRUE((*store)->Maintain(alive.now_unix_ns));
    ASSERT_TRUE((*store)->Rotate());
    ASSERT_TRUE((*store)->Maintain(alive.now_unix_ns));
    EXPECT_EQ(Difference(Answers(Random(seed), **store, asked), after), "");
  }
}

}  // namespace
}  // namespace throughline::store
