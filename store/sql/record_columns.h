// The columns of spans, lines and exemplars: names and types of the SQLite form of export, and how
// each comes from a record. tests/store/sql compares them with transfer/sqlite_tables.cc.
#pragma once

#include <span>
#include <string_view>

#include "correlate/batch.h"
#include "store/sql/value_out.h"

namespace throughline::store::sql {

// A record with what stands around it.
template <typename Record>
struct RecordRow {
  const Record& record;
  const Batch& batch;
  std::string_view tenant;
};

template <typename Record>
struct RecordColumn {
  std::string_view declaration;  // "trace_id TEXT NOT NULL".
  void (*put)(const RecordRow<Record>& row, ValueOut out);
};

template <typename Record>
std::span<const RecordColumn<Record>> ColumnsOf();
template <>
std::span<const RecordColumn<Span>> ColumnsOf<Span>();
template <>
std::span<const RecordColumn<LogLine>> ColumnsOf<LogLine>();
template <>
std::span<const RecordColumn<Exemplar>> ColumnsOf<Exemplar>();

// See TableCursor::RowId.
std::int64_t RowIdOf(const RecordRow<Span>& row);
std::int64_t RowIdOf(const RecordRow<LogLine>& row);
std::int64_t RowIdOf(const RecordRow<Exemplar>& row);

}  // namespace throughline::store::sql
