#include "store/care/segment_file.h"

#include <algorithm>
#include <utility>

#include "store/segment/columns.h"
#include "store/segment/segment_schema.h"
#include "store/sqlite/page_check.h"
#include "store/sqlite/record_bytes.h"

namespace throughline::store::care {
namespace {

using segment::StringSpace;
using sqlite::Cursor;

// Whether every string of a row lies in it.
bool IsWholeRow(std::string_view row) {
  Cursor cursor(row);
  const auto count = cursor.Fixed<std::uint32_t>();
  if (count == 0 || count > row.size() / 4 - 1) return false;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto end = cursor.Fixed<std::uint32_t>();
    if (end < last) return false;
    last = end;
  }
  return 4 * (std::size_t{count} + 1) + last == row.size();
}

}  // namespace

segment::StringRow SegmentFile::AllStrings::RowOf(StringSpace space, std::uint32_t id) {
  const std::uint64_t wanted = (static_cast<std::uint64_t>(space) << 32U) | id;
  const auto after = rows.upper_bound(wanted);
  if (after != rows.begin()) {
    const auto& [first, bytes] = *std::prev(after);
    const segment::StringRow row(static_cast<std::uint32_t>(first), bytes);
    if (first >> 32U == wanted >> 32U && row.Holds(id)) return row;
  }
  ++missing;
  return {};
}

const segment::Strings::Key* SegmentFile::AllStrings::KeyAt(std::uint32_t key) {
  if (key < keys.size()) return &keys[key];
  ++missing;
  return nullptr;
}

Result<std::unique_ptr<SegmentFile>> SegmentFile::Open(const std::string& path) {
  TL_TRY_ASSIGN(auto db, sqlite::Database::Open(path, {.immutable = true}));
  TL_TRY_ASSIGN(const std::int64_t application, db.Pragma("application_id"));
  TL_TRY_ASSIGN(const std::int64_t format, db.Pragma("user_version"));
  if (application != segment::kSegmentId) {
    return Error{Errc::kDataLoss,
                 "it is not a segment (application_id " + std::to_string(application) + ")"};
  }
  if (format > segment::kSegmentFormat) {
    return Error{Errc::kUnsupported,
                 "it was written by a newer version (format " + std::to_string(format) + ")"};
  }
  if (segment::HasPageChecks(format)) {
    auto checked = sqlite::Database::Open(path, {.immutable = true, .checked_pages = true});
    if (checked) {
      db = std::move(*checked);
    } else {
      // Where only the first page is hurt, what the others say is right.
      TL_TRY_ASSIGN(const std::uint64_t damaged, sqlite::CountDamagedPages(path));
      if (damaged > 1) return checked.error();
    }
  }
  std::unique_ptr<SegmentFile> file(new SegmentFile(path, std::move(db), format));
  file->ReadMeta();
  file->ReadStrings();
  return file;
}

Result<void> SegmentFile::EachRow(const char* sql,
                                  const std::function<Result<void>(sqlite::Rows& row)>& visit) {
  TL_TRY_ASSIGN(auto select, db_.Prepare(sql));
  auto row = select.Use();
  while (row.Next()) TL_TRY(visit(row));
  return row.Finish();
}

Result<void> SegmentFile::EachFrom(const char* sql, const std::vector<std::int64_t>& ids,
                                   const std::function<Result<void>(sqlite::Rows& row)>& visit) {
  TL_TRY_ASSIGN(auto select, db_.Prepare(sql));
  Result<void> first_error;
  for (std::int64_t next = 0;;) {
    auto row = select.Use(next);
    while (row.Next()) {
      next = row.Integer(0) + 1;
      TL_TRY(visit(row));
    }
    const auto read = row.Finish();
    if (read) return first_error;
    if (first_error) first_error = read;
    const auto failed = std::lower_bound(ids.begin(), ids.end(), next);
    if (failed == ids.end()) return first_error;
    next = *failed + 1;
  }
}

