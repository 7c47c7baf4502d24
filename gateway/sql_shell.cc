#include "gateway/sql_shell.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "store/sql/guard.h"

namespace throughline::gateway {
namespace {

using store::sql::CellType;
using store::sql::Connection;
using Clock = std::chrono::steady_clock;

constexpr const char* kHelp =
    ".tables            the tables\n"
    ".schema [TABLE]    their columns\n"
    ".format FORMAT     table, csv, json, ndjson or line\n"
    ".refresh           look at the data as it is now\n"
    ".quit              as the end of input does\n"
    "A statement ends with a semicolon. trace_id('...') reads an id in any spelling, "
    "unix_ns('2h')\n"
    "is a time in nanoseconds. docs/sql.md has examples.\n";

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

SqlCell CellAt(const store::sql::Statement& row, int column) {
  SqlCell cell;
  cell.type = row.TypeOf(column);
  switch (cell.type) {
    case CellType::kNull: break;
    case CellType::kInteger: cell.integer = row.IntegerAt(column); break;
    case CellType::kReal: cell.real = row.RealAt(column); break;
    case CellType::kText:
    case CellType::kBlob: cell.bytes = row.BytesAt(column);
  }
  return cell;
}

std::string Milliseconds(Clock::duration time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms",
                std::chrono::duration<double, std::milli>(time).count());
  return text;
}

}  // namespace

SqlEnd SqlShell::Fail(const Error& error) {
  if (error.code != Errc::kUnavailable) {
    hooks_.say("throughline: " + Printable(error.message) + "\n");
    return SqlEnd::kFailed;
  }
  if (hooks_.stop_asked()) {
    hooks_.say("throughline: interrupted\n");
    return SqlEnd::kStopped;
  }
  if (options_.timeout.count() > 0 && Clock::now() >= deadline_) {
    hooks_.say("throughline: --timeout is over\n");
    return SqlEnd::kTimedOut;
  }
  hooks_.say("throughline: " + Printable(error.message) + "\n");
  return SqlEnd::kFailed;
}

void SqlShell::SayWhere(std::string_view text, int offset) {
  if (offset < 0 || static_cast<std::size_t>(offset) > text.size()) return;
  const auto at = static_cast<std::size_t>(offset);
  const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0.
  const auto number = 1 + std::count(text.begin(), text.begin() + offset, '\n');
  const std::string line = Printable(text.substr(begin, text.find('\n', begin) - begin));
  const std::string before = Printable(text.substr(begin, at - begin));
  constexpr std::size_t kShown = 120;
  hooks_.say("throughline: line " + std::to_string(number) + ", column " +
             std::to_string(at - begin + 1) + ":\n");
  if (DisplayWidth(before) > kShown) return;
  hooks_.say("  " + Clip(line, kShown, options_.style) + "\n  " +
             std::string(DisplayWidth(before), ' ') + "^\n");
}

SqlEnd SqlShell::RunOne(std::string_view text, std::size_t* used) {
  const auto began = Clock::now();
  deadline_ = options_.timeout.count() > 0 ? began + options_.timeout : Clock::time_point::max();
  hooks_.begin();
  connection_.SetDeadline(deadline_);
  auto statement = connection_.Prepare(text, used);
  if (!statement) {
    const bool is_wrong = statement.error().code == Errc::kInvalidArgument;
    const SqlEnd end = Fail(statement.error());
    SayWhere(text, connection_.error_offset());
    return is_wrong ? SqlEnd::kWrong : end;
  }
  if (statement->is_empty()) return SqlEnd::kDone;
  std::vector<std::string> columns;
  for (int i = 0; i < statement->column_count(); ++i) columns.push_back(statement->ColumnName(i));
  const auto printer = MakeSqlPrinter(options_.format, options_.style, hooks_.out);
  std::vector<SqlCell> cells(columns.size());
  std::uint64_t rows = 0;
  SqlEnd end = SqlEnd::kDone;
  // The first step may fail before there is anything to print.
  auto row = statement->Step();
  if (!row) return Fail(row.error());
  printer->Begin(columns);
  for (; row && *row; row = statement->Step()) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] = CellAt(*statement, static_cast<int>(i));
    }
    printer->Row(cells);
    ++rows;
  }
  printer->End();
  if (!row) end = Fail(row.error());
  for (const std::string& note : connection_.TakeNotes()) {
    hooks_.say("throughline: " + note + "\n");
    if (end == SqlEnd::kDone) end = SqlEnd::kFailed;
  }
  if (options_.says_counts && end == SqlEnd::kDone) {
    hooks_.say(std::to_string(rows) + (rows == 1 ? " row, " : " rows, ") +
               Milliseconds(Clock::now() - began) + "\n");
  }
  return end;
}

SqlEnd SqlShell::Run(std::string_view text) {
  const auto refreshed = hooks_.refresh(false);
  if (!refreshed) return Fail(refreshed.error());
  if (!refreshed->empty()) hooks_.say(*refreshed);
  while (!Trim(text).empty()) {
    std::size_t used = 0;
    const SqlEnd end = RunOne(text, &used);
    if (end != SqlEnd::kDone) return end;
    text.remove_prefix(used);
  }
  return SqlEnd::kDone;
}

SqlEnd SqlShell::RunWord(std::string_view line) {
  const std::string_view word = line.substr(0, line.find(' '));
  const std::string_view argument = Trim(line.substr(word.size()));
  if (word == ".quit" || word == ".exit") return SqlEnd::kQuit;
  if (word == ".help") {
    hooks_.out(kHelp);
  } else if (word == ".tables") {
    for (const std::string& name : connection_.TableNames()) hooks_.out(name + "\n");
  } else if (word == ".schema") {
    const auto names = connection_.TableNames();
    const auto schema = connection_.Schema();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (argument.empty() || names[i] == argument) hooks_.out(schema[i] + ";\n");
    }
  } else if (word == ".format") {
    const auto format = SqlFormatOf(argument);
    if (!format) {
      hooks_.say("throughline: \"" + Printable(argument) + "\" is no format: want one of " +
                 kSqlFormats + "\n");
      return SqlEnd::kWrong;
    }
    options_.format = *format;
  } else if (word == ".refresh") {
    const auto refreshed = hooks_.refresh(true);
    if (!refreshed) return Fail(refreshed.error());
    hooks_.say(*refreshed);
  } else {
    hooks_.say("throughline: \"" + Printable(word) + "\" is not known: .help says what is\n");
    return SqlEnd::kWrong;
  }
  return SqlEnd::kDone;
}

SqlEnd SqlShell::Line(std::string_view line) {
  const std::string_view trimmed = Trim(line);
  if (pending_.empty() && trimmed.empty()) return SqlEnd::kDone;
  if (pending_.empty() && trimmed.front() == '.') return RunWord(trimmed);
  pending_.append(line) += '\n';
  if (pending_.size() > static_cast<std::size_t>(store::sql::kStatementBytes)) {
    pending_.clear();
    hooks_.say("throughline: the statement has more than " +
               std::to_string(store::sql::kStatementBytes) + " bytes\n");
    return SqlEnd::kWrong;
  }
  if (!Connection::IsComplete(pending_)) return SqlEnd::kDone;
  return Run(std::exchange(pending_, {}));
}

SqlEnd SqlShell::Finish() { return Run(std::exchange(pending_, {})); }

bool SqlShell::Drop() { return !std::exchange(pending_, {}).empty(); }

}  // namespace throughline::gateway
