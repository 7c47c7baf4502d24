#include "gateway/follow.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace throughline::gateway {
namespace {

namespace fs = std::filesystem;

// A folder of its own, removed with it.
class Folder {
 public:
  Folder() {
    std::string path = (fs::temp_directory_path() / "follow_test.XXXXXX").string();
    path_ = ::mkdtemp(path.data());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  void Append(std::string_view name, std::string_view text) const {
    std::ofstream(*this / name, std::ios::app | std::ios::binary) << text;
  }
  // As a writer that keeps its own offset does.
  void WriteAt(std::string_view name, std::uint64_t offset, std::string_view text) const {
    std::fstream file(*this / name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << text;
  }
  void Truncate(std::string_view name) const { fs::resize_file(*this / name, 0); }
  void Rename(std::string_view from, std::string_view to) const {
    fs::rename(*this / from, *this / to);
  }

 private:
  std::string path_;
};

// A follower and what it has handed over.
class Following {
 public:
  explicit Following(const Folder& folder, std::vector<std::string> names = {"*.log"})
      : folder_(folder) {
    options_.state_path = folder / "follow.json";
    options_.rotated_polls = 2;
    options_.line_bytes = 64;
    for (const std::string& name : names) options_.patterns.push_back(folder / name);
  }

  void Start() {
    auto follower =
        FileFollower::Open(options_, [this](FollowedLines lines, FileFollower::Done done) {
          Take(std::move(lines), std::move(done));
        });
    ASSERT_TRUE(follower) << follower.error().message;
    follower_ = std::move(*follower);
  }
  // As after kill -9: what is done but not taken note of is lost.
  void Restart() {
    held_.clear();
    Start();
  }
  void Poll(int times = 1) {
    for (int i = 0; i < times; ++i) follower_->Poll();
  }
  // What came since the last call: "app.log: text", a chunk each, with | for newlines.
  std::string News() { return std::exchange(news_, {}); }
  void Finish(bool committed) {
    const auto held = std::exchange(held_, {});
    for (const auto& done : held) done(committed);
  }

  FollowOptions options_;
  bool hold_ = false;  // Chunks are done with Finish, not at once.
  std::unique_ptr<FileFollower> follower_;
  std::vector<FollowedLines> chunks_;
  // Of each line.
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::string>> lines_;

 private:
  void Take(FollowedLines lines, FileFollower::Done done) {
    const std::string_view bytes = lines.lines.view();
    std::string shown(bytes);
    for (char& c : shown) c = c == '\n' ? '|' : c;
    news_ += (news_.empty() ? "" : " ") + fs::path(lines.path).filename().string() + ": " + shown;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
      lines_.emplace(lines.source, lines.offset + at, bytes.substr(at, end - at));
      at = end + 1;
    }
    chunks_.push_back(std::move(lines));
    if (hold_) {
      held_.push_back(std::move(done));
    } else {
      done(true);
    }
  }

  const Folder& folder_;
  std::string news_;
  std::vector<FileFollower::Done> held_;
};

TEST(FileFollower, WhatIsThereIsOldAndWhatComesIsRead) {
  const Folder folder;
  folder.Append("a.log", "old\n");
  folder.Append("half.log", "begun ");
  folder.Append("other.txt", "x\n");
  Following following(folder);
  following.Start();
  following.Poll();
  EXPECT_EQ(following.News(), "");
  folder.Append("a.log", "one\ntwo\nthr");
  folder.Append("half.log", "and ended\nnext\n");
  following.Poll();
  EXPECT_EQ(following.News(), "a.log: one|two| half.log: next|");
  following.Poll();
  EXPECT_EQ(following.News(), "");
  folder.Append("a.log", "ee\n");
  folder.Append("b.log", "from the beginning\n");
  following.Poll();
  EXPECT_EQ(following.News(), "a.log: three| b.log: from the beginning|");
  EXPECT_EQ(following.follower_->stats().files, 3U);
  EXPECT_EQ(following.follower_->stats().read_bytes, 8U + 5U + 6U + 19U);
}

TEST(FileFollower, OnlyRegularFiles) {
  const Folder folder;
  fs::create_directory(folder / "d.log");
  ASSERT_EQ(::mkfifo((folder / "f.log").c_str(), 0600), 0);
  fs::create_symlink(folder / "target", folder / "link.log");
  Following following(folder);
  following.Start();
  following.Poll();
  EXPECT_EQ(following.follower_->stats().files, 0U);
  folder.Append("target", "by a link\n");
  following.Poll();
  EXPECT_EQ(following.News(), "link.log: by a link|");
}

TEST(FileFollower, RenameAndCreate) {
  const Folder folder;
  folder.Append("app.log", "");
  Following following(folder);
  following.Start();
  following.Poll();
  folder.Append("app.log", "1\n");
  folder.Rename("app.log", "app.log.1");
  folder.Append("app.log", "2\n");
  folder.Append("app.log.1", "3\n");  // Its writer has not noticed yet.
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 1|3| app.log: 2|");
  EXPECT_NE(following.chunks_[0].source, following.chunks_[1].source);
  folder.Append("app.log.1", "4\nlast words");
  following.Poll(2);
  EXPECT_EQ(following.News(), "app.log: 4|");
  EXPECT_EQ(following.follower_->stats().files, 2U);
  following.Poll(6);
  EXPECT_EQ(following.News(), "app.log: last words");
  following.Poll();
  EXPECT_EQ(following.follower_->stats().files, 1U);
  folder.Append("app.log", "5\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 5|");
}

TEST(FileFollower, RotatedWithinThePattern) {
  const Folder folder;
  Following following(folder, {"app.log*"});
  following.Start();
  following.Poll();
  folder.Append("app.log", "1\n");
  following.Poll();
  folder.Rename("app.log", "app.log.1");
  folder.Append("app.log", "2\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 1| app.log: 2|");  // The old one is not read again.
}

TEST(FileFollower, Copytruncate) {
  const Folder folder;
  Following following(folder);
  following.Start();
  following.Poll();
  folder.Append("app.log", "first line\n");
  following.Poll();
  folder.Truncate("app.log");
  folder.Append("app.log", "new\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: first line| app.log: new|");
  EXPECT_NE(following.chunks_[0].source, following.chunks_[1].source);
  EXPECT_EQ(following.chunks_[1].offset, 0U);
  // Grown past its old size before anybody looked.
  folder.Truncate("app.log");
  folder.Append("app.log", "much longer than it was\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: much longer than it was|");
  EXPECT_EQ(following.follower_->stats().restarted_files, 2U);
}

TEST(FileFollower, PaddingIsLeftOut) {
  const Folder folder;
  Following following(folder);
  following.Start();
  following.Poll();
  folder.Append("app.log", "before\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: before|");
  folder.Truncate("app.log");
  folder.WriteAt("app.log", 7, "after\n");  // Seven zeros first.
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: after|");
  EXPECT_EQ(following.chunks_.back().offset, 7U);
  folder.WriteAt("app.log", 1U << 30U, "behind a hole\n");
  following.Poll(10);  // Past the block of the file system, then at once.
  EXPECT_EQ(following.News(), "app.log: behind a hole|");
  // At the end of a file they may be written over yet.
  folder.Append("app.log", std::string_view("\0\0\0", 3));
  following.Poll();
  folder.WriteAt("app.log", (1U << 30U) + 14, "xyz\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: xyz|");
}

TEST(FileFollower, LongLinesAreCutAndCounted) {
  const Folder folder;
  Following following(folder);
  following.Start();
  following.Poll();
  folder.Append("app.log", "short\n" + std::string(200, 'x'));
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: short| app.log: " + std::string(64, 'x'));
  EXPECT_EQ(following.follower_->stats().cut_lines, 1U);
  following.Restart();  // In the middle of its rest.
  following.Poll();
  EXPECT_EQ(following.News(), "");
  folder.Append("app.log", "xxx\nnext\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: next|");
}

TEST(FileFollower, LargeFilesComeInChunksOfWholeLines) {
  const Folder folder;
  Following following(folder);
  following.Start();
  following.Poll();
  std::string text;
  for (int i = 100; i < 200; ++i) text += "line " + std::to_string(i) + '\n';
  folder.Append("app.log", text);
  for (int i = 0; i < 10; ++i) following.Poll();
  EXPECT_EQ(following.lines_.size(), 100U);
  std::string all;
  for (const FollowedLines& chunk : following.chunks_) {
    EXPECT_LE(chunk.lines.size(), 64U);
    all += chunk.lines.view();
  }
  EXPECT_EQ(all, text);
}

TEST(FileFollower, WhatIsNotCommittedComesAgain) {
  const Folder folder;
  Following following(folder);
  following.Start();
  following.Poll();
  following.hold_ = true;
  folder.Append("app.log", "1\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 1|");
  folder.Append("app.log", "2\n");
  following.Poll();
  EXPECT_EQ(following.News(), "");  // One chunk at a time.
  following.Finish(false);
  following.follower_->Continue();
  EXPECT_EQ(following.News(), "");  // Not at once.
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 1|2|");
  following.Finish(true);
  folder.Append("app.log", "3\n");
  following.follower_->Continue();
  EXPECT_EQ(following.News(), "app.log: 3|");
  // Killed: what was not noted comes again, from the same places.
  following.Restart();
  folder.Append("app.log", "4\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 3|4|");
  const std::size_t last = following.chunks_.size() - 1;
  EXPECT_EQ(following.chunks_[last].source, following.chunks_[last - 1].source);
  EXPECT_EQ(following.chunks_[last].offset, following.chunks_[last - 1].offset);
  // Settled: done, and noted without reading.
  following.Finish(true);
  folder.Append("app.log", "5\n");
  following.follower_->Settle();
  EXPECT_EQ(following.News(), "");
  following.Restart();
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 5|");
}

TEST(FileFollower, WhileTheGatewayWasDown) {
  const Folder folder;
  folder.Append("app.log", "old\n");
  Following following(folder);
  following.Start();
  following.Poll();
  folder.Append("app.log", "1\n");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 1|");
  folder.Append("app.log", "2\n");
  folder.Rename("app.log", "app.log.1");
  folder.Append("app.log", "3\n");
  folder.Append("new.log", "4\n");
  following.Restart();
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 3| new.log: 4| app.log: 2|");
  // Files of a new pattern are old, but for those that were followed.
  folder.Append("far.txt", "old\n");
  folder.Append("new.log", "5\n");
  following.options_.patterns.push_back(folder / "*.txt");
  following.Restart();
  following.Poll();
  EXPECT_EQ(following.News(), "new.log: 5|");
  folder.Append("far.txt", "6\n");
  following.Poll();
  EXPECT_EQ(following.News(), "far.txt: 6|");
  // Truncated meanwhile.
  folder.Truncate("new.log");
  folder.Append("new.log", "7\n");
  following.Restart();
  following.Poll();
  EXPECT_EQ(following.News(), "new.log: 7|");
}

TEST(FileFollower, MoreFilesThanAllowedWait) {
  const Folder folder;
  Following following(folder);
  following.options_.files = 1;
  following.Start();
  following.Poll();
  folder.Append("a.log", "1\n");
  folder.Append("b.log", "2\n");
  following.Poll();
  EXPECT_EQ(following.News(), "a.log: 1|");
  EXPECT_EQ(following.follower_->stats().refused_files, 1U);
  fs::remove(folder / "a.log");
  following.Poll(5);
  EXPECT_EQ(following.News(), "b.log: 2|");
}

TEST(FileFollower, NothingIsHandedOverThatCannotBeNoted) {
  const Folder folder;
  Following following(folder);
  fs::create_directory(folder / "gone");
  following.options_.state_path = folder / "gone/follow.json";
  following.Start();
  fs::remove(folder / "gone");
  following.Poll();
  folder.Append("app.log", "1\n");
  following.Poll();
  EXPECT_EQ(following.News(), "");
  EXPECT_GT(following.follower_->stats().failures, 0U);
  fs::create_directory(folder / "gone");
  following.Poll();
  EXPECT_EQ(following.News(), "app.log: 1|");
}

// Whatever happens to the files and to the gateway, every line comes, once by its place.
TEST(FileFollower, NoLineIsLost) {
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t end) {
      return static_cast<std::uint32_t>(random()) % end;
    };
    const Folder folder;
    Following following(folder);
    following.options_.rotated_polls = 1000;
    following.Start();
    following.Poll();
    std::multiset<std::string> written;
    int number = 0;
    for (int step = 0; step < 100; ++step) {
      switch (below(7)) {
        case 0:
        case 1:
        case 2:
          for (std::uint32_t i = below(6); i > 0; --i) {
            const std::string line = "line " + std::to_string(++number);
            written.insert(line);
            folder.Append("app.log", line + '\n');
          }
          break;
        case 3: following.Poll(); break;
        case 4:
          following.Finish(below(3) > 0);
          following.hold_ = below(2) == 0;
          break;
        case 5:
          // Twice without the gateway looking would lose one, as with any follower.
          following.Poll();
          if (fs::exists(folder / "app.log")) {
            folder.Rename("app.log", "app.log." + std::to_string(step));
          }
          break;
        default: following.Restart();
      }
    }
    following.hold_ = false;
    for (int i = 0; i < 20; ++i) {
      following.Finish(true);
      following.Poll();
    }
    std::multiset<std::string> read;
    for (const auto& line : following.lines_) read.insert(std::get<2>(line));
    EXPECT_EQ(read, written) << "seed " << seed;
  }
}

