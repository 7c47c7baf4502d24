// Rows to records: the way back of sqlite_rows.h, from a file that anybody may have made.
//
// One for each batch: what rows have in common is shared in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "correlate/batch.h"
#include "store/transfer/sqlite_file.h"

namespace throughline::store::transfer {

class SqliteRowReader {
 public:
  // Both outlive it.
  SqliteRowReader(const DecodeOptions& options, Batch& batch) : options_(options), batch_(batch) {}

  // Each appends the row at hand of a statement of SelectFrom. They give why it is no record;
  // empty: it is in the batch.
  std::string ReadSpan(const SqliteStatement& row);
  std::string ReadLog(const SqliteStatement& row);
  std::string ReadExemplar(const SqliteStatement& row);
  std::string ReadGauge(const SqliteStatement& row);

 private:
  class Row;

  const DecodeOptions& options_;
  Batch& batch_;
  std::unordered_map<std::string, std::uint32_t> resources_;  // By the text of their columns.
  std::unordered_map<std::string, std::uint32_t> scopes_;
};

}  // namespace throughline::store::transfer
