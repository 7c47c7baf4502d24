// A segment's file, read without trust: for the check, and to save what can be read of a hurt one.
//
// All strings are read at once and kept. What is wrong with them is gathered, not returned: the
// blocks that do not need what is missing can still be read. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "correlate/trace_id.h"
#include "store/segment/strings.h"
#include "store/sqlite/database.h"

namespace throughline::store::care {

class SegmentFile {
 public:
  // kDataLoss: not a segment, or nothing of it can be read; kUnsupported: of a newer version.
  static Result<std::unique_ptr<SegmentFile>> Open(const std::string& path);

  sqlite::Database& db() { return db_; }
  std::int64_t format() const { return format_; }
  const std::string& path() const { return path_; }

  struct First {
    std::uint32_t tenant = 0;
    TraceId id;
  };
  // What `meta` says.
  bool has_seed() const { return has_seed_; }
  std::uint64_t seed() const { return strings_.seed; }
  // The records' identities and hashes follow from this one from here on.
  void SetSeed(std::uint64_t seed) { strings_.seed = seed; }
  const std::string& traces() const { return traces_; }
  const std::vector<First>& firsts() const { return firsts_; }
  // With `meta` and the strings.
  const std::vector<std::string>& problems() const { return problems_; }

  segment::Strings& strings() { return strings_; }
  // Strings that blocks named and that are not there, so far.
  std::uint64_t missing_strings() const { return strings_.missing; }

  // Every block that can be read, in order; the first error of reading, or of `visit`, which stops
  // it.
  Result<void> EachBlock(
      const std::function<Result<void>(std::uint64_t number, std::string_view bytes)>& visit);
  // Of all rows of a table, as many as can be read; what stopped it is returned.
  Result<void> EachRow(const char* sql,
                       const std::function<Result<void>(sqlite::Rows& row)>& visit);

 private:
  class AllStrings final : public segment::Strings {
   public:
    segment::StringRow RowOf(segment::StringSpace space, std::uint32_t id) override;
    const Key* KeyAt(std::uint32_t key) override;
    std::uint64_t hash_seed() const override { return seed; }

    std::map<std::uint64_t, std::string> rows;  // By id of the row.
    std::vector<Key> keys;
    std::string key_bytes;  // Which `keys` view.
    std::uint64_t seed = 0;
    std::uint64_t missing = 0;
  };

  SegmentFile(std::string path, sqlite::Database db, std::int64_t format)
      : path_(std::move(path)), db_(std::move(db)), format_(format) {}
  // `sql` selects id and data of the rows from an id on. Where one cannot be read it goes on behind
  // it, as far as `ids` says what comes next; the first error is returned.
  Result<void> EachFrom(const char* sql, const std::vector<std::int64_t>& ids,
                        const std::function<Result<void>(sqlite::Rows& row)>& visit);
  // Of its rows, as meta leads to them.
  static std::vector<std::int64_t> RowIds(segment::StringSpace space, std::string_view meta);
  void ReadMeta();
  void ReadStrings();
  void ReadKeys();
  void CheckRowsOf(segment::StringSpace space, std::string_view meta);

  const std::string path_;
  sqlite::Database db_;
  const std::int64_t format_;
  bool has_seed_ = false;
  std::string traces_;
  std::vector<First> firsts_;
  std::string ends_[2];  // `strings` and `heads` of meta.
  std::vector<std::string> problems_;
  AllStrings strings_;
};

}  // namespace throughline::store::care
