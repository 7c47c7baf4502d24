#include "gateway/cli_sql.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <CLI/App.hpp>

#include "api/time_text.h"
#include "correlate/scope.h"
#include "gateway/complain.h"
#include "gateway/open_store.h"
#include "gateway/sql_shell.h"
#include "gateway/sql_signals.h"
#include "gateway/terminal.h"
#include "gateway/time_argument.h"
#include "store/sql/connection.h"
#include "store/sql/guard.h"

namespace throughline::gateway {
namespace {

using store::sql::Connection;

constexpr const char* kDefaultTimeout = "5m";

struct SqlArguments {
  std::string data = "./data";
  std::string tenant;
  std::string format;
  std::string timeout = kDefaultTimeout;
  std::string query;
};

// Bytes to a file descriptor; after the first failure, nowhere.
class Output {
 public:
  explicit Output(int file) : file_(file) {}
  void Write(std::string_view text) {
    while (!text.empty() && !failed_) {
      const ssize_t written = ::write(file_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      failed_ = written < 0;
      if (!failed_) text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  bool failed() const { return failed_; }

 private:
  const int file_;
  bool failed_ = false;
};

// Lines of standard input. A signal ends a wait for one.
class Lines {
 public:
  enum class Got { kLine, kEnd, kSignal };

  Got Next(std::string& line) {
    for (;;) {
      const std::size_t newline = bytes_.find('\n');
      if (newline != std::string::npos || (at_end_ && !bytes_.empty()) ||
          bytes_.size() > static_cast<std::size_t>(store::sql::kStatementBytes)) {
        line = bytes_.substr(0, newline);
        bytes_.erase(0, newline == std::string::npos ? newline : newline + 1);
        return Got::kLine;
      }
      if (at_end_) return Got::kEnd;
      char piece[4096];
      const bool has_input = WaitForInput(STDIN_FILENO);
      const ssize_t read = has_input ? ::read(STDIN_FILENO, piece, sizeof piece) : -1;
      if (!has_input || (read < 0 && errno == EINTR)) {
        bytes_.clear();
        return Got::kSignal;
      }
      if (read <= 0) {
        at_end_ = true;
      } else {
        bytes_.append(piece, static_cast<std::size_t>(read));
      }
    }
  }

 private:
  std::string bytes_;
  bool at_end_ = false;
};

int ExitOf(SqlEnd end) {
  switch (end) {
    case SqlEnd::kDone:
    case SqlEnd::kQuit: return 0;
    case SqlEnd::kWrong: return kExitWrong;
    case SqlEnd::kFailed:
    case SqlEnd::kTimedOut: return kExitFailed;
    case SqlEnd::kStopped: return kExitStopped;
  }
  return kExitFailed;
}

// "60s"; "0" is none. A number without a unit would be nanoseconds, which nobody means.
Result<std::chrono::nanoseconds> TimeoutOf(const std::string& text) {
  if (text == "0") return std::chrono::nanoseconds(0);
  const auto time = api::ParseDuration(text);
  const bool is_number = text.find_first_not_of("0123456789") == std::string::npos;
  if (!time || is_number || *time > static_cast<std::uint64_t>(INT64_MAX)) {
    return InvalidArgument("--timeout \"" + text + "\" is no duration: want 30s, 5m, or 0");
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*time));
}

std::string TimeText(std::uint64_t unix_ns) {
  std::string text;
  api::AppendIsoTime(unix_ns / 1'000'000'000 * 1'000'000'000, text);
  return text.substr(0, text.find('.')) + 'Z';
}

// The data, the connection over it, and the shell over that.
class SqlCommandRun {
 public:
  explicit SqlCommandRun(SqlArguments arguments)
      : arguments_(std::move(arguments)), out_(STDOUT_FILENO), say_(STDERR_FILENO) {}

  Result<void> Open() {
    if (!arguments_.tenant.empty() && !TenantFromHeader(arguments_.tenant)) {
      return InvalidArgument("\"" + arguments_.tenant + "\" is no name of a tenant");
    }
    SqlShell::Options options;
    options.style = StyleOf(STDOUT_FILENO);
    TL_TRY_ASSIGN(options.timeout, TimeoutOf(arguments_.timeout));
    if (!arguments_.format.empty()) {
      const auto format = SqlFormatOf(arguments_.format);
      if (!format) {
        return InvalidArgument("--format \"" + arguments_.format + "\" is none: want one of " +
                               kSqlFormats);
      }
      options.format = *format;
    }
    is_interactive_ =
        arguments_.query.empty() && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    options.says_counts = is_interactive_;
    TL_TRY(Refresh());
    TL_TRY_ASSIGN(connection_,
                  Connection::Open(data_->store, {.tenant = arguments_.tenant,
                                                  .cancel = SqlInterrupt(),
                                                  .read_time = [this](std::string_view text) {
                                                    return TimeArgument(text, now_unix_ns_);
                                                  }}));
    shell_.emplace(*connection_, options, Hooks());
    return {};
  }

  int Run() {
    if (!arguments_.query.empty()) return Ended(shell_->Run(arguments_.query));
    return is_interactive_ ? Interact() : RunInput();
  }

 private:
  Result<void> Refresh() {
    auto opened = OpenCopy(arguments_.data);
    if (!opened) return opened.error();
    // The connection lets go of the old store before its files go.
    if (connection_ != nullptr) connection_->SetStore(opened->store);
    data_.reset();
    data_.emplace(std::move(*opened));
    taken_unix_ns_ = NowUnixNs();
    return {};
  }

  SqlShell::Hooks Hooks() {
    SqlShell::Hooks hooks;
    hooks.out = [this](std::string_view text) {
      out_.Write(text);
      if (out_.failed()) Interrupt();  // Nobody reads the rest.
    };
    hooks.say = [this](std::string_view text) { say_.Write(text); };
    hooks.begin = [this] {
      if (is_interactive_) ForgetInterrupt();
      now_unix_ns_ = NowUnixNs();
    };
    hooks.stop_asked = [] { return SqlInterrupt()->load(); };
    hooks.refresh = [this](bool must) -> Result<std::string> {
      if (!must && data_->copy.IsWhole()) return std::string();
      TL_TRY(Refresh());
      return "the data as it was at " + TimeText(taken_unix_ns_) + "\n";
    };
    return hooks;
  }

  int Ended(SqlEnd end) { return out_.failed() ? kExitFailed : ExitOf(end); }

  int RunInput() {
    Lines lines;
    std::string line;
    for (;;) {
      switch (lines.Next(line)) {
        case Lines::Got::kSignal: return kExitStopped;
        case Lines::Got::kEnd: return Ended(shell_->Finish());
        case Lines::Got::kLine: break;
      }
      const SqlEnd end = shell_->Line(line);
      if (end != SqlEnd::kDone || out_.failed()) return Ended(end);
    }
  }

  int Interact() {
    say_.Write("SQL over " + Printable(arguments_.data) + ", the data as it was at " +
               TimeText(taken_unix_ns_) + "; .help says more\n");
    Lines lines;
    std::string line;
    while (!out_.failed()) {
      out_.Write(shell_->is_inside() ? "...> " : "sql> ");
      switch (lines.Next(line)) {
        case Lines::Got::kSignal:
          if (SqlEndWasAsked()) return kExitStopped;
          shell_->Drop();
          ForgetInterrupt();
          out_.Write("\n");
          continue;
        case Lines::Got::kEnd: {
          const SqlEnd end = shell_->Finish();
          out_.Write("\n");
          return Ended(end == SqlEnd::kDone ? SqlEnd::kQuit : end);
        }
        case Lines::Got::kLine: break;
      }
      // What goes wrong with one statement has been said.
      if (shell_->Line(line) == SqlEnd::kQuit) return 0;
      if (SqlEndWasAsked()) return kExitStopped;
      ForgetInterrupt();  // It was the statement's.
    }
    return kExitFailed;
  }

  const SqlArguments arguments_;
  Output out_;
  Output say_;
  bool is_interactive_ = false;
  std::uint64_t taken_unix_ns_ = 0;
  std::uint64_t now_unix_ns_ = 0;
  std::optional<StoreCopy> data_;
  std::unique_ptr<Connection> connection_;
  std::optional<SqlShell> shell_;
};

int SqlCommand(const SqlArguments& arguments) {
  CatchSqlSignals();
  SqlCommandRun run(arguments);
  if (const auto opened = run.Open(); !opened) {
    const Errc code = opened.error().code;
    const bool is_wrong = code == Errc::kInvalidArgument || code == Errc::kNotFound;
    return Complain(opened.error().message, is_wrong ? kExitWrong : kExitFailed);
  }
  return run.Run();
}

}  // namespace

void AddSqlCommand(CLI::App& app, int* exit_code) {
  auto arguments = std::make_shared<SqlArguments>();
  CLI::App* const command =
      app.add_subcommand("sql", "Ask what is stored in SQL; a gateway may be running");
  command->add_option("query", arguments->query,
                      "Statements; without them those of standard input are run");
  command->add_option("--data", arguments->data, "The data directory")->capture_default_str();
  command->add_option("--tenant", arguments->tenant, "Only of this tenant; all otherwise");
  command->add_option("--format", arguments->format,
                      "table (the default), csv, json, ndjson or line");
  command->add_option("--timeout", arguments->timeout, "Of each statement: 30s, 5m; 0 is none")
      ->capture_default_str();
  command->callback([arguments, exit_code] { *exit_code = SqlCommand(*arguments); });
}

}  // namespace throughline::gateway
