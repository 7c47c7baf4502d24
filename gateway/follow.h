// Follows plain log files as they grow and are rotated, so that small users need no shipper.
//
// Files are found by patterns, at every poll. Complete lines are handed over in chunks, at most one
// a file at a time; when it is committed, the file's offset goes on. Offsets are kept in
// `state_path`, and a restart, also after kill -9, goes on where committed lines end: what was
// handed over but not noted is handed over again, cut in another way perhaps, and is told by its
// file's id and its offset (logs/lines.h, LineSource).
//
//   rename and create   the old file is read to its end, and for `rotated_polls` more in case its
//                       writer goes on; the new one from its beginning
//   copytruncate        a file that got shorter, or begins with other bytes, is a new one
//   NUL bytes           in front of a line are left out; holes are jumped over
//   long lines          are cut at `line_bytes`, counted, and their rest is left out
//   a last line         without its newline waits for it, or for the file to be rotated
//
// Where there is no state, files that are there at the first poll are followed from their end, as
// tail -F does; files that come later, and files that came while the gateway was down, from their
// beginning.
//
// One thread calls Poll (FollowThread does); Done may be called from any, also when the follower is
// gone.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "gateway/follow_state.h"

namespace throughline::gateway {

struct FollowOptions {
  std::vector<std::string> patterns;   // Globs, with {a,b}.
  std::string state_path;              // DIR/follow.json.
  std::size_t line_bytes = 1U << 20U;  // Longest line, and the size of a chunk.
  std::size_t files = 1000;            // Followed at once; further ones wait.
  std::size_t rotated_polls = 120;     // Without growth, after which a rotated file is let go.
};

// Complete lines of one file.
struct FollowedLines {
  std::string path;          // By which the file was found first: app.log of what is app.log.1 now.
  std::uint64_t source = 0;  // For LineSource.
  std::uint64_t offset = 0;
  Body lines;
};

// Counters are in all since the start; `files` are of now. Any thread.
struct FollowStats {
  std::atomic<std::uint64_t> files{0};
  std::atomic<std::uint64_t> read_bytes{0};
  std::atomic<std::uint64_t> cut_lines{0};        // Longer than line_bytes.
  std::atomic<std::uint64_t> restarted_files{0};  // Truncated, or another file of the same name.
  std::atomic<std::uint64_t> refused_files{0};    // Over FollowOptions::files, once a poll.
  std::atomic<std::uint64_t> failures{0};         // To open, to read, to note the state.
};

class FileFollower {
 public:
  // Must be called once for each chunk; false: hand it over again later. Must be quick.
  using Done = std::function<void(bool committed)>;
  using Deliver = std::function<void(FollowedLines lines, Done done)>;

  // kDataLoss: the state is there, but cannot be read.
  static Result<std::unique_ptr<FileFollower>> Open(FollowOptions options, Deliver deliver);
  ~FileFollower();
  FileFollower(const FileFollower&) = delete;
  FileFollower& operator=(const FileFollower&) = delete;

  // Looks for files and reads what has come.
  void Poll();
  // Reads on in the files whose chunks are done.
  void Continue();
  // Notes what is done without reading on; the last call.
  void Settle();

  // Called when a chunk is done, on the thread that says so.
  void OnDone(std::function<void()> wake);
  const FollowStats& stats() const { return stats_; }

 private:
  struct File;
  struct Completions;

  FileFollower(FollowOptions options, Deliver deliver);

  void Scan();
  void Find(const std::string& path);
  void Adopt(const std::string& path, bool only_stored);
  bool StartsAtEnd(const std::string& path) const;
  static void GoToEnd(File& file, std::uint64_t size);
  void FindRenamed();

  void ReadAll();
  void Read(File& file);
  static bool IsSame(const File& file, std::uint64_t size);
  void Restart(File& file);
  void ExtendPrint(File& file, std::uint64_t size);
  bool ReadChunk(File& file, std::uint64_t size, bool is_last);
  bool SkipRest(File& file, std::string_view bytes);
  bool SkipPadding(File& file, std::string_view bytes, std::uint64_t size);
  void HandOver(File& file, Body body, bool cut);
  bool TakeCompletions();
  bool Save();

  const FollowOptions options_;
  const Deliver deliver_;
  const std::shared_ptr<Completions> completions_;
  FollowState stored_;  // As of the start, less what was found again.
  bool has_stored_ = false;
  bool first_scan_ = true;
  std::uint64_t next_id_ = 1;
  std::vector<std::unique_ptr<File>> files_;
  bool unsaved_ = false;      // The state has changed.
  bool unnoted_ids_ = false;  // Files have ids that the saved state does not know.
  FollowStats stats_;
};

// Polls a follower every `interval`, and at once when a chunk is done, until it is destroyed.
class FollowThread {
 public:
  FollowThread(FileFollower& follower, std::chrono::milliseconds interval);
  ~FollowThread();
  FollowThread(const FollowThread&) = delete;
  FollowThread& operator=(const FollowThread&) = delete;

 private:
  void Run();

  // Outlives the thread, for chunks that are done later.
  struct Wake {
    std::mutex mutex;
    std::condition_variable changed;
    bool stop = false;
    bool done = false;
  };

  FileFollower& follower_;
  const std::chrono::milliseconds interval_;
  const std::shared_ptr<Wake> wake_;
  std::thread thread_;
};

}  // namespace throughline::gateway
