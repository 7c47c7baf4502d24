#include "store/sql/plan.h"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "correlate/check.h"

namespace throughline::store::sql {
namespace {

constexpr std::string_view kNewestFirst = "newest first, ";
// A page of traces is read for a query that wants no more than so many.
constexpr std::int64_t kNewestAtMost = 1000;
constexpr double kTraceRows = 20;   // Of one kind; about.
constexpr double kLookupCost = 50;  // In rows of a scan.

std::string_view NameOf(std::string_view declaration) {
  return declaration.substr(0, declaration.find(' '));
}

// "=", "<", ...; empty: no operator that a lookup knows.
std::string_view OperatorOf(int op) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ: return "=";
    case SQLITE_INDEX_CONSTRAINT_LT: return "<";
    case SQLITE_INDEX_CONSTRAINT_LE: return "<=";
    case SQLITE_INDEX_CONSTRAINT_GT: return ">";
    case SQLITE_INDEX_CONSTRAINT_GE: return ">=";
    default: return {};
  }
}

// Which of the rows are left, about, where the condition is pushed down; 0: it cannot be.
double ShareLeft(Key key, int op) {
  const bool is_equal = op == SQLITE_INDEX_CONSTRAINT_EQ;
  const bool is_lower = op == SQLITE_INDEX_CONSTRAINT_GT || op == SQLITE_INDEX_CONSTRAINT_GE;
  const bool is_upper = op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE;
  switch (key) {
    case Key::kTraceId: return is_equal ? 1 : 0;  // Has a cost of its own.
    case Key::kTenant: return is_equal ? 0.5 : 0;
    case Key::kKind: return is_equal ? 0.4 : 0;
    case Key::kTime: return is_equal ? 0.01 : is_lower ? 0.25 : is_upper ? 0.5 : 0;
    case Key::kService: return is_equal ? 0.1 : 0;
    case Key::kName: return is_equal ? 0.1 : 0;
    case Key::kStatus: return is_equal ? 0.3 : 0;
    case Key::kDuration:
    case Key::kSeverity: return is_equal || is_lower ? 0.3 : 0;
  }
  return 0;
}

bool IsText(Key key) {
  return key == Key::kTraceId || key == Key::kTenant || key == Key::kKind || key == Key::kService ||
         key == Key::kName;
}

const KeyColumn* KeyAt(const std::vector<KeyColumn>& keys, int column) {
  for (const KeyColumn& key : keys) {
    if (key.column == column) return &key;
  }
  return nullptr;
}

// The LIMIT of the query where it is a number and no more than a page; 0: it is not.
std::int64_t LimitOf(sqlite3_index_info& info) {
  std::int64_t limit = 0;
  for (int i = 0; i < info.nConstraint; ++i) {
    if (info.aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_LIMIT) continue;
    sqlite3_value* value = nullptr;
    if (sqlite3_vtab_rhs_value(&info, i, &value) != SQLITE_OK) return 0;
    limit = sqlite3_value_int64(value);
  }
  return limit > 0 && limit <= kNewestAtMost ? limit : 0;
}

// Exactly as the tables write it; nullopt: no row can be of it.
std::optional<TraceId> ReadTraceId(std::string_view text) {
  constexpr std::size_t kDigits = 32;
  if (text.size() != kDigits) return std::nullopt;
  TraceId id;
  for (std::uint64_t* const half : {&id.high, &id.low}) {
    const char* const end = text.data() + kDigits / 2;
    const auto read = std::from_chars(text.data(), end, *half, 16);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    text.remove_prefix(kDigits / 2);
  }
  return id;
}

