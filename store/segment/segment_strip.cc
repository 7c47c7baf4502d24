#include "store/segment/segment_strip.h"

#include <algorithm>
#include <cstdint>
#include <functional>

#include "store/segment/columns.h"
#include "store/segment/segment_schema.h"
#include "store/segment/segment_writer.h"
#include "store/sqlite/database.h"

namespace throughline::store::segment {
namespace {

using sqlite::Blob;
using sqlite::Database;
using sqlite::RecordKind;
using sqlite::Rows;
using sqlite::Statement;

Error Damaged() { return {Errc::kDataLoss, "a block is damaged"}; }

class Copier {
 public:
  Copier(Kinds kinds, std::int64_t format, Database& from, Database& to)
      : kinds_(kinds),
        has_text_(HasTextFilters(format) && Keeps(RecordKind::kLine)),
        from_(from),
        to_(to) {}

  Result<void> Run() {
    TL_TRY(Each("SELECT id, data FROM block ORDER BY id", "INSERT INTO block VALUES (?, ?)",
                [this](const Rows& row, Statement& insert) -> Result<void> {
                  TL_TRY_ASSIGN(const std::string block, BlockWithout(kinds_, row.Bytes(1)));
                  return insert.Run(row.Integer(0), Blob{block});
                }));
    TL_TRY(Each("SELECT id, data FROM string ORDER BY id", "INSERT INTO string VALUES (?, ?)",
                [](const Rows& row, Statement& insert) {
                  return insert.Run(row.Integer(0), Blob{row.Bytes(1)});
                }));
    TL_TRY(Each("SELECT first_block, data FROM tag ORDER BY first_block",
                "INSERT INTO tag VALUES (?, ?)", [](const Rows& row, Statement& insert) {
                  return insert.Run(row.Integer(0), Blob{row.Bytes(1)});
                }));
    if (has_text_) {
      TL_TRY(Each("SELECT first_block, data FROM text ORDER BY first_block",
                  "INSERT INTO text VALUES (?, ?)", [](const Rows& row, Statement& insert) {
                    return insert.Run(row.Integer(0), Blob{row.Bytes(1)});
                  }));
    }
    TL_TRY(CopySearch());
    TL_TRY(CopyNames());
    if (Keeps(RecordKind::kGauges)) TL_TRY(CopyGauges());
    return Each("SELECT name, value FROM meta", "INSERT INTO meta VALUES (?, ?)",
                [](const Rows& row, Statement& insert) {
                  return insert.Run(row.Text(0), Blob{row.Bytes(1)});
                });
  }

 private:
  bool Keeps(RecordKind kind) const { return (kinds_ & KindBit(kind)) == 0; }
  Result<void> Each(
      const char* select, const char* insert,
      const std::function<Result<void>(const Rows& row, Statement& insert)>& copy) const {
    TL_TRY_ASSIGN(auto read, from_.Prepare(select));
    TL_TRY_ASSIGN(auto write, to_.Prepare(insert));
    auto row = read.Use();
    while (row.Next()) TL_TRY(copy(row, write));
    return row.Finish();
  }
  Result<void> CopySearch() const;
  Result<void> CopyNames() const;
  Result<void> CopyGauges() const;

