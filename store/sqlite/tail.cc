#include "store/sqlite/tail.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>
#include <span>
#include <utility>

namespace throughline::store::sqlite {
namespace {

constexpr std::int64_t kCatalogId = 0x544c4341;
constexpr std::int64_t kTailId = 0x544c5441;
constexpr std::int64_t kNewestFormat = 2;  // 2: gauges.

// Never edited once released; appended.
constexpr const char* kCatalogMigrations[] = {
    // 1: what outlives every tail.
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE tenant (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;",
};
constexpr const char* kTailMigrations[] = {
    // 1: one row a request.
    "CREATE TABLE tail (seq INTEGER PRIMARY KEY, format INTEGER NOT NULL, tenant INTEGER NOT NULL,"
    " arrival_ns INTEGER NOT NULL, records BLOB NOT NULL, dictionary BLOB NOT NULL) STRICT;",
};

struct Schema {
  std::int64_t application_id;
  std::span<const char* const> migrations;
  std::int64_t page_bytes;
  std::uint64_t first_pages;  // Of a database after the first migration.
};
// Pages large enough that the row of a usual request takes few WAL frames.
constexpr Schema kTail = {kTailId, kTailMigrations, 8192, 2};
constexpr Schema kCatalog = {kCatalogId, kCatalogMigrations, 4096, 4};

std::uint64_t SizeOf(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

// SQLite takes a WAL with a damaged beginning, or beside an empty database, for no WAL at all, and
// would begin it anew. `is_empty`: no migration has been committed, by what SQLite can read.
Result<void> RefuseToStartAnew(const std::string& path, const Schema& schema, bool is_empty) {
  constexpr std::uint64_t kHeaderBytes = 32;
  constexpr std::uint64_t kFrameHeaderBytes = 24;
  const std::uint64_t frame_bytes =
      kFrameHeaderBytes + static_cast<std::uint64_t>(schema.page_bytes);
  // A first migration that was interrupted leaves no more.
  const std::uint64_t most = kHeaderBytes + schema.first_pages * frame_bytes;
  const std::uint64_t bytes = SizeOf(path + "-wal");
  if (!is_empty || bytes <= most) return {};
  return Error{Errc::kDataLoss, "damaged: " + path + "-wal: nothing can be read of its " +
                                    std::to_string(bytes) + " bytes"};
}

// Migrates durably, whatever the options say: that is what RefuseToStartAnew relies on.
Result<Database> OpenAndMigrate(const std::string& path, const Schema& schema,
                                OpenOptions options) {
  TL_TRY(RefuseToStartAnew(path, schema, SizeOf(path) == 0));
  const bool full_durability = std::exchange(options.full_durability, true);
  options.page_bytes = schema.page_bytes;
  TL_TRY_ASSIGN(auto db, Database::Open(path, options));
  TL_TRY_ASSIGN(const std::int64_t version, db.Pragma("user_version"));
  TL_TRY(RefuseToStartAnew(path, schema, version == 0));
  TL_TRY(Migrate(db, schema.application_id, schema.migrations, path));
  if (!full_durability) TL_TRY(db.SetFullDurability(false));
  return db;
}

// Drawn once per data directory, so that identities outlive a restart.
Result<std::uint64_t> HashSeed(Database& catalog, Database& tail, const std::string& directory) {
  TL_TRY_ASSIGN(auto find, catalog.Prepare("SELECT value FROM setting WHERE name = 'hash_seed'"));
  {
    auto row = find.Use();
    if (row.Next()) return static_cast<std::uint64_t>(row.Integer(0));
    TL_TRY(row.Finish());
  }
  TL_TRY_ASSIGN(auto any, tail.Prepare("SELECT 1 FROM tail LIMIT 1"));
  {
    auto row = any.Use();
    if (row.Next()) {
      return Error{Errc::kDataLoss,
                   "damaged: " + directory + "/catalog.db: no hash seed, and the tail has rows"};
    }
    TL_TRY(row.Finish());
  }
  std::random_device random;
  const std::uint64_t seed = (std::uint64_t{random()} << 32U) | random();
  TL_TRY_ASSIGN(auto insert,
                catalog.Prepare("INSERT INTO setting (name, value) VALUES ('hash_seed', ?)"));
  TL_TRY(insert.Run(static_cast<std::int64_t>(seed)));
  return seed;
}

Result<std::vector<std::string>> Tenants(Database& catalog) {
  TL_TRY_ASSIGN(auto list, catalog.Prepare("SELECT name FROM tenant ORDER BY id"));
  std::vector<std::string> names;
  auto row = list.Use();
  while (row.Next()) names.emplace_back(row.Text(0));
  TL_TRY(row.Finish());
  return names;
}

// A killed process leaves commits that no sync has reached. What is replayed from them has to be as
// durable as what is appended: a retry of it is acknowledged without a write.
Result<void> SyncWhatIsThere(Files& files, const std::string& directory, bool tails) {
  TL_TRY_ASSIGN(const auto names, files.List(directory));
  for (const std::string& name : names) {
    if (name.starts_with("catalog.db") || (tails && name.starts_with("tail-"))) {
      TL_TRY(files.SyncFile(directory + "/" + name));
    }
  }
  return files.SyncDirectory(directory);
}

}  // namespace

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

Tail::Tail(DirectoryLock lock, std::string tail_path, Database catalog, Database tail,
           Statement insert)
    : lock_(std::move(lock)),
      tail_path_(std::move(tail_path)),
      catalog_(std::move(catalog)),
      tail_(std::move(tail)),
      insert_(std::move(insert)) {}

Result<Tail> Tail::Open(const Options& options) {
  const std::string& directory = options.directory;
  const char* const vfs = options.vfs.empty() ? nullptr : options.vfs.c_str();
  Files& files = options.files != nullptr ? *options.files : SystemFiles();
  TL_TRY(files.CreateDirectories(directory));
  TL_TRY_ASSIGN(auto lock, DirectoryLock::Take(directory));
  TL_TRY(SyncWhatIsThere(files, directory, options.full_durability));

  TL_TRY_ASSIGN(auto catalog, OpenAndMigrate(directory + "/catalog.db", kCatalog,
                                             {.vfs = vfs, .full_durability = true}));
  const std::string tail_path = directory + "/tail-0-1.db";
  TL_TRY_ASSIGN(auto tail, OpenAndMigrate(tail_path, kTail,
                                          {.vfs = vfs,
                                           .full_durability = options.full_durability,
                                           .checkpoint = false,
                                           .cache_kib = 4096}));
  TL_TRY_ASSIGN(auto insert, tail.Prepare("INSERT INTO tail (format, tenant, arrival_ns, records,"
                                          " dictionary) VALUES (?, ?, ?, ?, ?)"));
  TL_TRY_ASSIGN(const std::uint64_t seed, HashSeed(catalog, tail, directory));
  TL_TRY_ASSIGN(auto tenants, Tenants(catalog));

  Tail opened(std::move(lock), tail_path, std::move(catalog), std::move(tail), std::move(insert));
  opened.hash_seed_ = seed;
  opened.tenants_ = std::move(tenants);
  return opened;
}

Result<std::uint32_t> Tail::AddTenant(const std::string& name) {
  const auto number = static_cast<std::uint32_t>(tenants_.size() + 1);
  TL_TRY_ASSIGN(auto insert, catalog_.Prepare("INSERT INTO tenant (id, name) VALUES (?, ?)"));
  TL_TRY(insert.Run(static_cast<std::int64_t>(number), std::string_view(name)));
  tenants_.push_back(name);
  return number;
}

Result<void> Tail::Append(const std::vector<TailRow>& rows) {
  TL_TRY_ASSIGN(auto transaction, Transaction::Begin(tail_));
  for (const TailRow& row : rows) {
    TL_TRY(insert_.Run(row.format, static_cast<std::int64_t>(row.tenant),
                       static_cast<std::int64_t>(row.arrival_unix_ns), Blob{row.records},
                       Blob{row.dictionary}));
  }
  return transaction.Commit();
}

Result<void> Tail::Replay(const std::function<Result<void>(const TailRow& row)>& row) {
  TL_TRY_ASSIGN(auto all, tail_.Prepare("SELECT format, tenant, arrival_ns, records, dictionary"
                                        " FROM tail ORDER BY seq"));
  auto rows = all.Use();
  while (rows.Next()) {
    if (rows.Integer(0) > kNewestFormat) {
      return Error{Errc::kDataLoss,
                   tail_path_ + ": a row of format " + std::to_string(rows.Integer(0)) +
                       ", this version reads up to " + std::to_string(kNewestFormat)};
    }
    if (rows.Integer(1) < 1 || rows.Integer(1) > static_cast<std::int64_t>(tenants_.size())) {
      return Error{Errc::kDataLoss, tail_path_ + ": a row of tenant " +
                                        std::to_string(rows.Integer(1)) + ", the catalog has " +
                                        std::to_string(tenants_.size())};
    }
    const TailRow replayed{.format = rows.Integer(0),
                           .tenant = static_cast<std::uint32_t>(rows.Integer(1)),
                           .arrival_unix_ns = static_cast<std::uint64_t>(rows.Integer(2)),
                           .records = rows.Bytes(3),
                           .dictionary = rows.Bytes(4)};
    TL_TRY(row(replayed));
  }
  return rows.Finish();
}

std::uint64_t Tail::disk_bytes() const { return SizeOf(tail_path_) + SizeOf(tail_path_ + "-wal"); }

}  // namespace throughline::store::sqlite
