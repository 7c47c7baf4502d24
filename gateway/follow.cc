#include "gateway/follow.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "correlate/hash.h"
#include "correlate/thread_name.h"
#include "gateway/log.h"

namespace throughline::gateway {
namespace {

// How many of a file's first bytes tell it from another one.
constexpr std::uint64_t kPrintBytes = 256;
// Chunks of one file in one go, so that no file keeps the others waiting.
constexpr int kRounds = 16;
constexpr std::uint64_t kNeverSeen = UINT64_MAX;
// Makes an id of this data directory's files a LineSource.
constexpr std::uint64_t kSourceSalt = 0x666f6c6c6f77ULL;

std::string LastError() { return std::strerror(errno); }

// A file that is open, and closed with this.
class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  // Nothing to wait for: no FIFO, no terminal.
  static OpenFile Of(const std::string& path) {
    return OpenFile(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  }

  bool is_open() const { return fd_ >= 0; }
  bool Status(struct stat& status) const { return ::fstat(fd_, &status) == 0; }
  // The bytes that are there, at most `size`; negative: it cannot be read.
  ssize_t ReadAt(std::uint64_t offset, char* to, std::size_t size) const {
    ssize_t got = 0;
    do {
      got = ::pread(fd_, to, size, static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    return got;
  }
  // The first offset from `offset` on that is no hole, where the file system knows.
  std::uint64_t SkipHole(std::uint64_t offset) const {
    const off_t data = ::lseek(fd_, static_cast<off_t>(offset), SEEK_DATA);
    return data < 0 ? offset : static_cast<std::uint64_t>(data);
  }
  // The hash of the first `size` bytes. False: they are not there.
  bool Print(std::uint64_t size, std::uint64_t& print) const {
    char bytes[kPrintBytes];
    if (size > kPrintBytes || ReadAt(0, bytes, size) != static_cast<ssize_t>(size)) return false;
    print = HashBytes(bytes, size, 0);
    return true;
  }
  bool HasPrint(std::uint64_t size, std::uint64_t wanted) const {
    std::uint64_t print = 0;
    return size == 0 || (Print(size, print) && print == wanted);
  }

 private:
  int fd_ = -1;
};

bool IsThe(const FollowedFile& place, const struct stat& status) {
  return place.device == status.st_dev && place.inode == status.st_ino;
}

std::vector<std::string> PathsOf(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_BRACE, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

}  // namespace

struct FileFollower::File {
  // Its size when there was no complete line left in it, or kNeverSeen.
  std::uint64_t seen = kNeverSeen;
  FollowedFile place;
  OpenFile open;
  bool found = true;    // By its own path, at the last scan.
  bool let_go = false;  // To be forgotten.
  std::size_t idle_polls = 0;

  bool waiting = false;   // A chunk is not done yet.
  std::uint64_t end = 0;  // Of that chunk.
  bool cut = false;       // In the middle of a line.
  bool failed = false;    // To be tried again at the next poll.
};

struct FileFollower::Completions {
  std::mutex mutex;
  std::vector<std::pair<std::uint64_t, bool>> done;  // Id, committed.
  std::function<void()> wake;

  void Add(std::uint64_t id, bool committed) {
    std::function<void()> call;
    {
      const std::lock_guard lock(mutex);
      done.emplace_back(id, committed);
      call = wake;
    }
    if (call) call();
  }
};

FileFollower::FileFollower(FollowOptions options, Deliver deliver)
    : options_(std::move(options)),
      deliver_(std::move(deliver)),
      completions_(std::make_shared<Completions>()) {}

FileFollower::~FileFollower() = default;

Result<std::unique_ptr<FileFollower>> FileFollower::Open(FollowOptions options, Deliver deliver) {
  std::unique_ptr<FileFollower> follower(new FileFollower(std::move(options), std::move(deliver)));
  auto state = ReadFollowState(follower->options_.state_path);
  if (state) {
    follower->has_stored_ = true;
    follower->next_id_ = state->next_id;
    follower->stored_ = std::move(*state);
  } else if (state.error().code != Errc::kNotFound) {
    return std::move(state).error();
  }
  return follower;
}

void FileFollower::OnDone(std::function<void()> wake) {
  const std::lock_guard lock(completions_->mutex);
  completions_->wake = std::move(wake);
}

void FileFollower::Poll() {
  TakeCompletions();
  Scan();
  for (auto& file : files_) {
    ++file->idle_polls;
    file->failed = false;
  }
  ReadAll();
}

void FileFollower::Continue() {
  if (TakeCompletions()) ReadAll();
}

void FileFollower::Settle() {
  TakeCompletions();
  if (unsaved_) Save();
}

// --- Finding files

void FileFollower::Scan() {
  for (auto& file : files_) file->found = false;
  for (const std::string& pattern : options_.patterns) {
    for (const std::string& path : PathsOf(pattern)) Find(path);
  }
  if (first_scan_) {
    FindRenamed();
    unsaved_ = true;  // With these patterns.
  }
  first_scan_ = false;
  stats_.files.store(files_.size(), std::memory_order_relaxed);
}

void FileFollower::Find(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  for (auto& file : files_) {
    if (!IsThe(file->place, status)) continue;
    if (file->place.path == path) file->found = true;
    return;
  }
  Adopt(path, false);
}

// `only_stored`: not if it is none of the last run's.
void FileFollower::Adopt(const std::string& path, bool only_stored) {
  if (files_.size() >= options_.files) {
    stats_.refused_files.fetch_add(1, std::memory_order_relaxed);
    LogWarn("too many files to follow", {{"path", path}});
    return;
  }
  auto file = std::make_unique<File>();
  file->open = OpenFile::Of(path);
  struct stat status {};
  if (!file->open.is_open() || !file->open.Status(status) || !S_ISREG(status.st_mode)) {
    stats_.failures.fetch_add(1, std::memory_order_relaxed);
    LogWarn("cannot follow a file", {{"path", path}, {"error", LastError()}});
    return;
  }
  const auto stored =
      std::find_if(stored_.files.begin(), stored_.files.end(), [&](const FollowedFile& place) {
        return IsThe(place, status) && file->open.HasPrint(place.print_bytes, place.print);
      });
  if (stored != stored_.files.end()) {
    file->place = std::move(*stored);
    stored_.files.erase(stored);
    file->found = file->place.path == path;
  } else if (only_stored) {
    return;
  } else {
    file->place.path = path;
    file->place.device = status.st_dev;
    file->place.inode = status.st_ino;
    file->place.id = next_id_++;
    unnoted_ids_ = true;
    if (first_scan_ && StartsAtEnd(path))
      GoToEnd(*file, static_cast<std::uint64_t>(status.st_size));
  }
  files_.push_back(std::move(file));
}

// Old lines of a file that nobody has followed yet are not asked for, unless the file came while
// the gateway was down.
bool FileFollower::StartsAtEnd(const std::string& path) const {
  if (!has_stored_) return true;
  if (stored_.patterns == options_.patterns) return false;
  return std::none_of(stored_.files.begin(), stored_.files.end(),
                      [&](const FollowedFile& place) { return place.path == path; });
}

void FileFollower::GoToEnd(File& file, std::uint64_t size) {
  file.place.offset = size;
  char last = '\n';
  if (size > 0) file.open.ReadAt(size - 1, &last, 1);
  file.place.skipping = last != '\n';
}

// What was rotated away while the gateway was down, under another name in its directory.
void FileFollower::FindRenamed() {
  const std::vector<FollowedFile> missing = stored_.files;
  for (const FollowedFile& place : missing) {
    const std::string directory = place.path.substr(0, place.path.rfind('/') + 1);
    DIR* const entries = ::opendir(directory.empty() ? "." : directory.c_str());
    if (entries == nullptr) continue;
    while (const dirent* const entry = ::readdir(entries)) {
      if (entry->d_ino != place.inode) continue;
      struct stat status {};
      const std::string path = directory + entry->d_name;
      if (::stat(path.c_str(), &status) != 0 || !IsThe(place, status)) continue;
      if (S_ISREG(status.st_mode)) Adopt(path, true);
      break;
    }
    ::closedir(entries);
  }
  stored_.files.clear();
}

// --- Reading

void FileFollower::ReadAll() {
  int round = 0;
  do {
    for (auto& file : files_) {
      if (!file->waiting && !file->failed) Read(*file);
    }
  } while (TakeCompletions() && ++round < kRounds);
  const auto let_go =
      std::remove_if(files_.begin(), files_.end(), [](const auto& file) { return file->let_go; });
  if (let_go != files_.end()) unsaved_ = true;
  files_.erase(let_go, files_.end());
  if (unsaved_) Save();
}

void FileFollower::Read(File& file) {
  struct stat status {};
  if (!file.open.Status(status)) return;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const bool is_quiet = size == file.seen;
  if (!is_quiet) {
    file.idle_polls = 0;
    if (!IsSame(file, size)) Restart(file);
    ExtendPrint(file, size);
    int round = 0;
    while (ReadChunk(file, size, false)) {
      if (++round == kRounds) return;
    }
    if (!file.waiting && !file.failed) file.seen = size;
    return;
  }
  if (file.found || file.idle_polls <= options_.rotated_polls) return;
  // Nobody writes to it any more: what is left is a last line without its newline.
  if (!file.place.skipping) ReadChunk(file, size, true);
  if (!file.waiting && !file.failed) file.let_go = true;
}

// False: truncated, or other bytes stand where its first ones were.
bool FileFollower::IsSame(const File& file, std::uint64_t size) {
  const FollowedFile& place = file.place;
  return size >= place.offset && file.open.HasPrint(place.print_bytes, place.print);
}

void FileFollower::Restart(File& file) {
  stats_.restarted_files.fetch_add(1, std::memory_order_relaxed);
  file.place.id = next_id_++;
  file.place.offset = 0;
  file.place.skipping = false;
  file.place.print_bytes = 0;
  unnoted_ids_ = true;
}

void FileFollower::ExtendPrint(File& file, std::uint64_t size) {
  FollowedFile& place = file.place;
  const std::uint64_t wanted = std::min(size, kPrintBytes);
  if (wanted <= place.print_bytes) return;
  if (!file.open.Print(wanted, place.print)) return;
  place.print_bytes = wanted;
  unsaved_ = true;
}

// True: it got further without handing lines over, and may be called again. `is_last`: what is left
// is a line even without a newline.
bool FileFollower::ReadChunk(File& file, std::uint64_t size, bool is_last) {
  FollowedFile& place = file.place;
  if (place.offset >= size) return false;
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(size - place.offset, options_.line_bytes));
  Body body(wanted + Body::kPadding);
  const ssize_t got = file.open.ReadAt(place.offset, body.data(), wanted);
  if (got <= 0) {
    if (got < 0) {
      file.failed = true;
      stats_.failures.fetch_add(1, std::memory_order_relaxed);
      LogWarn("cannot read a file", {{"path", place.path}, {"error", LastError()}});
    }
    return false;
  }
  body.set_size(static_cast<std::size_t>(got));
  const std::string_view bytes = body.view();
  if (place.skipping) return SkipRest(file, bytes);
  if (bytes.front() == '\0') return SkipPadding(file, bytes, size);
  const std::size_t newline = bytes.rfind('\n');
  const bool cut = newline == std::string_view::npos;
  if (cut && bytes.size() < options_.line_bytes && !is_last) return false;
  if (!cut) body.set_size(newline + 1);
  HandOver(file, std::move(body), cut && !is_last);
  return false;
}

bool FileFollower::SkipRest(File& file, std::string_view bytes) {
  const std::size_t newline = bytes.find('\n');
  file.place.skipping = newline == std::string_view::npos;
  file.place.offset += file.place.skipping ? bytes.size() : newline + 1;
  unsaved_ = true;
  return true;
}

// Not at the end of the file: somebody may still write there.
bool FileFollower::SkipPadding(File& file, std::string_view bytes, std::uint64_t size) {
  const std::size_t padding = std::min(bytes.find_first_not_of('\0'), bytes.size());
  const std::uint64_t end = file.place.offset + padding;
  if (end == size) return false;
  file.place.offset = padding < bytes.size() ? end : std::min(file.open.SkipHole(end), size);
  unsaved_ = true;
  return true;
}

void FileFollower::HandOver(File& file, Body body, bool cut) {
  // Lines must never be known by an id that a crash would give again.
  if (unnoted_ids_ && !Save()) {
    file.failed = true;
    return;
  }
  const FollowedFile& place = file.place;
  file.waiting = true;
  file.end = place.offset + body.size();
  file.cut = cut;
  stats_.read_bytes.fetch_add(body.size(), std::memory_order_relaxed);
  auto done = [completions = completions_, id = place.id](bool committed) {
    completions->Add(id, committed);
  };
  deliver_({.path = place.path,
            .source = HashCombine(kSourceSalt, place.id),
            .offset = place.offset,
            .lines = std::move(body)},
           std::move(done));
}

// True: chunks were committed, and their files can be read on.
bool FileFollower::TakeCompletions() {
  std::vector<std::pair<std::uint64_t, bool>> done;
  {
    const std::lock_guard lock(completions_->mutex);
    done.swap(completions_->done);
  }
  bool any = false;
  for (const auto& [id, committed] : done) {
    const auto file = std::find_if(files_.begin(), files_.end(), [id = id](const auto& one) {
      return one->place.id == id && one->waiting;
    });
    if (file == files_.end()) continue;
    File& its = **file;
    its.waiting = false;
    its.failed = !committed;
    its.seen = kNeverSeen;
    if (!committed) continue;
    any = true;
    unsaved_ = true;
    its.place.offset = its.end;
    its.place.skipping = its.cut;
    if (its.cut) stats_.cut_lines.fetch_add(1, std::memory_order_relaxed);
  }
  return any;
}

bool FileFollower::Save() {
  FollowState state;
  state.next_id = next_id_;
  state.patterns = options_.patterns;
  for (const auto& file : files_) state.files.push_back(file->place);
  const auto written = WriteFollowState(state, options_.state_path);
  if (!written) {
    stats_.failures.fetch_add(1, std::memory_order_relaxed);
    LogWarn("cannot note how far files were followed", {{"error", written.error().message}});
    return false;
  }
  unsaved_ = false;
  unnoted_ids_ = false;
  return true;
}

// --- The thread

FollowThread::FollowThread(FileFollower& follower, std::chrono::milliseconds interval)
    : follower_(follower), interval_(interval), wake_(std::make_shared<Wake>()) {
  follower_.OnDone([wake = wake_] {
    {
      const std::lock_guard lock(wake->mutex);
      wake->done = true;
    }
    wake->changed.notify_one();
  });
  thread_ = std::thread([this] { Run(); });
}

FollowThread::~FollowThread() {
  {
    const std::lock_guard lock(wake_->mutex);
    wake_->stop = true;
  }
  wake_->changed.notify_one();
  thread_.join();
}

void FollowThread::Run() {
  NameThread("follow");
  auto next_poll = std::chrono::steady_clock::now();
  for (;;) {
    if (std::chrono::steady_clock::now() >= next_poll) {
      follower_.Poll();
      next_poll = std::chrono::steady_clock::now() + interval_;
    } else {
      follower_.Continue();
    }
    std::unique_lock lock(wake_->mutex);
    wake_->changed.wait_until(lock, next_poll, [this] { return wake_->stop || wake_->done; });
    if (wake_->stop) return;
    wake_->done = false;
  }
}

}  // namespace throughline::gateway
