#include "store/sql/value_out.h"

#include <sqlite3.h>

#include <cmath>
#include <string>

namespace throughline::store::sql {

void ValueOut::Null() { sqlite3_result_null(context_); }

void ValueOut::Integer(std::int64_t value) { sqlite3_result_int64(context_, value); }

void ValueOut::Real(double value) {
  if (std::isnan(value)) {
    Null();
  } else {
    sqlite3_result_double(context_, value);
  }
}

void ValueOut::Text(std::string_view text) {
  sqlite3_result_text64(context_, text.data() == nullptr ? "" : text.data(), text.size(),
                        SQLITE_TRANSIENT, SQLITE_UTF8);
}

void ValueOut::TextOrNull(std::string_view text) {
  if (text.empty()) {
    Null();
  } else {
    Text(text);
  }
}

void ValueOut::Time(std::uint64_t unix_ns) { Integer(static_cast<std::int64_t>(unix_ns)); }

void ValueOut::TimeOrNull(std::uint64_t unix_ns) {
  if (unix_ns == 0) {
    Null();
  } else {
    Time(unix_ns);
  }
}

void ValueOut::Id(TraceId id) {
  if (!id.IsValid()) {
    Null();
  } else {
    Text(ToHex(id));
  }
}

void ValueOut::Id(SpanId id) {
  if (!id.IsValid()) {
    Null();
  } else {
    Text(ToHex(id));
  }
}

}  // namespace throughline::store::sql
