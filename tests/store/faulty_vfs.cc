#include "tests/store/faulty_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "correlate/check.h"

namespace throughline::store {
namespace {

constexpr std::uint64_t kSectorBytes = 512;
constexpr std::size_t kOperations = static_cast<std::size_t>(kLastOperation) + 1;

struct OperationFacts {
  const char* name;
  int code;  // That it is apt to fail with.
};
constexpr std::array<OperationFacts, kOperations> kFacts = {{
    {"open", SQLITE_CANTOPEN},
    {"read", SQLITE_IOERR_READ},
    {"write", SQLITE_IOERR_WRITE},
    {"sync", SQLITE_IOERR_FSYNC},
    {"truncate", SQLITE_IOERR_TRUNCATE},
    {"delete", SQLITE_IOERR_DELETE},
    {"file size", SQLITE_IOERR_FSTAT},
    {"lock", SQLITE_IOERR_LOCK},
    {"access", SQLITE_IOERR_ACCESS},
    {"shm map", SQLITE_IOERR_SHMMAP},
    {"create directories", SQLITE_IOERR},
    {"rename", SQLITE_IOERR},
    {"sync directory", SQLITE_IOERR_DIR_FSYNC},
    {"list", SQLITE_IOERR},
}};
const OperationFacts& FactsOf(Operation operation) {
  return kFacts[static_cast<std::size_t>(operation)];
}

// A write, or (without bytes) a change of the size.
struct Change {
  std::uint64_t offset = 0;
  std::string bytes;