TEST(FollowState, ReadsWhatItWrites) {
  FollowState state;
  state.next_id = 12;
  state.patterns = {"/var/log/*.log", "a \"b\""};
  state.files.push_back({.path = "/var/log/ü.log",
                         .device = UINT64_MAX,
                         .inode = 2,
                         .id = 3,
                         .offset = 4,
                         .skipping = true,
                         .print = 5,
                         .print_bytes = 6});
  state.files.emplace_back();
  const auto again = ParseFollowState(FollowStateText(state));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(FollowStateText(*again), FollowStateText(state));
  EXPECT_EQ(again->files[0].device, UINT64_MAX);
  EXPECT_TRUE(again->files[0].skipping);
}

TEST(FollowState, DamageIsSaid) {
  const Folder folder;
  EXPECT_EQ(ReadFollowState(folder / "none").error().code, Errc::kNotFound);
  for (const std::string_view text : {"", "{", "[]", "{\"version\":2}", "{\"files\":5}"}) {
    fs::remove(folder / "follow.json");
    folder.Append("follow.json", text);
    const auto state = ReadFollowState(folder / "follow.json");
    ASSERT_FALSE(state) << text;
    EXPECT_EQ(state.error().code, Errc::kDataLoss) << text;
    FollowOptions options;
    options.state_path = folder / "follow.json";
    EXPECT_FALSE(FileFollower::Open(options, {})) << text;
  }
}

TEST(FollowThread, ReadsOnWhenChunksAreDone) {
  const Folder folder;
  folder.Append("empty.log", "");
  FollowOptions options;
  options.patterns = {folder / "*.log"};
  options.state_path = folder / "follow.json";
  options.line_bytes = 8;
  std::mutex mutex;
  std::string read;
  std::vector<std::thread> writers;
  std::promise<void> all;
  auto follower = FileFollower::Open(options, [&](FollowedLines lines, FileFollower::Done done) {
    writers.emplace_back([&, text = std::string(lines.lines.view()), done = std::move(done)] {
      done(true);
      const std::lock_guard lock(mutex);
      read += text;
      if (read.size() == 200) all.set_value();
    });
  });
  ASSERT_TRUE(follower);
  (*follower)->Poll();
  for (int i = 100; i < 150; ++i) folder.Append("app.log", std::to_string(i) + '\n');
  {
    // One poll at the start; the rest comes because chunks are done.
    const FollowThread thread(**follower, std::chrono::hours(1));
    all.get_future().wait();
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(read.size(), 200U);
}

}  // namespace
}  // namespace throughline::gateway