Result<void> SegmentFile::EachBlock(
    const std::function<Result<void>(std::uint64_t number, std::string_view bytes)>& visit) {
  std::vector<std::int64_t> ids(firsts_.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(i);
  return EachFrom("SELECT id, data FROM block WHERE id >= ? ORDER BY id", ids,
                  [&](sqlite::Rows& row) {
                    return visit(static_cast<std::uint64_t>(row.Integer(0)), row.Bytes(1));
                  });
}

std::vector<std::int64_t> SegmentFile::RowIds(StringSpace space, std::string_view meta) {
  std::vector<std::int64_t> ids;
  Cursor cursor(meta);
  cursor.Varint();  // How many strings.
  std::int64_t id = static_cast<std::int64_t>(space) << 32U;
  for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
    id += static_cast<std::int64_t>(cursor.Varint() & UINT32_MAX);
    ids.push_back(id);
  }
  return ids;
}

void SegmentFile::ReadMeta() {
  int found = 0;
  const auto read = EachRow("SELECT name, value FROM meta", [&](sqlite::Rows& row) -> Result<void> {
    const std::string_view name = row.Text(0);
    const std::string_view value = row.Bytes(1);
    Cursor cursor(value);
    ++found;
    if (name == "seed") {
      has_seed_ = value.size() == 8;
      strings_.seed = cursor.Fixed<std::uint64_t>();
    } else if (name == "traces") {
      traces_ = value;
    } else if (name == "blocks") {
      if (value.size() % 20 != 0) problems_.emplace_back("the list of blocks is cut");
      while (!cursor.done()) {
        First first;
        first.tenant = cursor.Fixed<std::uint32_t>();
        first.id.low = cursor.Fixed<std::uint64_t>();
        first.id.high = cursor.Fixed<std::uint64_t>();
        firsts_.push_back(first);
      }
    } else if (name == "strings" || name == "heads") {
      ends_[name == "strings" ? 0 : 1] = value;
    } else if (name == "keys") {
      strings_.key_bytes = value;
    } else {
      --found;
    }
    return {};
  });
  if (!read) {
    problems_.push_back("meta cannot be read: " + read.error().message);
  } else if (found != 6) {
    problems_.push_back("meta has " + std::to_string(found) + " of its 6 rows");
  }
  if (!has_seed_) problems_.emplace_back("it has no hash seed");
  ReadKeys();
}

void SegmentFile::ReadKeys() {
  Cursor cursor(strings_.key_bytes);
  std::uint64_t left = cursor.Varint();
  for (; left > 0 && !cursor.done(); --left) {
    segment::Strings::Key key;
    key.text = cursor.Bytes();
    key.base = static_cast<std::uint32_t>(cursor.Varint());
    key.count = static_cast<std::uint32_t>(cursor.Varint());
    strings_.keys.push_back(key);
  }
  if (left > 0 || !cursor.done()) problems_.emplace_back("the keys of attributes are damaged");
}

void SegmentFile::ReadStrings() {
  auto ids = RowIds(StringSpace::kStrings, ends_[0]);
  const auto heads = RowIds(StringSpace::kHeads, ends_[1]);
  ids.insert(ids.end(), heads.begin(), heads.end());
  const auto read =
      EachFrom("SELECT id, data FROM string WHERE id >= ? ORDER BY id", ids,
               [&](sqlite::Rows& row) -> Result<void> {
                 const auto id = static_cast<std::uint64_t>(row.Integer(0));
                 if (!IsWholeRow(row.Bytes(1))) {
                   problems_.push_back("row " + std::to_string(id) + " of its strings is damaged");
                 }
                 strings_.rows[id] = row.Bytes(1);
                 return {};
               });
  if (!read) problems_.push_back("its strings cannot be read: " + read.error().message);
  CheckRowsOf(StringSpace::kStrings, ends_[0]);
  CheckRowsOf(StringSpace::kHeads, ends_[1]);
}

// Rows follow each other without a gap, and are those that meta leads to.
void SegmentFile::CheckRowsOf(StringSpace space, std::string_view meta) {
  const std::uint64_t from = static_cast<std::uint64_t>(space) << 32U;
  Cursor cursor(meta);
  const std::uint64_t end = cursor.Varint();
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  bool good = true;
  for (std::uint64_t left = cursor.Varint(); left > 0 && good; --left) {
    good = !cursor.done();
    first += cursor.Varint();
    const auto row = strings_.rows.find(from + first);
    good = good && first == next && row != strings_.rows.end();
    if (good) next += Cursor(row->second).Fixed<std::uint32_t>();
  }
  if (good && next == end) return;
  problems_.push_back(std::string(space == StringSpace::kStrings ? "strings" : "heads") +
                      " are missing: from " + std::to_string(next) + " on, of " +
                      std::to_string(end));
}

}  // namespace throughline::store::care