  void ApplyTo(std::string& image) const {
    if (bytes.empty()) {
      image.resize(offset);
      return;
    }
    image.resize(std::max<std::size_t>(image.size(), offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  // To what lies in [begin, end) of `image`, which keeps its size.
  void ApplyTo(std::string& image, std::uint64_t begin, std::uint64_t end) const {
    const std::uint64_t from = std::max(begin, offset);
    const std::uint64_t to =
        bytes.empty() ? end : std::min<std::uint64_t>(end, offset + bytes.size());
    for (std::uint64_t i = from; i < to; ++i) image[i] = bytes.empty() ? '\0' : bytes[i - offset];
  }
};

struct Inode {
  std::string synced;
  std::vector<Change> unsynced;  // In order.
  std::uint64_t size_bytes = 0;  // Now.

  void Make(Change change) {
    size_bytes = change.bytes.empty()
                     ? change.offset
                     : std::max<std::uint64_t>(size_bytes, change.offset + change.bytes.size());
    unsynced.push_back(std::move(change));
  }
  void Sync() {
    for (const Change& change : unsynced) change.ApplyTo(synced);
    unsynced.clear();
  }
};
using InodeRef = std::shared_ptr<Inode>;
using Names = std::map<std::string, InodeRef>;
// What happens to names in one step; null: it is gone.
using Step = std::vector<std::pair<std::string, InodeRef>>;

void Apply(const Step& step, Names& names) {
  for (const auto& [path, inode] : step) {
    if (inode == nullptr) {
      names.erase(path);
    } else {
      names[path] = inode;
    }
  }
}

// What a power loss leaves of a file (the header's comment).
std::string Torn(const Inode& inode, std::mt19937_64& random) {
  std::string image = inode.synced;
  std::size_t most = image.size();
  std::vector<std::size_t> sizes = {image.size()};
  for (const Change& change : inode.unsynced) {
    sizes.push_back(change.bytes.empty()
                        ? change.offset
                        : std::max<std::size_t>(sizes.back(), change.offset + change.bytes.size()));
    most = std::max(most, sizes.back());
  }
  std::map<std::uint64_t, std::vector<const Change*>> by_sector;
  for (const Change& change : inode.unsynced) {
    const std::uint64_t end = change.bytes.empty() ? most : change.offset + change.bytes.size();
    for (std::uint64_t sector = change.offset / kSectorBytes; sector * kSectorBytes < end; ++sector)
      by_sector[sector].push_back(&change);
  }
  // Were each sector's fate a fair coin, no longer run of them would ever be whole.
  constexpr std::uint64_t kLuck[] = {0, 8, 15, 16};
  const std::uint64_t sixteenths = kLuck[random() % std::size(kLuck)];
  image.resize(most);
  for (const auto& [sector, changes] : by_sector) {
    const bool newest = random() % 16 < sixteenths;
    const std::size_t kept = newest ? changes.size() : random() % changes.size();
    const std::uint64_t begin = sector * kSectorBytes;
    const std::uint64_t end = std::min<std::uint64_t>(begin + kSectorBytes, most);
    for (std::size_t i = 0; i < kept; ++i) changes[i]->ApplyTo(image, begin, end);
  }
  image.resize(sixteenths == 16 ? sizes.back() : sizes[random() % sizes.size()]);
  return image;
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string DirectoryOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

// As SQLite spells paths.
std::string Full(const std::string& path) {
  std::string full = std::filesystem::weakly_canonical(path).string();
  if (full.size() > 1 && full.back() == '/') full.pop_back();
  return full;
}

}  // namespace

const char* OperationName(Operation operation) { return FactsOf(operation).name; }

// All state, under one mutex.
class FaultyVfs::Disk {
 public:
  Disk() : real_(sqlite3_vfs_find(nullptr)) { TL_CHECK(real_ != nullptr); }

  // Counts the call, and does it by `act(Effect)`, unless a fault decides otherwise: kFails stands
  // for "no fault" there.
  template <typename Act>
  int Call(Operation operation, const std::string& path, const Act& act) {
    const std::lock_guard lock(mutex_);
    if (is_off_) return FactsOf(operation).code;
    ++calls_[static_cast<std::size_t>(operation)];
    const Fault* const fault = Due(operation, path);
    if (fault == nullptr) return act(Effect::kFails);
    ++failed_calls_;
    switch (fault->effect) {
      case Effect::kFails: break;
      case Effect::kTears:
      case Effect::kForgets: (void)act(fault->effect); break;
      case Effect::kComesLate: (void)act(Effect::kFails); break;
      case Effect::kPowerOff: is_off_ = true; break;
    }
    return fault->code != 0 ? fault->code : FactsOf(operation).code;
  }

  // --- Called inside of Call.

  // The file that the path names, which exists.
  InodeRef Adopt(const std::string& path) {
    InodeRef& inode = now_[path];
    if (inode == nullptr) {
      inode = std::make_shared<Inode>();
      inode->synced = ReadWhole(path);
      inode->size_bytes = inode->synced.size();
      durable_[path] = inode;
    }
    return inode;
  }
  InodeRef Create(const std::string& path) {
    auto inode = std::make_shared<Inode>();
    Take(DirectoryOf(path), {{path, inode}});
    return inode;
  }
  void Remove(const std::string& path) { Take(DirectoryOf(path), {{path, nullptr}}); }
  void Rename(const std::string& from, const std::string& to) {
    TL_CHECK(DirectoryOf(from) == DirectoryOf(to));
    Take(DirectoryOf(from), {{from, nullptr}, {to, Adopt(from)}});
  }
  void Link(const std::string& from, const std::string& to) {
    Take(DirectoryOf(to), {{to, Adopt(from)}});
  }
  void SyncDirectory(const std::string& directory) {
    for (const Step& step : unsynced_[directory]) Apply(step, durable_);
    unsynced_.erase(directory);
  }
  std::uint64_t used_bytes() const {
    std::uint64_t sum = 0;
    std::set<const Inode*> counted;  // A file may have several names.
    for (const auto& [path, inode] : now_) {
      if (counted.insert(inode.get()).second) sum += inode->size_bytes;
    }
    return sum;
  }
  // How many of `size` bytes at `offset` there is room for.
  std::uint64_t RoomFor(const Inode& inode, std::uint64_t offset, std::uint64_t size) const {
    const std::uint64_t end = offset + size;
    const std::uint64_t used = used_bytes();
    const std::uint64_t room = limit_bytes_ > used ? limit_bytes_ - used : 0;
    if (end <= inode.size_bytes || end - inode.size_bytes <= room) return size;
    const std::uint64_t most = inode.size_bytes + room;
    return most > offset ? most - offset : 0;
  }
  void ApplyFlips(const std::string& path, void* bytes, std::uint64_t size,
                  std::uint64_t offset) const {
    for (const Flip& flip : flips_) {
      if (flip.offset < offset || flip.offset >= offset + size) continue;
      if (path.find(flip.path) == std::string::npos) continue;
      static_cast<unsigned char*>(bytes)[flip.offset - offset] ^= flip.mask;
    }
  }

  // --- For the controller, and for calls that never fail.

  std::lock_guard<std::mutex> Lock() const { return std::lock_guard(mutex_); }
  void Heal() {
    faults_.clear();
    flips_.clear();
    calls_.fill(0);
    failed_calls_ = 0;
  }
  void PowerOn(std::optional<std::uint64_t> seed);

  struct Flip {
    std::string path;
    std::uint64_t offset;
    std::uint8_t mask;
  };
  struct Armed {
    Fault fault;
    std::uint64_t seen = 0;  // Calls that matched.
  };

  sqlite3_vfs* const real_;
  sqlite3_vfs vfs_{};
  std::string name_;
  std::vector<Armed> faults_;
  std::vector<Flip> flips_;
  std::array<std::uint64_t, kOperations> calls_{};
  std::uint64_t failed_calls_ = 0;
  std::uint64_t limit_bytes_ = UINT64_MAX;
  std::uint64_t open_files_ = 0;
  bool is_off_ = false;

 private:
  const Fault* Due(Operation operation, const std::string& path) {
    const Fault* due = nullptr;
    for (Armed& armed : faults_) {
      const Fault& fault = armed.fault;
      if (fault.operation.has_value() && fault.operation != operation) continue;
      if (path.find(fault.path) == std::string::npos) continue;
      ++armed.seen;
      const bool is_due = armed.seen >= fault.first && armed.seen - fault.first < fault.count;
      if (is_due && due == nullptr) due = &fault;
    }
    return due;
  }
  void Take(const std::string& directory, Step step) {
    Apply(step, now_);
    unsynced_[directory].push_back(std::move(step));
  }

  mutable std::mutex mutex_;
  Names now_;
  Names durable_;
  std::map<std::string, std::vector<Step>> unsynced_;  // By directory.
};

void FaultyVfs::Disk::PowerOn(std::optional<std::uint64_t> seed) {
  TL_CHECK(open_files_ == 0);
  std::mt19937_64 random(seed.value_or(0));
  for (const auto& [directory, steps] : unsynced_) {
    const std::size_t kept = seed.has_value() ? random() % (steps.size() + 1) : 0;
    for (std::size_t i = 0; i < kept; ++i) Apply(steps[i], durable_);
  }
  unsynced_.clear();
  for (const auto& [path, inode] : now_) {
    std::filesystem::remove(path);
    std::filesystem::remove(path + "-shm");
  }
  now_.clear();
  for (auto& [path, inode] : durable_) {
    auto left = std::make_shared<Inode>();
    left->synced = seed.has_value() ? Torn(*inode, random) : inode->synced;
    left->size_bytes = left->synced.size();
    std::ofstream(path, std::ios::binary) << left->synced;
    inode = std::move(left);
  }
  now_ = durable_;
  Heal();
  is_off_ = false;
}

// --- The VFS.

namespace {

struct OpenFile {
  void* disk;
  std::string path;
  InodeRef inode;  // Null: a temporary file without a name.
  bool syncs_directory;
  bool delete_on_close;
};

// Lies in memory that SQLite allocates, and aligns to 8 bytes only; the real file follows.
struct FileHeader {
  sqlite3_file file;  // First: SQLite's pointer.
  OpenFile* open;
};
static_assert(alignof(FileHeader) == 8 && sizeof(FileHeader) % 8 == 0);

OpenFile& OpenOf(sqlite3_file* file) { return *reinterpret_cast<FileHeader*>(file)->open; }
sqlite3_file* RealOf(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(FileHeader));
}

}  // namespace

// The functions that SQLite calls.
struct FaultyVfs::Hooks {
  static Disk& DiskOf(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }
  static Disk& DiskOf(sqlite3_file* file) { return *static_cast<Disk*>(OpenOf(file).disk); }

  static int Open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
                  int* out_flags) {
    Disk& disk = DiskOf(vfs);
    file->pMethods = nullptr;
    const std::string path = name != nullptr ? name : "";
    return disk.Call(Operation::kOpen, path, [&](Effect) {
      const bool existed = name != nullptr && std::filesystem::exists(path);
      const int code = disk.real_->xOpen(disk.real_, name, RealOf(file), flags, out_flags);
      if (code != SQLITE_OK) return code;
      constexpr int kJournals =
          SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
      InodeRef inode;
      if (name != nullptr) inode = existed ? disk.Adopt(path) : disk.Create(path);
      reinterpret_cast<FileHeader*>(file)->open = new OpenFile{
          .disk = &disk,
          .path = path,
          .inode = std::move(inode),
          // As the unix VFS does at the first sync of a journal.
          .syncs_directory = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & kJournals) != 0,
          .delete_on_close = name != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) != 0};
      file->pMethods = &kMethods;
      ++disk.open_files_;
      return SQLITE_OK;
    });
  }

