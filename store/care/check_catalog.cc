#include "store/care/check_catalog.h"

#include <filesystem>

#include "store/care/integrity.h"
#include "store/care/wal.h"
#include "store/sqlite/file_names.h"

namespace throughline::store::care {
namespace {

using sqlite::CatalogContent;

Result<void> ReadSeed(sqlite::Database& db, CatalogContent& content, bool& has_seed) {
  TL_TRY_ASSIGN(auto find, db.Prepare("SELECT value FROM setting WHERE name = 'hash_seed'"));
  auto row = find.Use();
  if (row.Next()) {
    content.hash_seed = static_cast<std::uint64_t>(row.Integer(0));
    has_seed = true;
  }
  return row.Finish();
}

Result<void> ReadTenants(sqlite::Database& db, CatalogContent& content) {
  TL_TRY_ASSIGN(auto list, db.Prepare("SELECT id, name FROM tenant ORDER BY id"));
  auto row = list.Use();
  while (row.Next()) {
    const std::int64_t number = row.Integer(0);
    constexpr std::int64_t kTenantsAtMost = 1'000'000;
    if (number < 1 || number > kTenantsAtMost ||
        static_cast<std::uint64_t>(number) < content.tenants.size() + 1) {
      return Error{Errc::kDataLoss, "a tenant has the number " + std::to_string(number)};
    }
    // What a gap held is named anew.
    while (content.tenants.size() + 1 < static_cast<std::uint64_t>(number)) {
      content.tenants.push_back("tenant-" + std::to_string(content.tenants.size() + 1));
    }
    content.tenants.emplace_back(row.Text(1));
  }
  return row.Finish();
}

Result<void> ReadSegments(sqlite::Database& db, std::int64_t schema, CatalogContent& content) {
  if (schema < 2) return {};
  const std::string sql = std::string(
                              "SELECT id, tail, file, format, traces, spans, logs, exemplars,"
                              " gauges, bytes, first_ns, last_ns, first_arrival_ns,"
                              " last_arrival_ns, ") +
                          (schema < 3 ? "0" : "hash") +
                          (schema < 4 ? ", 0, 0" : ", expired, removed") +
                          " FROM segment ORDER BY id";
  TL_TRY_ASSIGN(auto list, db.Prepare(sql.c_str()));
  auto row = list.Use();
  const auto number = [&row](int column) {
    return static_cast<std::uint64_t>(row.Integer(column));
  };
  while (row.Next()) {
    segment::SegmentInfo info;
    info.id = number(0);
    info.tail = number(1);
    info.file = row.Text(2);
    info.format = row.Integer(3);
    info.traces = number(4);
    info.spans = number(5);
    info.logs = number(6);
    info.exemplars = number(7);
    info.gauges = number(8);
    info.bytes = number(9);
    info.time = {number(10), number(11)};
    info.first_arrival_unix_ns = number(12);
    info.last_arrival_unix_ns = number(13);
    info.hash = number(14);
    info.expired = static_cast<segment::Kinds>(number(15));
    info.removed = static_cast<segment::Kinds>(number(16));
    if (info.file != sqlite::NameOf(sqlite::kSegmentPrefix, info.id)) {
      return Error{Errc::kDataLoss,
                   "segment " + std::to_string(info.id) + " has a file of another"};
    }
    content.segments.push_back(std::move(info));
  }
  return row.Finish();
}

Result<void> ReadSealedTail(sqlite::Database& db, CatalogContent& content) {
  TL_TRY_ASSIGN(auto find, db.Prepare("SELECT value FROM setting WHERE name = 'sealed_tail'"));
  auto row = find.Use();
  if (row.Next()) content.sealed_tail = static_cast<std::uint64_t>(row.Integer(0));
  return row.Finish();
}

// Which snapshot a backup's catalog is of; absent elsewhere.
Result<void> ReadSnapshot(sqlite::Database& db, CatalogContent& content) {
  TL_TRY_ASSIGN(auto find, db.Prepare("SELECT name, value FROM setting WHERE name IN"
                                      " ('snapshot', 'snapshot_ns') ORDER BY name"));
  auto row = find.Use();
  while (row.Next()) {
    const auto value = static_cast<std::uint64_t>(row.Integer(1));
    (row.Text(0) == "snapshot" ? content.snapshot : content.snapshot_unix_ns) = value;
  }
  return row.Finish();
}

Result<void> ReadExpired(sqlite::Database& db, std::int64_t schema, CatalogContent& content) {
  if (schema < 2) return {};
  TL_TRY_ASSIGN(auto list, db.Prepare("SELECT segment, dropped_ns, traces FROM expired ORDER BY"
                                      " segment"));
  auto row = list.Use();
  while (row.Next()) {
    content.expired.push_back({.segment = static_cast<std::uint64_t>(row.Integer(0)),
                               .dropped_unix_ns = static_cast<std::uint64_t>(row.Integer(1)),
                               .traces = std::string(row.Bytes(2))});
  }
  return row.Finish();
}

class CatalogCheck {
 public:
  CatalogCheck(CatalogFacts& facts, std::vector<Finding>& findings)
      : facts_(facts), findings_(findings) {}

