// The records of one kind that a query wants, one after the other: of one trace, or of a scan.
//
// One tenant after the other, a batch at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "correlate/batch.h"
#include "store/sql/record_columns.h"
#include "store/sql/table.h"
#include "store/sql/wanted.h"
#include "store/sqlite/record_scan.h"

namespace throughline::store::sql {

// More records of one trace are an error: an answer without some of them would be wrong.
inline constexpr std::size_t kTraceRecords = 1'000'000;

template <typename Record>
class RecordReader {
 public:
  explicit RecordReader(Source& source) : source_(source) {}

  // To the first record.
  Result<void> Begin(const Wanted& wanted);
  Result<void> Next();
  bool at_end() const { return at_end_; }
  // Valid until the next call.
  RecordRow<Record> row() const { return {records()[at_], batch_, tenant_}; }

 private:
  const std::vector<Record>& records() const;
  // Stands the reader on the next record from `at_` on that counts.
  Result<void> Settle();
  // False: there are no more.
  Result<bool> ReadBatch();
  Result<void> ReadTrace();  // Of tenant_.

  Source& source_;
  Wanted wanted_;
  std::vector<std::string> tenants_;  // Still to come, the next one last.
  std::string tenant_;
  std::unique_ptr<sqlite::RecordScan> scan_;  // Of tenant_; null: none is under way.
  Batch batch_;
  // The batch is all of wanted_.trace_id. A join asks for the same trace again and again: the spans
  // of one stand next to each other.
  bool is_whole_trace_ = false;
  std::size_t at_ = 0;
  bool at_end_ = true;
};

extern template class RecordReader<Span>;
extern template class RecordReader<LogLine>;
extern template class RecordReader<Exemplar>;

}  // namespace throughline::store::sql