  static int Close(sqlite3_file* file) {
    Disk& disk = DiskOf(file);
    const auto lock = disk.Lock();
    const std::unique_ptr<OpenFile> open(&OpenOf(file));
    const int code = RealOf(file)->pMethods->xClose(RealOf(file));
    if (open->delete_on_close && !disk.is_off_) disk.Remove(open->path);
    --disk.open_files_;
    return code;
  }

  static int Read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
    Disk& disk = DiskOf(file);
    const std::string& path = OpenOf(file).path;
    return disk.Call(Operation::kRead, path, [&](Effect) {
      const int code = RealOf(file)->pMethods->xRead(RealOf(file), bytes, size, offset);
      disk.ApplyFlips(path, bytes, static_cast<std::uint64_t>(size),
                      static_cast<std::uint64_t>(offset));
      return code;
    });
  }

  static int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    Disk& disk = DiskOf(file);
    OpenFile& open = OpenOf(file);
    return disk.Call(Operation::kWrite, open.path, [&](Effect effect) {
      int room = size;
      if (open.inode != nullptr) {
        room = static_cast<int>(disk.RoomFor(*open.inode, static_cast<std::uint64_t>(offset),
                                             static_cast<std::uint64_t>(size)));
      }
      const int written = effect == Effect::kTears ? std::min(room, size / 2) : room;
      if (effect == Effect::kForgets) return SQLITE_IOERR_WRITE;
      if (written > 0) {
        const int code = RealOf(file)->pMethods->xWrite(RealOf(file), bytes, written, offset);
        if (code != SQLITE_OK) return code;
        if (open.inode != nullptr) {
          open.inode->Make(
              {.offset = static_cast<std::uint64_t>(offset),
               .bytes = {static_cast<const char*>(bytes), static_cast<std::size_t>(written)}});
        }
      }
      return room < size ? SQLITE_FULL : SQLITE_OK;
    });
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    Disk& disk = DiskOf(file);
    OpenFile& open = OpenOf(file);
    return disk.Call(Operation::kTruncate, open.path, [&](Effect effect) {
      if (effect != Effect::kFails) return SQLITE_IOERR_TRUNCATE;
      const int code = RealOf(file)->pMethods->xTruncate(RealOf(file), size);
      if (code == SQLITE_OK && open.inode != nullptr) {
        open.inode->Make({.offset = static_cast<std::uint64_t>(size), .bytes = {}});
      }
      return code;
    });
  }

  static int Sync(sqlite3_file* file, int) {
    Disk& disk = DiskOf(file);
    OpenFile& open = OpenOf(file);
    return disk.Call(Operation::kSync, open.path, [&](Effect effect) {
      if (open.inode == nullptr || effect == Effect::kTears) return SQLITE_OK;
      if (effect == Effect::kForgets) {
        open.inode->unsynced.clear();
        return SQLITE_OK;
      }
      open.inode->Sync();
      if (std::exchange(open.syncs_directory, false)) {
        disk.SyncDirectory(DirectoryOf(open.path));
      }
      return SQLITE_OK;
    });
  }

  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return DiskOf(file).Call(Operation::kFileSize, OpenOf(file).path, [&](Effect) {
      return RealOf(file)->pMethods->xFileSize(RealOf(file), size);
    });
  }

  static int Lock(sqlite3_file* file, int level) {
    return DiskOf(file).Call(Operation::kLock, OpenOf(file).path, [&](Effect effect) {
      if (effect != Effect::kFails) return SQLITE_IOERR_LOCK;
      return RealOf(file)->pMethods->xLock(RealOf(file), level);
    });
  }

  static int Unlock(sqlite3_file* file, int level) {
    return RealOf(file)->pMethods->xUnlock(RealOf(file), level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* out) {
    return RealOf(file)->pMethods->xCheckReservedLock(RealOf(file), out);
  }
  static int FileControl(sqlite3_file* file, int operation, void* argument) {
    return RealOf(file)->pMethods->xFileControl(RealOf(file), operation, argument);
  }
  static int SectorSize(sqlite3_file* file) {
    return RealOf(file)->pMethods->xSectorSize(RealOf(file));
  }
  static int DeviceCharacteristics(sqlite3_file* file) {
    // Atomic batches would go around Write.
    return RealOf(file)->pMethods->xDeviceCharacteristics(RealOf(file)) &
           ~SQLITE_IOCAP_BATCH_ATOMIC;
  }

  static int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
    return DiskOf(file).Call(Operation::kShmMap, OpenOf(file).path, [&](Effect) {
      return RealOf(file)->pMethods->xShmMap(RealOf(file), region, size, extend, out);
    });
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    return RealOf(file)->pMethods->xShmLock(RealOf(file), offset, count, flags);
  }
  static void ShmBarrier(sqlite3_file* file) { RealOf(file)->pMethods->xShmBarrier(RealOf(file)); }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    return RealOf(file)->pMethods->xShmUnmap(RealOf(file), remove);
  }

  static int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    Disk& disk = DiskOf(vfs);
    return disk.Call(Operation::kDelete, name, [&](Effect effect) {
      if (effect != Effect::kFails) return SQLITE_IOERR_DELETE;
      if (std::filesystem::exists(name)) (void)disk.Adopt(name);
      const int code = disk.real_->xDelete(disk.real_, name, 0);
      if (code != SQLITE_OK) return code;
      disk.Remove(name);
      if (sync_directory != 0) disk.SyncDirectory(DirectoryOf(name));
      return SQLITE_OK;
    });
  }
  static int Access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    Disk& disk = DiskOf(vfs);
    return disk.Call(Operation::kAccess, name,
                     [&](Effect) { return disk.real_->xAccess(disk.real_, name, flags, out); });
  }
  static int FullPathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
    sqlite3_vfs* const real = DiskOf(vfs).real_;
    return real->xFullPathname(real, name, size, out);
  }
  static int Randomness(sqlite3_vfs* vfs, int size, char* out) {
    sqlite3_vfs* const real = DiskOf(vfs).real_;
    return real->xRandomness(real, size, out);
  }
  static int Sleep(sqlite3_vfs*, int microseconds) { return microseconds; }  // Tests wait never.
  static int CurrentTime(sqlite3_vfs* vfs, double* out) {
    sqlite3_vfs* const real = DiskOf(vfs).real_;
    return real->xCurrentTime(real, out);
  }
  static int CurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* out) {
    sqlite3_vfs* const real = DiskOf(vfs).real_;
    return real->xCurrentTimeInt64(real, out);
  }
  // errno says nothing about a fault.
  static int GetLastError(sqlite3_vfs*, int, char*) { return 0; }

  static const sqlite3_io_methods kMethods;
};

