#include "store/sqlite/seen.h"

#include <cstring>

#include "store/sqlite/database.h"

namespace throughline::store::sqlite {
namespace {

constexpr std::int64_t kSeenId = 0x544c5345;  // "TLSE", the application_id.

}  // namespace

Result<void> WriteSeen(const std::string& path, const char* vfs, const IdentitySet& identities) {
  TL_TRY_ASSIGN(auto db, Database::Open(path, {.vfs = vfs, .written_once = true}));
  const std::string schema = "PRAGMA application_id = " + std::to_string(kSeenId) +
                             "; PRAGMA user_version = 1; CREATE TABLE seen (id INTEGER PRIMARY"
                             " KEY, identities BLOB NOT NULL) STRICT";
  TL_TRY(db.Run(schema.c_str()));
  std::string bytes(identities.count() * 8, '\0');
  char* at = bytes.data();
  identities.Each([&](std::uint64_t identity) {
    std::memcpy(at, &identity, 8);
    at += 8;
  });
  TL_TRY_ASSIGN(auto insert, db.Prepare("INSERT INTO seen (identities) VALUES (?)"));
  return insert.Run(Blob{bytes});
}

Result<void> ReadSeen(const std::string& path, const char* vfs, IdentitySet& to) {
  TL_TRY_ASSIGN(auto db, Database::Open(path, {.vfs = vfs, .immutable = true}));
  TL_TRY_ASSIGN(const std::int64_t application, db.Pragma("application_id"));
  if (application != kSeenId) return Error{Errc::kDataLoss, path + ": not a file of this kind"};
  TL_TRY_ASSIGN(auto select, db.Prepare("SELECT identities FROM seen"));
  auto row = select.Use();
  while (row.Next()) {
    to.Reserve(row.Bytes(0).size() / 8);
    for (std::string_view bytes = row.Bytes(0); bytes.size() >= 8; bytes.remove_prefix(8)) {
      std::uint64_t identity = 0;
      std::memcpy(&identity, bytes.data(), 8);
      to.Insert(identity);
    }
  }
  return row.Finish();
}

}  // namespace throughline::store::sqlite
