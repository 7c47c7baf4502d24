// Hands one value of a row to SQLite, as the SQLite form of export writes it
// (transfer/sqlite_tables.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "correlate/trace_id.h"

struct sqlite3_context;

namespace throughline::store::sql {

class ValueOut {
 public:
  explicit ValueOut(sqlite3_context* context) : context_(context) {}

  void Null();
  void Integer(std::int64_t value);
  void Real(double value);  // NaN is NULL.
  void Text(std::string_view text);
  void TextOrNull(std::string_view text);  // Empty is NULL.
  void Time(std::uint64_t unix_ns);        // One after 2262 shows negative.
  void TimeOrNull(std::uint64_t unix_ns);  // 0 is NULL.
  void Id(TraceId id);                     // No id is NULL.
  void Id(SpanId id);

 private:
  sqlite3_context* context_;
};

}  // namespace throughline::store::sql