// Version 2: without xFetch, so that every read is a call.
const sqlite3_io_methods FaultyVfs::Hooks::kMethods = {
    .iVersion = 2,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Unlock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics,
    .xShmMap = ShmMap,
    .xShmLock = ShmLock,
    .xShmBarrier = ShmBarrier,
    .xShmUnmap = ShmUnmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr};

// --- Files.

class FaultyVfs::FaultyFiles final : public sqlite::Files {
 public:
  explicit FaultyFiles(Disk& disk) : disk_(disk) {}

  Result<void> CreateDirectories(const std::string& directory) override {
    return Do(Operation::kCreateDirectories, "create", directory, [&]() -> Result<void> {
      std::error_code error;  // Without the syncs of SystemFiles().
      std::filesystem::create_directories(directory, error);
      if (error) return sqlite::FileError("create", directory, error.value());
      return {};
    });
  }

  Result<void> Rename(const std::string& from, const std::string& to) override {
    return Do(Operation::kRename, "rename", from, [&]() -> Result<void> {
      const std::string full_from = Full(from);
      const std::string full_to = Full(to);
      TL_TRY(sqlite::SystemFiles().SizeOf(from));  // It is there.
      if (std::filesystem::exists(to)) (void)disk_.Adopt(full_to);
      (void)disk_.Adopt(full_from);
      TL_TRY(sqlite::SystemFiles().Rename(from, to));
      disk_.Rename(full_from, full_to);
      return {};
    });
  }