  const Kinds kinds_;
  const bool has_text_;
  Database& from_;
  Database& to_;
};

Result<void> Copier::CopySearch() const {
  return Each(
      "SELECT kind, of, part, tenant, first_ns, last_ns, least, most, data FROM search"
      " ORDER BY kind, of, part",
      "INSERT INTO search (kind, of, part, tenant, first_ns, last_ns, least, most, data)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      [this](const Rows& row, Statement& insert) -> Result<void> {
        if (!Keeps(static_cast<RecordKind>(row.Integer(0)))) return {};
        return insert.Run(row.Integer(0), row.Integer(1), row.Integer(2), row.Integer(3),
                          row.Integer(4), row.Integer(5), row.Number(6), row.Number(7),
                          Blob{row.Bytes(8)});
      });
}

Result<void> Copier::CopyNames() const {
  TL_TRY(Each("SELECT id, tenant, name, spans, errors, logs, exemplars FROM service ORDER BY id",
              "INSERT INTO service (id, tenant, name, spans, errors, logs, exemplars) VALUES (?, ?,"
              " ?, ?, ?, ?, ?)",
              [this](const Rows& row, Statement& insert) {
                const auto count = [&](int column, RecordKind kind) {
                  return Keeps(kind) ? row.Integer(column) : 0;
                };
                return insert.Run(row.Integer(0), row.Integer(1), row.Text(2),
                                  count(3, RecordKind::kSpan), count(4, RecordKind::kSpan),
                                  count(5, RecordKind::kLine), count(6, RecordKind::kExemplar));
              }));
  if (Keeps(RecordKind::kSpan)) {
    TL_TRY(Each("SELECT service, name, kind, spans, errors FROM operation",
                "INSERT INTO operation (service, name, kind, spans, errors) VALUES (?, ?, ?, ?, ?)",
                [](const Rows& row, Statement& insert) {
                  return insert.Run(row.Integer(0), row.Text(1), row.Integer(2), row.Integer(3),
                                    row.Integer(4));
                }));
  }
  if (!Keeps(RecordKind::kExemplar)) return {};
  return Each("SELECT id, tenant, name, unit, type FROM metric ORDER BY id",
              "INSERT INTO metric (id, tenant, name, unit, type) VALUES (?, ?, ?, ?, ?)",
              [](const Rows& row, Statement& insert) {
                return insert.Run(row.Integer(0), row.Integer(1), row.Text(2), row.Text(3),
                                  row.Integer(4));
              });
}

Result<void> Copier::CopyGauges() const {
  TL_TRY(Each("SELECT id, tenant, metric, service, data FROM series ORDER BY id",
              "INSERT INTO series (id, tenant, metric, service, data) VALUES (?, ?, ?, ?, ?)",
              [](const Rows& row, Statement& insert) {
                return insert.Run(row.Integer(0), row.Integer(1), row.Text(2), row.Text(3),
                                  Blob{row.Bytes(4)});
              }));
  return Each("SELECT series, part, first_ns, last_ns, data FROM gauge ORDER BY series, part",
              "INSERT INTO gauge (series, part, first_ns, last_ns, data) VALUES (?, ?, ?, ?, ?)",
              [](const Rows& row, Statement& insert) {
                return insert.Run(row.Integer(0), row.Integer(1), row.Integer(2), row.Integer(3),
                                  Blob{row.Bytes(4)});
              });
}

}  // namespace

Result<std::string> BlockWithout(Kinds kinds, std::string_view block) {
  constexpr RecordKind kGroups[] = {RecordKind::kSpan, RecordKind::kLine, RecordKind::kExemplar};
  Cursor cursor(block);
  const auto left = [&] { return static_cast<std::size_t>(cursor.end() - cursor.at()); };
  const std::uint64_t traces = cursor.Varint();
  if (traces == 0 || traces > block.size() / 16) return Damaged();
  for (std::uint64_t named = 0; named < traces;) {
    cursor.Varint();  // The tenant.
    const std::uint64_t of_tenant = cursor.Varint();
    if (of_tenant == 0 || of_tenant > traces - named) return Damaged();
    named += of_tenant;
  }
  if (left() < 16 * traces) return Damaged();
  cursor.Take(16 * traces);
  std::uint64_t spans = 0;
  for (std::uint64_t i = 0; i < traces; ++i) {
    const std::uint64_t of_trace = cursor.Varint();
    if (of_trace > block.size()) return Damaged();
    spans += of_trace;
  }
  std::string out(block.substr(0, static_cast<std::size_t>(cursor.at() - block.data())));
  for (const RecordKind kind : kGroups) {
    const bool keeps = (kinds & KindBit(kind)) == 0;
    const std::uint64_t records = cursor.Varint();
    AppendVarint(keeps ? records : 0, out);
    if (kind == RecordKind::kSpan) {
      if (spans > left() / 8) return Damaged();
      out += cursor.Take(8 * spans);
    }
    if (records == 0) continue;
    const char* const frame = cursor.at();
    Frame::Skip(cursor);
    if (keeps) out.append(frame, cursor.at());
  }
  return out;
}

Result<void> WriteWithout(Kinds kinds, const SegmentInfo& info, const std::string& from,
                          const std::string& path, const char* vfs) {
  TL_TRY_ASSIGN(auto source, Database::Open(from, {.vfs = vfs,
                                                   .immutable = true,
                                                   .checked_pages = HasPageChecks(info.format),
                                                   .cache_kib = 512}));
  TL_TRY_ASSIGN(auto db, OpenNewSegment(path, vfs));
  TL_TRY(db.Run("BEGIN"));
  TL_TRY(db.Run(kSegmentSchema));
  TL_TRY(Copier(kinds, info.format, source, db).Run());
  return db.Run("COMMIT");
}

}  // namespace throughline::store::segment
