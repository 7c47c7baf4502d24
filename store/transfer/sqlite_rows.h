// Records to rows: binds one record after the other to the INSERT statements of the tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "store/transfer/sqlite_file.h"

namespace throughline::store::transfer {

class SqliteRows {
 public:
  // Prepares the statements; the tables are there.
  static Result<SqliteRows> Of(SqliteFile& file);

  Result<void> Write(std::string_view tenant, const Batch& batch);

 private:
  SqliteRows() = default;

  Result<void> Insert(const Span& span, const Batch& batch);
  Result<void> Insert(const LogLine& line, const Batch& batch);
  Result<void> Insert(const Exemplar& exemplar, const Batch& batch);
  Result<void> Insert(const GaugePoint& point, const Batch& batch);
  // The columns that all tables begin with.
  template <typename Record>
  void BindOrigin(const Record& record, const Batch& batch, SqliteStatement& to);
  void BindAttributes(Range range, const Batch& batch, SqliteStatement& to);
  // A text that lives until the row is written.
  std::string& NextText();

  SqliteStatement span_;
  SqliteStatement log_;
  SqliteStatement exemplar_;
  SqliteStatement gauge_;
  std::string_view tenant_;
  // By index of the batch: the JSON of its attributes; empty: not spelled yet.
  std::vector<std::string> resources_;
  std::vector<std::string> scopes_;
  std::vector<std::string>
      texts_;  // Of the row at hand; never moved, since never more than kTexts.
  std::size_t used_ = 0;
};

}  // namespace throughline::store::transfer