  Result<void> SyncDirectory(const std::string& directory) override {
    return Do(Operation::kSyncDirectory, "sync", directory, [&]() -> Result<void> {
      TL_TRY(sqlite::SystemFiles().List(directory));  // It is there.
      disk_.SyncDirectory(Full(directory));
      return {};
    });
  }

  Result<void> SyncFile(const std::string& path) override {
    return Do(Operation::kSync, "sync", path, [&]() -> Result<void> {
      TL_TRY(sqlite::SystemFiles().SizeOf(path));  // It is there.
      disk_.Adopt(Full(path))->Sync();
      return {};
    });
  }

  Result<void> Remove(const std::string& path) override {
    return Do(Operation::kDelete, "remove", path, [&]() -> Result<void> {
      if (!std::filesystem::exists(path)) return {};
      const std::string full = Full(path);
      (void)disk_.Adopt(full);
      TL_TRY(sqlite::SystemFiles().Remove(path));
      disk_.Remove(full);
      return {};
    });
  }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    return Do(Operation::kList, "list", directory,
              [&] { return sqlite::SystemFiles().List(directory); });
  }

  Result<std::uint64_t> SizeOf(const std::string& path) override {
    return Do(Operation::kFileSize, "read the size", path,
              [&] { return sqlite::SystemFiles().SizeOf(path); });
  }

  Result<void> Read(const std::string& path, const Visit& visit) override {
    const std::string full = Full(path);
    std::uint64_t offset = 0;
    TL_TRY(Do(Operation::kOpen, "open", path, []() -> Result<void> { return {}; }));
    return sqlite::SystemFiles().Read(path, [&](std::string_view piece) -> Result<void> {
      std::string bytes(piece);
      TL_TRY(Do(Operation::kRead, "read", path, [&]() -> Result<void> {
        disk_.ApplyFlips(full, bytes.data(), bytes.size(), offset);
        return {};
      }));
      offset += bytes.size();
      return visit(bytes);
    });
  }

  Result<void> Copy(const std::string& from, const std::string& to, const Visit& visit) override {
    const std::string full = Full(to);
    InodeRef inode;
    TL_TRY(Do(Operation::kOpen, "open", to, [&]() -> Result<void> {
      inode = std::filesystem::exists(to) ? disk_.Adopt(full) : disk_.Create(full);
      inode->Make({.offset = 0, .bytes = {}});
      std::ofstream(to, std::ios::binary | std::ios::trunc);
      return {};
    }));
    return Read(from, [&](std::string_view piece) -> Result<void> {
      TL_TRY(visit(piece));
      return Do(Operation::kWrite, "write", to, [&]() -> Result<void> {
        const std::uint64_t room = disk_.RoomFor(*inode, inode->size_bytes, piece.size());
        const std::string_view fits = piece.substr(0, static_cast<std::size_t>(room));
        std::ofstream(to, std::ios::binary | std::ios::app) << fits;
        if (!fits.empty()) {
          inode->Make({.offset = inode->size_bytes, .bytes = std::string(fits)});
        }
        if (room < piece.size()) return sqlite::FileError("write", to, ENOSPC);
        return {};
      });
    });
  }

  Result<bool> Link(const std::string& from, const std::string& to) override {
    return Do(Operation::kRename, "link", to, [&]() -> Result<bool> {
      const bool is_there = std::filesystem::exists(from);
      if (is_there) (void)disk_.Adopt(Full(from));
      TL_TRY_ASSIGN(const bool linked, sqlite::SystemFiles().Link(from, to));
      if (linked) disk_.Link(Full(from), Full(to));
      return linked;
    });
  }

  Result<void> RemoveDirectory(const std::string& directory) override {
    return Do(Operation::kDelete, "remove", directory, [&]() -> Result<void> {
      if (!std::filesystem::exists(directory)) return {};
      TL_TRY_ASSIGN(const auto names, sqlite::SystemFiles().List(directory));
      for (const std::string& name : names) {
        const std::string full = Full(directory + '/' + name);
        (void)disk_.Adopt(full);
        disk_.Remove(full);
      }
      return sqlite::SystemFiles().RemoveDirectory(directory);
    });
  }

 private:
  // As the operating system would put it.
  static int ErrnoOf(int code) {
    switch (code & 0xff) {
      case SQLITE_FULL: return ENOSPC;
      case SQLITE_READONLY: return EROFS;
      case SQLITE_CANTOPEN: return EACCES;
      default: return EIO;
    }
  }

  template <typename Act>
  auto Do(Operation operation, const char* verb, const std::string& path, const Act& act)
      -> decltype(act()) {
    std::optional<decltype(act())> done;
    const int code = disk_.Call(operation, path, [&](Effect effect) {
      if (effect != Effect::kFails) return SQLITE_IOERR;
      done.emplace(act());
      return SQLITE_OK;
    });
    if (code != SQLITE_OK) return sqlite::FileError(verb, path, ErrnoOf(code));
    return std::move(*done);
  }

  Disk& disk_;
};

