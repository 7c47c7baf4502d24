// A copy beside a store that goes on: what was acknowledged before is in it, whole.
#include "store/sql/data_copy.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/store/random_records.h"
#include "tests/store/sql/world.h"

namespace throughline::store::sql {
namespace {

namespace fs = std::filesystem;

std::uint64_t SpansIn(const SqliteStore& store) { return store.Usage().spans; }

Result<std::shared_ptr<SqliteStore>> OpenOn(const DataCopy& copy) {
  SqliteStore::Options options;
  options.directory = copy.path();
  TL_TRY_ASSIGN(auto store, SqliteStore::Open(std::move(options)));
  return std::shared_ptr<SqliteStore>(std::move(store));
}

std::vector<std::string> FilesOf(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    files.push_back(entry.path().filename().string() + " " + std::to_string(entry.file_size()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(DataCopy, SaysWhatTheStoreSays) {
  World world(11);
  const auto before = FilesOf(world.data());
  const auto copy = DataCopy::Make(world.data());
  ASSERT_TRUE(copy) << copy.error().message;
  const auto store = OpenOn(*copy);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_GT((*store)->Usage().parts, 3U);
  const Asked asked{.rounds = 10};
  EXPECT_EQ(
      Difference(Answers(Random(3), **store, asked), Answers(Random(3), *world.store(), asked)),
      "");
  EXPECT_EQ(FilesOf(world.data()), before);  // Nothing was touched.
  EXPECT_TRUE(copy->IsWhole());
}

TEST(DataCopy, IsGoneWithItsOwner) {
  World world(11);
  std::string path;
  {
    const auto copy = DataCopy::Make(world.data());
    ASSERT_TRUE(copy);
    path = copy->path();
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(world.store()->FindTrace(AsTenant("default"), {1, 1}, {}));
}

TEST(DataCopy, SaysWhenASegmentWent) {
  World world(11);
  const auto copy = DataCopy::Make(world.data());
  ASSERT_TRUE(copy);
  for (const auto& entry : fs::directory_iterator(world.data())) {
    if (!entry.path().filename().string().starts_with("seg-")) continue;
    fs::remove(entry.path());
    break;
  }
  EXPECT_FALSE(copy->IsWhole());
  // What is left can be asked, and the answer says that it is not all.
  const auto store = OpenOn(*copy);
  ASSERT_TRUE(store);
  auto sql = Connection::Open(*store, {});
  ASSERT_TRUE(sql);
  std::size_t used = 0;
  auto count = (*sql)->Prepare("SELECT count(*) FROM span", &used);
  ASSERT_TRUE(count);
  ASSERT_TRUE(count->Step());
  EXPECT_GT(count->IntegerAt(0), 0);
  EXPECT_EQ((*sql)->TakeNotes().size(), 1U);
}

TEST(DataCopy, OtherDirectoriesAreRefused) {
  World world(11);
  const auto nowhere = DataCopy::Make(world.data() + "/nowhere");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, Errc::kNotFound);
  const std::string other = world.data() + "/other";
  fs::create_directory(other);
  EXPECT_FALSE(DataCopy::Make(other));
  std::ofstream(other + "/catalog.db") << "no database";
  EXPECT_FALSE(DataCopy::Make(other));
}

// Appends, rotations and seals go on while copies are made. Each has at least what was acknowledged
// when it began, and opens.
TEST(DataCopy, BesideAStoreThatGoesOn) {
  World world(11);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> acknowledged{SpansIn(*world.store())};
  std::thread appender([&] {
    for (std::uint64_t i = 1; !stop; ++i) {
      Sample sample(world.store()->hash_seed());
      sample.From({{"service.name", "busy"}});
      for (std::uint64_t k = 0; k < 20; ++k) {
        sample.Add(SampleSpan{.trace = {77, i}, .span = {k + 1}, .name = "work"});
      }
      const std::uint64_t arrival = kNow + (i + 1000) * kSecond;
      const std::vector<Appending> group = {{.tenant = "tenant-" + std::to_string(i % 40),
                                             .batch = sample.Finish(),
                                             .arrival_unix_ns = arrival}};
      if (!world.store()->Append(group)) break;
      acknowledged = SpansIn(*world.store());
      if (i % 7 == 0 && !world.store()->Rotate()) break;
      if (i % 3 == 0 && !world.store()->Maintain(arrival)) break;
    }
  });
  std::uint64_t seen = 0;
  for (int i = 0; i < 12 || acknowledged < 1000; ++i) {
    const std::uint64_t at_least = acknowledged;
    const auto copy = DataCopy::Make(world.data());
    EXPECT_TRUE(copy) << copy.error().message;
    if (!copy) break;
    const auto store = OpenOn(*copy);
    EXPECT_TRUE(store) << store.error().message;
    if (!store) break;
    const std::uint64_t now = SpansIn(**store);
    EXPECT_GE(now, at_least);
    EXPECT_GE(now, seen);
    seen = now;
  }
  stop = true;
  appender.join();
  EXPECT_GT(acknowledged.load(), 1000U);
}

}  // namespace
}  // namespace throughline::store::sql
