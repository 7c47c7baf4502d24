#include "store/sqlite/tail.h"

#include <utility>

#include "store/sqlite/owned_file.h"

namespace throughline::store::sqlite {
namespace {

// Never edited once released; appended.
constexpr const char* kTailMigrations[] = {
    // 1: one row a request.
    "CREATE TABLE tail (seq INTEGER PRIMARY KEY, format INTEGER NOT NULL, tenant INTEGER NOT NULL,"
    " arrival_ns INTEGER NOT NULL, records BLOB NOT NULL, dictionary BLOB NOT NULL) STRICT;",
};

}  // namespace

Tail::Tail(std::string path, Database db, Statement insert)
    : path_(std::move(path)), db_(std::move(db)), insert_(std::move(insert)) {}

Result<Tail> Tail::Open(const std::string& path, const Options& options) {
  // Pages large enough that the row of a usual request takes few WAL frames.
  constexpr Schema kTail = {kTailId, kTailMigrations, 8192, 2};
  if (options.full_durability) TL_TRY(SyncOwned(path, options.files));
  TL_TRY_ASSIGN(auto db, OpenOwned(path, kTail,
                                   {.vfs = options.vfs,
                                    .full_durability = options.full_durability,
                                    .checkpoint = false,
                                    .cache_kib = 4096}));
  TL_TRY_ASSIGN(auto insert, db.Prepare("INSERT INTO tail (format, tenant, arrival_ns, records,"
                                        " dictionary) VALUES (?, ?, ?, ?, ?)"));
  return Tail(path, std::move(db), std::move(insert));
}

Result<void> Tail::Append(const std::vector<TailRow>& rows) {
  in_doubt_ = true;
  TL_TRY_ASSIGN(auto transaction, Transaction::Begin(db_));
  for (const TailRow& row : rows) {
    TL_TRY(insert_.Run(row.format, static_cast<std::int64_t>(row.tenant),
                       static_cast<std::int64_t>(row.arrival_unix_ns), Blob{row.records},
                       Blob{row.dictionary}));
  }
  TL_TRY(transaction.Commit());
  in_doubt_ = false;
  return {};
}

Result<void> Tail::Settle() {
  if (!in_doubt_) return {};
  // Writes the first page as it is.
  TL_TRY_ASSIGN(const std::int64_t version, db_.Pragma("user_version"));
  TL_TRY(db_.Run(("PRAGMA user_version = " + std::to_string(version)).c_str()));
  in_doubt_ = false;
  return {};
}

Result<void> Tail::Replay(const std::function<Result<void>(const TailRow& row)>& row) {
  TL_TRY_ASSIGN(auto all, db_.Prepare("SELECT format, tenant, arrival_ns, records, dictionary"
                                      " FROM tail ORDER BY seq"));
  auto rows = all.Use();
  while (rows.Next()) {
    if (rows.Integer(0) > kNewestTailFormat) {
      return Error{Errc::kDataLoss, path_ + ": a row of format " + std::to_string(rows.Integer(0)) +
                                        ", this version reads up to " +
                                        std::to_string(kNewestTailFormat)};
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

}  // namespace throughline::store::sqlite
