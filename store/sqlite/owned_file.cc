#include "store/sqlite/owned_file.h"

#include <filesystem>
#include <utility>

namespace throughline::store::sqlite {
namespace {

// 0: it is not there.
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

}  // namespace

Result<Database> OpenOwned(const std::string& path, const Schema& schema, OpenOptions options) {
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

Result<void> SyncOwned(const std::string& path, Files& files) {
  for (const char* const suffix : {"", "-wal"}) {
    std::error_code error;
    if (!std::filesystem::exists(path + suffix, error) && !error) continue;
    TL_TRY(files.SyncFile(path + suffix));
  }
  return {};
}

}  // namespace throughline::store::sqlite