// --- The controller.

FaultyVfs::FaultyVfs() : disk_(new Disk), files_(new FaultyFiles(*disk_)) {
  static std::atomic<int> made{0};
  Disk& disk = *disk_;
  disk.name_ = "throughline-faulty-" + std::to_string(++made);
  disk.vfs_ = {.iVersion = 2,
               .szOsFile = static_cast<int>(sizeof(FileHeader)) + disk.real_->szOsFile,
               .mxPathname = disk.real_->mxPathname,
               .pNext = nullptr,
               .zName = disk.name_.c_str(),
               .pAppData = &disk,
               .xOpen = Hooks::Open,
               .xDelete = Hooks::Delete,
               .xAccess = Hooks::Access,
               .xFullPathname = Hooks::FullPathname,
               .xDlOpen = nullptr,
               .xDlError = nullptr,
               .xDlSym = nullptr,
               .xDlClose = nullptr,
               .xRandomness = Hooks::Randomness,
               .xSleep = Hooks::Sleep,
               .xCurrentTime = Hooks::CurrentTime,
               .xGetLastError = Hooks::GetLastError,
               .xCurrentTimeInt64 = Hooks::CurrentTimeInt64,
               .xSetSystemCall = nullptr,
               .xGetSystemCall = nullptr,
               .xNextSystemCall = nullptr};
  TL_CHECK(sqlite3_vfs_register(&disk.vfs_, 0) == SQLITE_OK);
}

