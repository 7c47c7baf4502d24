// The catalog of a data directory (format.md): what outlives every tail and every segment.
//
// Tiny and fully durable: the hash seed, the tenants' numbers, the segments, and which traces were
// in segments that are dropped. `DIR/LOCK` is held as long as this lives. Any thread, one at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "correlate/result.h"
#include "store/segment/segment_info.h"
#include "store/sqlite/database.h"
#include "store/sqlite/files.h"

namespace throughline::store::sqlite {

// DIR/LOCK, which one process at a time can hold.
class DirectoryLock {
 public:
  static Result<DirectoryLock> Take(const std::string& directory);
  DirectoryLock(DirectoryLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  int file_;
};

// The traces of a segment that retention took.
struct Expired {
  std::uint64_t segment = 0;
  std::uint64_t dropped_unix_ns = 0;
  std::string traces = {};  // segment/bloom.h
};

// All that a catalog says.
struct CatalogContent {
  std::uint64_t hash_seed = 0;
  std::vector<std::string> tenants = {};  // Tenant i has number i + 1.
  std::vector<segment::SegmentInfo> segments = {};
  std::vector<Expired> expired = {};
  std::uint64_t sealed_tail = 0;  // See Catalog::sealed_tail.
  // The snapshot that it was written for, and when that was; 0: none.
  std::uint64_t snapshot = 0;
  std::uint64_t snapshot_unix_ns = 0;
};

inline constexpr std::int64_t kCatalogId = 0x544c4341;  // "TLCA", the application_id.
std::int64_t NewestCatalogSchema();
// Writes a catalog in one file; `path` must not exist. Complete, but not synced.
Result<void> WriteCatalog(const std::string& path, const CatalogContent& content,
                          const char* vfs = nullptr);

class Catalog {
 public:
  // Creates the directory and the file where they are not there. kConflict: a restore into it has
  // not ended.
  static Result<std::unique_ptr<Catalog>> Open(const std::string& directory, const char* vfs,
                                               Files& files);

  std::uint64_t hash_seed() const { return hash_seed_; }
  // As they were when it was opened. Tenant i has number i + 1.
  const std::vector<std::string>& tenants() const { return tenants_; }
  const std::vector<segment::SegmentInfo>& segments() const { return segments_; }
  const std::vector<Expired>& expired() const { return expired_; }
  // The last tail that became a segment; 0: none did.
  std::uint64_t sealed_tail() const { return sealed_tail_; }
  // All that it says now.
  Result<CatalogContent> Read();

  // All durable when they return.
  Result<void> AddTenant(std::uint32_t number, const std::string& name);
  Result<void> AddSegment(const segment::SegmentInfo& info);
  // The kinds of its records that expired.
  Result<void> SetExpired(std::uint64_t segment, segment::Kinds expired);
  // Of the same tail.
  Result<void> ReplaceSegment(std::uint64_t segment, const segment::SegmentInfo& by);
  // Takes a segment out, and remembers its traces.
  Result<void> DropSegment(const Expired& expired);
  Result<void> ForgetExpired(std::span<const std::uint64_t> segments);

 private:
  Catalog(DirectoryLock lock, Database db) : lock_(std::move(lock)), db_(std::move(db)) {}

  DirectoryLock lock_;  // First: outlives the connection.
  std::mutex mutex_;
  Database db_;  // Guarded by mutex_.
  std::uint64_t hash_seed_ = 0;
  std::vector<std::string> tenants_;
  std::vector<segment::SegmentInfo> segments_;
  std::vector<Expired> expired_;
  std::uint64_t sealed_tail_ = 0;
};

}  // namespace throughline::store::sqlite