std::string_view TextOf(sqlite3_value* value) {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// A number, rounded down or up; nullopt: it is none, or a negative one.
std::optional<std::uint64_t> NumberOf(sqlite3_value* value, bool up) {
  switch (sqlite3_value_numeric_type(value)) {
    case SQLITE_INTEGER: {
      const std::int64_t number = sqlite3_value_int64(value);
      if (number < 0) return std::nullopt;
      return static_cast<std::uint64_t>(number);
    }
    case SQLITE_FLOAT: {
      const double number = sqlite3_value_double(value);
      if (!(number >= 0)) return std::nullopt;
      const double whole = up ? std::ceil(number) : std::floor(number);
      if (whole >= 9.2e18) return static_cast<std::uint64_t>(INT64_MAX);
      return static_cast<std::uint64_t>(whole);
    }
    default: return std::nullopt;
  }
}

void AddTime(std::string_view op, sqlite3_value* value, Wanted& wanted) {
  // Negative times are those after 2262: what is below a number has them too.
  if (op == "=" || op.front() == '>') {
    if (const auto number = NumberOf(value, false)) {
      wanted.time.start_unix_ns = std::max(wanted.time.start_unix_ns, *number);
    }
  }
  if (op == "=" || op.front() == '<') {
    if (const auto number = NumberOf(value, true)) {
      wanted.time.end_unix_ns = std::min(wanted.time.end_unix_ns, *number);
    }
  }
}

void Add(Key key, std::string_view op, sqlite3_value* value, Wanted& wanted) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_NULL) {  // Nothing is equal to it, less or more.
    wanted.nothing = true;
    return;
  }
  if (IsText(key) && type != SQLITE_TEXT) return;  // SQLite knows how to compare it.
  switch (key) {
    case Key::kTraceId:
      wanted.trace_id = ReadTraceId(TextOf(value));
      wanted.nothing = wanted.nothing || !wanted.trace_id;
      return;
    case Key::kTenant: wanted.tenant = TextOf(value); return;
    case Key::kKind: wanted.kind = TextOf(value); return;
    case Key::kTime: AddTime(op, value, wanted); return;
    case Key::kService: wanted.service = TextOf(value); return;
    case Key::kName: wanted.name = TextOf(value); return;
    case Key::kStatus:
      if (type != SQLITE_INTEGER) return;
      if (const std::int64_t status = sqlite3_value_int64(value);
          status >= 0 && status <= UINT32_MAX) {
        wanted.status_code = static_cast<std::uint32_t>(status);
      }
      return;
    case Key::kDuration:
      if (const auto least = NumberOf(value, false)) {
        wanted.min_duration_ns = std::max(wanted.min_duration_ns, *least);
      }
      return;
    case Key::kSeverity:
      if (const auto least = NumberOf(value, false)) {
        wanted.min_severity_number =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(*least, UINT32_MAX));
      }
  }
}

}  // namespace

std::string PlanFor(const Table& table, sqlite3_index_info& info) {
  const auto keys = table.keys();
  const auto columns = table.columns();
  std::string plan;
  int used = 0;
  double rows = static_cast<double>(std::max<std::uint64_t>(table.row_count(), 1));
  bool has_trace = false;
  const auto push = [&](bool trace_ids) {
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      const KeyColumn* const key = KeyAt(keys, constraint.iColumn);
      if (!constraint.usable || key == nullptr) continue;
      if ((key->key == Key::kTraceId) != trace_ids) continue;
      // By id it is a lookup, where only these make a difference.
      if (has_trace && key->key != Key::kTenant && key->key != Key::kKind) continue;
      const double share = ShareLeft(key->key, constraint.op);
      if (share == 0) continue;
      // What another collation calls equal the store does not.
      if (IsText(key->key) && std::strcmp(sqlite3_vtab_collation(&info, i), "BINARY") != 0) {
        continue;
      }
      info.aConstraintUsage[i].argvIndex = ++used;
      plan.append(NameOf(columns[static_cast<std::size_t>(key->column)]));
      plan.append(OperatorOf(constraint.op)) += ' ';
      rows *= share;
      has_trace = has_trace || trace_ids;
    }
  };
  push(true);
  push(false);
  rows = has_trace ? kTraceRows : std::max(rows, 1.0);
  info.estimatedRows = static_cast<sqlite3_int64>(rows);
  info.estimatedCost = has_trace ? kLookupCost : rows + kLookupCost;
  if (!has_trace && info.nOrderBy == 1 && info.aOrderBy[0].desc && table.has_newest_first()) {
    const KeyColumn* const key = KeyAt(keys, info.aOrderBy[0].iColumn);
    const std::int64_t limit = LimitOf(info);
    if (key != nullptr && key->key == Key::kTime && limit > 0) {
      info.orderByConsumed = 1;
      plan.append(kNewestFirst).append(std::to_string(limit)) += ' ';
    }
  }
  if (!plan.empty()) plan.pop_back();
  return plan;
}

Wanted WantedBy(const Table& table, std::string_view plan, sqlite3_value** values) {
  const auto keys = table.keys();
  const auto columns = table.columns();
  Wanted wanted;
  for (int used = 0; !plan.empty();) {
    if (plan.starts_with(kNewestFirst)) {
      wanted.newest_first = true;
      plan.remove_prefix(kNewestFirst.size());
      std::from_chars(plan.data(), plan.data() + plan.size(), wanted.limit);
      break;
    }
    const std::string_view word = plan.substr(0, plan.find(' '));
    plan.remove_prefix(std::min(word.size() + 1, plan.size()));
    const std::size_t at = word.find_first_of("=<>");
    TL_CHECK(at != std::string_view::npos);
    for (const KeyColumn& key : keys) {
      if (NameOf(columns[static_cast<std::size_t>(key.column)]) != word.substr(0, at)) continue;
      Add(key.key, word.substr(at), values[used], wanted);
    }
    ++used;
  }
  if (wanted.time.start_unix_ns > wanted.time.end_unix_ns) wanted.nothing = true;
  return wanted;
}

}  // namespace throughline::store::sql