FaultyVfs::~FaultyVfs() {
  TL_CHECK(disk_->open_files_ == 0);
  sqlite3_vfs_unregister(&disk_->vfs_);
}

const char* FaultyVfs::name() const { return disk_->name_.c_str(); }
sqlite::Files& FaultyVfs::files() { return *files_; }

void FaultyVfs::Fail(Fault fault) {
  const auto lock = disk_->Lock();
  disk_->faults_.push_back({.fault = std::move(fault)});
}

void FaultyVfs::Heal() {
  const auto lock = disk_->Lock();
  disk_->Heal();
}

std::uint64_t FaultyVfs::calls(Operation operation) const {
  const auto lock = disk_->Lock();
  return disk_->calls_[static_cast<std::size_t>(operation)];
}

std::uint64_t FaultyVfs::failed_calls() const {
  const auto lock = disk_->Lock();
  return disk_->failed_calls_;
}

void FaultyVfs::LimitBytes(std::uint64_t limit_bytes) {
  const auto lock = disk_->Lock();
  disk_->limit_bytes_ = limit_bytes;
}

std::uint64_t FaultyVfs::used_bytes() const {
  const auto lock = disk_->Lock();
  return disk_->used_bytes();
}

void FaultyVfs::FlipOnRead(const std::string& path, std::uint64_t offset, std::uint8_t mask) {
  const auto lock = disk_->Lock();
  disk_->flips_.push_back({path, offset, mask});
}

void FaultyVfs::PowerOff() {
  const auto lock = disk_->Lock();
  disk_->is_off_ = true;
}

bool FaultyVfs::is_off() const {
  const auto lock = disk_->Lock();
  return disk_->is_off_;
}

void FaultyVfs::PowerOn(std::optional<std::uint64_t> seed) {
  const auto lock = disk_->Lock();
  disk_->PowerOn(seed);
}

void FaultyVfs::Restart() {
  const auto lock = disk_->Lock();
  TL_CHECK(disk_->open_files_ == 0);
  disk_->Heal();
  disk_->is_off_ = false;
}

}  // namespace throughline::store
