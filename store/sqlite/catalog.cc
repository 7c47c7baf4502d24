#include "store/sqlite/catalog.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <random>

#include "store/sqlite/file_names.h"
#include "store/sqlite/owned_file.h"

namespace throughline::store::sqlite {
namespace {

// Never edited once released; appended.
constexpr const char* kMigrations[] = {
    // 1: what outlives every tail.
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE tenant (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;",
    // 2: sealed segments, and the traces of those that retention took.
    "CREATE TABLE segment (id INTEGER PRIMARY KEY, tail INTEGER NOT NULL UNIQUE, file TEXT NOT"
    " NULL, format INTEGER NOT NULL, traces INTEGER NOT NULL, spans INTEGER NOT NULL, logs INTEGER"
    " NOT NULL, exemplars INTEGER NOT NULL, gauges INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, first_arrival_ns INTEGER NOT NULL,"
    " last_arrival_ns INTEGER NOT NULL) STRICT;"
    "CREATE TABLE expired (segment INTEGER PRIMARY KEY, dropped_ns INTEGER NOT NULL, traces BLOB"
    " NOT NULL) STRICT;",
    // 3: what segments hash to, so that any change of them is found.
    "ALTER TABLE segment ADD COLUMN hash INTEGER NOT NULL DEFAULT 0;",
    // 4: kinds of records that expired, and those that were removed from the file (KindBit).
    "ALTER TABLE segment ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE segment ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;",
};

std::int64_t Signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Result<void> InsertTenant(Database& db, std::uint32_t number, const std::string& name) {
  TL_TRY_ASSIGN(auto insert, db.Prepare("INSERT INTO tenant (id, name) VALUES (?, ?)"));
  return insert.Run(std::int64_t{number}, std::string_view(name));
}

Result<void> InsertSegment(Database& db, const segment::SegmentInfo& info) {
  TL_TRY_ASSIGN(auto insert,
                db.Prepare("INSERT INTO segment (id, tail, file, format, traces, spans, logs,"
                           " exemplars, gauges, bytes, first_ns, last_ns, first_arrival_ns,"
                           " last_arrival_ns, hash, expired, removed) VALUES (?, ?, ?, ?, ?, ?, ?,"
                           " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  return insert.Run(Signed(info.id), Signed(info.tail), std::string_view(info.file), info.format,
                    Signed(info.traces), Signed(info.spans), Signed(info.logs),
                    Signed(info.exemplars), Signed(info.gauges), Signed(info.bytes),
                    Signed(info.time.start_unix_ns), Signed(info.time.end_unix_ns),
                    Signed(info.first_arrival_unix_ns), Signed(info.last_arrival_unix_ns),
                    Signed(info.hash), std::int64_t{info.expired}, std::int64_t{info.removed});
}

Result<void> InsertExpired(Database& db, const Expired& expired) {
  TL_TRY_ASSIGN(auto insert, db.Prepare("INSERT INTO expired (segment, dropped_ns, traces) VALUES"
                                        " (?, ?, ?)"));
  return insert.Run(Signed(expired.segment), Signed(expired.dropped_unix_ns), Blob{expired.traces});
}

Result<void> InsertSeed(Database& db, std::uint64_t seed) {
  TL_TRY_ASSIGN(auto insert,
                db.Prepare("INSERT INTO setting (name, value) VALUES ('hash_seed', ?)"));
  return insert.Run(Signed(seed));
}

// Drawn once per data directory, so that identities outlive a restart.
Result<std::uint64_t> HashSeed(Database& catalog, const std::string& path, bool has_records) {
  TL_TRY_ASSIGN(auto find, catalog.Prepare("SELECT value FROM setting WHERE name = 'hash_seed'"));
  {
    auto row = find.Use();
    if (row.Next()) return static_cast<std::uint64_t>(row.Integer(0));
    TL_TRY(row.Finish());
  }
  if (has_records) {
    return Error{Errc::kDataLoss, "damaged: " + path + ": no hash seed, and there are records"};
  }
  std::random_device random;
  const std::uint64_t seed = (std::uint64_t{random()} << 32U) | random();
  TL_TRY(InsertSeed(catalog, seed));
  return seed;
}

// Absent until the first segment.
Result<std::uint64_t> SealedTail(Database& catalog) {
  TL_TRY_ASSIGN(auto find, catalog.Prepare("SELECT value FROM setting WHERE name = 'sealed_tail'"));
  auto row = find.Use();
  const std::uint64_t last = row.Next() ? static_cast<std::uint64_t>(row.Integer(0)) : 0;
  TL_TRY(row.Finish());
  return last;
}

Result<void> Note(Database& catalog, std::string_view name, std::uint64_t value) {
  TL_TRY_ASSIGN(auto note,
                catalog.Prepare("INSERT INTO setting (name, value) VALUES (?, ?)"
                                " ON CONFLICT (name) DO UPDATE SET value = excluded.value"));
  return note.Run(name, Signed(value));
}

Result<void> NoteSealedTail(Database& catalog, std::uint64_t tail) {
  return Note(catalog, "sealed_tail", tail);
}

Result<std::vector<std::string>> Tenants(Database& catalog) {
  TL_TRY_ASSIGN(auto list, catalog.Prepare("SELECT name FROM tenant ORDER BY id"));
  std::vector<std::string> names;
  auto row = list.Use();
  while (row.Next()) names.emplace_back(row.Text(0));
  TL_TRY(row.Finish());
  return names;
}

Result<std::vector<segment::SegmentInfo>> Segments(Database& catalog) {
  TL_TRY_ASSIGN(
      auto list,
      catalog.Prepare("SELECT id, tail, file, format, traces, spans, logs, exemplars,"
                      " gauges, bytes, first_ns, last_ns, first_arrival_ns,"
                      " last_arrival_ns, hash, expired, removed FROM segment ORDER BY id"));
  std::vector<segment::SegmentInfo> segments;
  auto row = list.Use();
  const auto number = [&row](int column) {
    return static_cast<std::uint64_t>(row.Integer(column));
  };
  while (row.Next()) {
    segments.push_back({.id = number(0),
                        .tail = number(1),
                        .file = std::string(row.Text(2)),
                        .format = row.Integer(3),
                        .traces = number(4),
                        .spans = number(5),
                        .logs = number(6),
                        .exemplars = number(7),
                        .gauges = number(8),
                        .bytes = number(9),
                        .hash = number(14),
                        .time = {number(10), number(11)},
                        .first_arrival_unix_ns = number(12),
                        .last_arrival_unix_ns = number(13),
                        .expired = static_cast<segment::Kinds>(number(15)),
                        .removed = static_cast<segment::Kinds>(number(16))});
  }
  TL_TRY(row.Finish());
  return segments;
}

Result<std::vector<Expired>> ExpiredOf(Database& catalog) {
  TL_TRY_ASSIGN(auto list, catalog.Prepare("SELECT segment, dropped_ns, traces FROM expired ORDER"
                                           " BY segment"));
  std::vector<Expired> expired;
  auto row = list.Use();
  while (row.Next()) {
    expired.push_back({.segment = static_cast<std::uint64_t>(row.Integer(0)),
                       .dropped_unix_ns = static_cast<std::uint64_t>(row.Integer(1)),
                       .traces = std::string(row.Bytes(2))});
  }
  TL_TRY(row.Finish());
  return expired;
}

}  // namespace

std::int64_t NewestCatalogSchema() { return std::int64_t{std::size(kMigrations)}; }

Result<void> WriteCatalog(const std::string& path, const CatalogContent& content, const char* vfs) {
  TL_TRY_ASSIGN(auto db, Database::Open(path, {.vfs = vfs, .written_once = true}));
  TL_TRY(Migrate(db, kCatalogId, kMigrations, path));
  TL_TRY_ASSIGN(auto transaction, Transaction::Begin(db));
  TL_TRY(InsertSeed(db, content.hash_seed));
  for (std::size_t i = 0; i < content.tenants.size(); ++i) {
    TL_TRY(InsertTenant(db, static_cast<std::uint32_t>(i + 1), content.tenants[i]));
  }
  for (const segment::SegmentInfo& info : content.segments) TL_TRY(InsertSegment(db, info));
  for (const Expired& expired : content.expired) TL_TRY(InsertExpired(db, expired));
  if (content.sealed_tail != 0) TL_TRY(NoteSealedTail(db, content.sealed_tail));
  if (content.snapshot != 0) {
    TL_TRY(Note(db, "snapshot", content.snapshot));
    TL_TRY(Note(db, "snapshot_ns", content.snapshot_unix_ns));
  }
  return transaction.Commit();
}

Result<DirectoryLock> DirectoryLock::Take(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  DirectoryLock lock(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
  if (lock.file_ < 0) return FileError("open", path, errno);
  if (::flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
    return Error{Errc::kUnavailable, path + ": another process holds this data directory"};
  }
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (file_ >= 0) ::close(file_);
}

Result<std::unique_ptr<Catalog>> Catalog::Open(const std::string& directory, const char* vfs,
                                               Files& files) {
  TL_TRY(files.CreateDirectories(directory));
  TL_TRY_ASSIGN(auto lock, DirectoryLock::Take(directory));
  const std::string path = directory + "/catalog.db";
  TL_TRY_ASSIGN(const auto names, files.List(directory));
  if (std::binary_search(names.begin(), names.end(), kRestoringFile)) {
    return Error{Errc::kConflict, directory +
                                      ": a restore into it has not ended:"
                                      " `throughline restore` goes on with it"};
  }
  const bool has_records = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.starts_with("tail-") || name.starts_with("seg-");
  });
  TL_TRY(SyncOwned(path, files));
  TL_TRY(files.SyncDirectory(directory));
  constexpr Schema kCatalog = {kCatalogId, kMigrations, 4096, 4};
  TL_TRY_ASSIGN(auto db, OpenOwned(path, kCatalog, {.vfs = vfs, .full_durability = true}));
  std::unique_ptr<Catalog> catalog(new Catalog(std::move(lock), std::move(db)));
  TL_TRY_ASSIGN(catalog->hash_seed_, HashSeed(catalog->db_, path, has_records));
  TL_TRY_ASSIGN(catalog->tenants_, Tenants(catalog->db_));
  TL_TRY_ASSIGN(catalog->segments_, Segments(catalog->db_));
  TL_TRY_ASSIGN(catalog->expired_, ExpiredOf(catalog->db_));
  TL_TRY_ASSIGN(catalog->sealed_tail_, SealedTail(catalog->db_));
  return catalog;
}

Result<CatalogContent> Catalog::Read() {
  const std::lock_guard<std::mutex> lock(mutex_);
  CatalogContent content{.hash_seed = hash_seed_};
  TL_TRY_ASSIGN(content.tenants, Tenants(db_));
  TL_TRY_ASSIGN(content.segments, Segments(db_));
  TL_TRY_ASSIGN(content.expired, ExpiredOf(db_));
  TL_TRY_ASSIGN(content.sealed_tail, SealedTail(db_));
  return content;
}

Result<void> Catalog::AddTenant(std::uint32_t number, const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return InsertTenant(db_, number, name);
}

Result<void> Catalog::AddSegment(const segment::SegmentInfo& info) {
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(auto transaction, Transaction::Begin(db_));
  TL_TRY(InsertSegment(db_, info));
  TL_TRY(NoteSealedTail(db_, info.tail));
  return transaction.Commit();
}

Result<void> Catalog::SetExpired(std::uint64_t segment, segment::Kinds expired) {
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(auto change, db_.Prepare("UPDATE segment SET expired = ? WHERE id = ?"));
  return change.Run(std::int64_t{expired}, Signed(segment));
}

Result<void> Catalog::ReplaceSegment(std::uint64_t segment, const segment::SegmentInfo& by) {
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(auto transaction, Transaction::Begin(db_));
  TL_TRY_ASSIGN(auto drop, db_.Prepare("DELETE FROM segment WHERE id = ?"));
  TL_TRY(drop.Run(Signed(segment)));
  TL_TRY(InsertSegment(db_, by));
  return transaction.Commit();
}

Result<void> Catalog::DropSegment(const Expired& expired) {
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(auto transaction, Transaction::Begin(db_));
  TL_TRY_ASSIGN(auto drop, db_.Prepare("DELETE FROM segment WHERE id = ?"));
  TL_TRY(drop.Run(Signed(expired.segment)));
  TL_TRY(InsertExpired(db_, expired));
  return transaction.Commit();
}

Result<void> Catalog::ForgetExpired(std::span<const std::uint64_t> segments) {
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(auto transaction, Transaction::Begin(db_));
  TL_TRY_ASSIGN(auto forget, db_.Prepare("DELETE FROM expired WHERE segment = ?"));
  for (const std::uint64_t segment : segments) TL_TRY(forget.Run(Signed(segment)));
  return transaction.Commit();
}

}  // namespace throughline::store::sqlite