  void Run(const std::string& path) {
    const auto wal = ReadWal(path + "-wal");
    if (wal && wal->bytes > 0 && (!wal->has_header || wal->lost_commits > 0)) {
      Hurt("its WAL cannot be read behind commit " + std::to_string(wal->commits) +
           ": what it said last is lost, and is taken from the segments");
    }
    auto db = OpenAsFound(path);
    if (!db) return Hurt("it cannot be read: " + db.error().message);
    const auto application = db->Pragma("application_id");
    const auto schema = db->Pragma("user_version");
    if (!application || !schema) return Hurt("it cannot be read");
    if (*schema == 0) return Hurt("it is empty");
    if (*application != sqlite::kCatalogId) {
      facts_.is_foreign = true;
      return Say("it is not a catalog (application_id " + std::to_string(*application) + ")",
                 Cure::kNone);
    }
    if (*schema > sqlite::NewestCatalogSchema()) {
      facts_.is_newer = true;
      return Say("it was written by a newer version (schema " + std::to_string(*schema) + ")",
                 Cure::kNone);
    }
    if (const std::string problem = IntegrityProblem(*db); !problem.empty()) {
      Hurt("SQLite finds it damaged: " + problem);
    }
    Read(*db, *schema);
  }

 private:
  void Read(sqlite::Database& db, std::int64_t schema) {
    const auto take = [this](const char* what, const Result<void>& read) {
      if (!read) Hurt(std::string(what) + ": " + read.error().message);
    };
    take("its settings", ReadSeed(db, facts_.content, facts_.has_seed));
    take("its tenants", ReadTenants(db, facts_.content));
    take("its segments", ReadSegments(db, schema, facts_.content));
    take("the tail that was sealed last", ReadSealedTail(db, facts_.content));
    take("the segments that retention took", ReadExpired(db, schema, facts_.content));
    take("its snapshot", ReadSnapshot(db, facts_.content));
    if (!facts_.has_seed) Hurt("it has no hash seed");
  }
  void Say(std::string hurt, Cure cure) {
    findings_.push_back({std::string(sqlite::kCatalogFile), std::move(hurt), "", cure});
  }
  void Hurt(std::string hurt) {
    facts_.is_hurt = true;
    Say(std::move(hurt), Cure::kWhole);
  }

  CatalogFacts& facts_;
  std::vector<Finding>& findings_;
};

}  // namespace

CatalogFacts CheckCatalog(const std::string& directory, std::vector<Finding>& findings) {
  CatalogFacts facts;
  const std::string path = directory + '/' + std::string(sqlite::kCatalogFile);
  std::error_code error;
  facts.is_there = std::filesystem::exists(path, error);
  if (facts.is_there) CatalogCheck(facts, findings).Run(path);
  return facts;
}

Result<sqlite::CatalogContent> ReadCatalog(sqlite::Database& db) {
  CatalogContent content;
  bool has_seed = false;
  TL_TRY_ASSIGN(const std::int64_t schema, db.Pragma("user_version"));
  TL_TRY(ReadSeed(db, content, has_seed));
  TL_TRY(ReadTenants(db, content));
  TL_TRY(ReadSegments(db, schema, content));
  TL_TRY(ReadSealedTail(db, content));
  TL_TRY(ReadExpired(db, schema, content));
  TL_TRY(ReadSnapshot(db, content));
  if (!has_seed) return Error{Errc::kDataLoss, "the catalog has no hash seed"};
  return content;
}

}  // namespace throughline::store::care
