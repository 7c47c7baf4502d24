#include "store/care/check_tail.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "store/care/integrity.h"
#include "store/care/wal.h"
#include "store/sqlite/files.h"
#include "store/sqlite/tail.h"

namespace throughline::store::care {
namespace {

// Every row in the order of commit; what stopped it is returned.
Result<void> EachRow(sqlite::Database& db,
                     const std::function<Result<void>(const sqlite::TailRow& row)>& visit) {
  TL_TRY_ASSIGN(auto all, db.Prepare("SELECT format, tenant, arrival_ns, records, dictionary FROM"
                                     " tail ORDER BY seq"));
  auto row = all.Use();
  while (row.Next()) {
    TL_TRY(visit({.format = row.Integer(0),
                  .tenant = static_cast<std::uint32_t>(row.Integer(1)),
                  .arrival_unix_ns = static_cast<std::uint64_t>(row.Integer(2)),
                  .records = row.Bytes(3),
                  .dictionary = row.Bytes(4)}));
  }
  return row.Finish();
}

class TailCheck {
 public:
  TailCheck(std::string path, std::string name, std::uint64_t hash_seed, const Work& work,
            TailFacts& facts, std::vector<Finding>& findings)
      : path_(std::move(path)),
        name_(std::move(name)),
        hash_seed_(hash_seed),
        work_(work),
        facts_(facts),
        findings_(findings) {}

  Result<void> Run() {
    const auto wal = ReadWal(path_ + "-wal");
    const bool log_is_lost = wal && wal->bytes > kEmptyWalBytes && !wal->has_header;
    if (!wal) {
      Hurt("its WAL cannot be read: " + wal.error().message, "what it holds");
    } else if (log_is_lost) {
      Hurt("its WAL cannot be read from its first byte on",
           "all requests in its " + std::to_string(wal->bytes) + " bytes");
    } else if (wal->lost_commits > 0) {
      Hurt("its WAL is damaged behind commit " + std::to_string(wal->commits) + " (byte " +
               std::to_string(wal->good_bytes) + ")",
           std::to_string(wal->lost_commits) + " commits in its last " +
               std::to_string(wal->lost_bytes) + " bytes");
    }
    if (is_empty() && (!wal || wal->bytes <= kEmptyWalBytes)) return {};
    auto db = OpenAsFound(path_);
    if (!db) {
      Hurt("it cannot be read: " + db.error().message, log_is_lost ? "" : "all its requests");
      return {};
    }
    return CheckRows(*db, wal && wal->bytes > kEmptyWalBytes && !log_is_lost);
  }

 private:
  // A tail whose making was cut off may have so much.
  static constexpr std::uint64_t kEmptyWalBytes = 32 + 2 * (24 + 8192);

  bool is_empty() const {
    const auto size = sqlite::SystemFiles().SizeOf(path_);
    return !size || *size == 0;
  }
  void Hurt(std::string hurt, std::string lost) {
    facts_.is_hurt = true;
    findings_.push_back({name_, std::move(hurt), std::move(lost), Cure::kWithLoss});
  }
  Result<void> CheckRows(sqlite::Database& db, bool has_log);
  Result<void> Replay(sqlite::Database& db, std::uint64_t rows);

  const std::string path_;
  const std::string name_;
  const std::uint64_t hash_seed_;
  const Work& work_;
  TailFacts& facts_;
  std::vector<Finding>& findings_;
};

Result<void> TailCheck::CheckRows(sqlite::Database& db, bool has_log) {
  const auto application = db.Pragma("application_id");
  const auto schema = db.Pragma("user_version");
  if (!application || !schema || (*schema == 0 && has_log)) {
    Hurt("its first page cannot be read", "all its requests");
    return {};
  }
  if (*schema == 0) return {};  // Its making was cut off.
  if (*application != sqlite::kTailId || *schema > 1) {
    facts_.is_newer = true;
    findings_.push_back({name_,
                         "it is not a tail of this version (application_id " +
                             std::to_string(*application) + ", schema " + std::to_string(*schema) +
                             ")",
                         "", Cure::kNone});
    return {};
  }
  if (const std::string problem = IntegrityProblem(db); !problem.empty()) {
    Hurt("SQLite finds it damaged: " + problem, "");
  }
  std::int64_t rows = 0;
  if (auto select = db.Prepare("SELECT coalesce(max(seq), 0) FROM tail")) {
    auto row = select->Use();
    if (row.Next()) rows = row.Integer(0);
  }
  return Replay(db, static_cast<std::uint64_t>(std::max<std::int64_t>(rows, 0)));
}

Result<void> TailCheck::Replay(sqlite::Database& db, std::uint64_t rows) {
  sqlite::Memtable memtable(MemtableBytesFor(TailBytes(path_)), hash_seed_);
  Result<void> stopped;
  const auto replayed = EachRow(db, [&](const sqlite::TailRow& row) -> Result<void> {
    if (row.format > sqlite::kNewestTailFormat) {
      facts_.is_newer = true;
      return Error{Errc::kUnsupported,
                   "it is of format " + std::to_string(row.format) + ", of a newer version"};
    }
    TL_TRY(memtable.Replay(row.tenant, row.arrival_unix_ns, row.records, row.dictionary));
    ++facts_.good_rows;
    facts_.most_tenant = std::max(facts_.most_tenant, row.tenant);
    facts_.last_arrival_unix_ns = std::max(facts_.last_arrival_unix_ns, row.arrival_unix_ns);
    stopped = work_.Step(name_, row.records.size() + row.dictionary.size());
    return stopped;
  });
  if (!stopped) return stopped;
  if (replayed) return {};
  const std::string hurt = "request " + std::to_string(facts_.good_rows + 1) + " of " +
                           std::to_string(rows) +
                           " cannot be replayed: " + replayed.error().message;
  if (replayed.error().code == Errc::kUnsupported) {
    findings_.push_back({name_, hurt, "", Cure::kNone});
  } else {
    Hurt(hurt, std::to_string(rows - std::min(rows, facts_.good_rows)) + " requests");
  }
  return {};
}

}  // namespace

std::uint64_t TailBytes(const std::string& path) {
  std::uint64_t bytes = 0;
  for (const char* const suffix : {"", "-wal"}) {
    if (const auto size = sqlite::SystemFiles().SizeOf(path + suffix)) bytes += *size;
  }
  return bytes;
}

std::size_t MemtableBytesFor(std::uint64_t tail_bytes) {
  constexpr std::uint64_t kLeast = 64U << 20U;
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 32U) - 4096;
  return std::clamp<std::uint64_t>(tail_bytes * 16, kLeast, kMost);
}

Result<void> ReplayRows(const std::string& path, std::uint64_t rows, sqlite::Memtable& to) {
  if (rows == 0) return {};
  TL_TRY_ASSIGN(auto db, OpenAsFound(path));
  std::uint64_t replayed = 0;
  const Error enough{Errc::kUnavailable, "enough"};
  const auto read = EachRow(db, [&](const sqlite::TailRow& row) -> Result<void> {
    TL_TRY(to.Replay(row.tenant, row.arrival_unix_ns, row.records, row.dictionary));
    return ++replayed < rows ? Result<void>() : enough;
  });
  return replayed == rows ? Result<void>() : read;
}

Result<TailFacts> CheckTail(const std::string& directory, const std::string& name,
                            std::uint64_t hash_seed, const Work& work,
                            std::vector<Finding>& findings) {
  TailFacts facts;
  TL_TRY(TailCheck(directory + '/' + name, name, hash_seed, work, facts, findings).Run());
  return facts;
}

}  // namespace throughline::store::care
