// The VFS of page_check.h: every call goes to the one behind it, with the pages looked at.
#include <sqlite3.h>

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "correlate/check.h"
#include "store/sqlite/page_check.h"

namespace throughline::store::sqlite {
namespace {

// What SQLite has of a file; the real one lies behind it.
struct CheckedFile {
  sqlite3_file base;
  bool reads_only;
};

sqlite3_file* RealOf(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<CheckedFile*>(file) + 1);
}

bool IsPage(int bytes, sqlite3_int64 offset) {
  constexpr auto kBytes = static_cast<sqlite3_int64>(kCheckedPageBytes);
  return bytes == kBytes && offset % kBytes == 0;
}

int Close(sqlite3_file* file) {
  sqlite3_file* const real = RealOf(file);
  return real->pMethods == nullptr ? SQLITE_OK : real->pMethods->xClose(real);
}

int Read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 offset) {
  sqlite3_file* const real = RealOf(file);
  const int code = real->pMethods->xRead(real, to, bytes, offset);
  if (!IsPage(bytes, offset)) return code;
  // SQLite would take what is missing at the end for zeros.
  const bool is_cut = code == SQLITE_IOERR_SHORT_READ;
  if (is_cut && reinterpret_cast<CheckedFile*>(file)->reads_only) return SQLITE_IOERR_DATA;
  if (code != SQLITE_OK) return code;
  const bool whole = IsPageWhole(static_cast<const char*>(to), static_cast<std::uint64_t>(offset));
  return whole ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int Write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 offset) {
  sqlite3_file* const real = RealOf(file);
  if (!IsPage(bytes, offset)) return real->pMethods->xWrite(real, from, bytes, offset);
  char page[kCheckedPageBytes];
  std::memcpy(page, from, sizeof page);
  StampPage(page, static_cast<std::uint64_t>(offset));
  return real->pMethods->xWrite(real, page, bytes, offset);
}

// A call of a file that only goes on to the real one.
template <auto kMethod, typename... Arguments>
int Pass(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* const real = RealOf(file);
  return (real->pMethods->*kMethod)(real, arguments...);
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 1,  // Neither shared memory nor mapped pages, which nobody would look at.
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Pass<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    .xSync = Pass<&sqlite3_io_methods::xSync, int>,
    .xFileSize = Pass<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    .xLock = Pass<&sqlite3_io_methods::xLock, int>,
    .xUnlock = Pass<&sqlite3_io_methods::xUnlock, int>,
    .xCheckReservedLock = Pass<&sqlite3_io_methods::xCheckReservedLock, int*>,
    .xFileControl = Pass<&sqlite3_io_methods::xFileControl, int, void*>,
    .xSectorSize = Pass<&sqlite3_io_methods::xSectorSize>,
    .xDeviceCharacteristics = Pass<&sqlite3_io_methods::xDeviceCharacteristics>,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* BaseOf(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  auto* const checked = new (file) CheckedFile{};
  checked->reads_only = (flags & SQLITE_OPEN_READONLY) != 0;
  RealOf(file)->pMethods = nullptr;
  sqlite3_vfs* const base = BaseOf(vfs);
  const int code = base->xOpen(base, name, RealOf(file), flags, out_flags);
  // SQLite closes what has methods, also where opening failed.
  if (code == SQLITE_OK || RealOf(file)->pMethods != nullptr) file->pMethods = &kMethods;
  return code;
}

template <auto kMethod, typename... Arguments>
int PassOn(sqlite3_vfs* vfs, Arguments... arguments) {
  sqlite3_vfs* const base = BaseOf(vfs);
  return (base->*kMethod)(base, arguments...);
}

struct Registered {
  std::string name;
  sqlite3_vfs vfs{};
};

}  // namespace

const char* CheckingVfs(const char* base) {
  static std::mutex mutex;
  // By the name of the one behind; never unregistered, so never destroyed.
  static auto* const known = new std::map<std::string, std::unique_ptr<Registered>>;
  const std::lock_guard<std::mutex> lock(mutex);
  sqlite3_vfs* const real = sqlite3_vfs_find(base);
  TL_CHECK(real != nullptr);
  std::unique_ptr<Registered>& entry = (*known)[real->zName];
  if (entry != nullptr) return entry->name.c_str();
  entry = std::make_unique<Registered>();
  entry->name = std::string("throughline-checking-") + real->zName;
  entry->vfs = {.iVersion = 1,
                .szOsFile = static_cast<int>(sizeof(CheckedFile)) + real->szOsFile,
                .mxPathname = real->mxPathname,
                .pNext = nullptr,
                .zName = entry->name.c_str(),
                .pAppData = real,
                .xOpen = Open,
                .xDelete = PassOn<&sqlite3_vfs::xDelete, const char*, int>,
                .xAccess = PassOn<&sqlite3_vfs::xAccess, const char*, int, int*>,
                .xFullPathname = PassOn<&sqlite3_vfs::xFullPathname, const char*, int, char*>,
                .xDlOpen = nullptr,
                .xDlError = nullptr,
                .xDlSym = nullptr,
                .xDlClose = nullptr,
                .xRandomness = PassOn<&sqlite3_vfs::xRandomness, int, char*>,
                .xSleep = PassOn<&sqlite3_vfs::xSleep, int>,
                .xCurrentTime = PassOn<&sqlite3_vfs::xCurrentTime, double*>,
                .xGetLastError = PassOn<&sqlite3_vfs::xGetLastError, int, char*>,
                .xCurrentTimeInt64 = nullptr,
                .xSetSystemCall = nullptr,
                .xGetSystemCall = nullptr,
                .xNextSystemCall = nullptr};
  TL_CHECK(sqlite3_vfs_register(&entry->vfs, 0) == SQLITE_OK);
  return entry->name.c_str();
}

}  // namespace throughline::store::sqlite
