#include "store/sql/functions.h"

#include <sqlite3.h>

#include <string>

#include "correlate/ids.h"
#include "store/sql/value_out.h"

namespace throughline::store::sql {
namespace {

std::string_view TextOf(sqlite3_value* value) {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void TraceIdOf(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto readings = ResolveAll(TextOf(arguments[0]));
  ValueOut(context).Id(readings.empty() ? TraceId{} : readings.front().trace_id);
}

void UnixNsOf(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return ValueOut(context).Null();
  const auto& read_time = *static_cast<const ReadTime*>(sqlite3_user_data(context));
  const auto time = read_time(TextOf(arguments[0]));
  if (time) return ValueOut(context).Time(*time);
  const std::string message = "unix_ns: " + time.error().message;
  sqlite3_result_error(context, message.c_str(), static_cast<int>(message.size()));
}

}  // namespace

Result<void> AddFunctions(sqlite3* db, const ReadTime& read_time) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  auto* const aux = const_cast<ReadTime*>(&read_time);
  const int made_trace_id = sqlite3_create_function_v2(db, "trace_id", 1, kFlags, nullptr,
                                                       TraceIdOf, nullptr, nullptr, nullptr);
  const int made_unix_ns = sqlite3_create_function_v2(db, "unix_ns", 1, kFlags, aux, UnixNsOf,
                                                      nullptr, nullptr, nullptr);
  if (made_trace_id != SQLITE_OK || made_unix_ns != SQLITE_OK) {
    return Error{Errc::kUnavailable, "sqlite: " + std::string(sqlite3_errmsg(db))};
  }
  return {};
}

}  // namespace throughline::store::sql
