// The statements of `throughline sql`, run one after the other, and its words that begin with a
// dot. Knows no terminal and no signal: text comes in and goes out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "correlate/result.h"
#include "gateway/sql_printer.h"
#include "store/sql/connection.h"

namespace throughline::gateway {

// What a statement ended with.
enum class SqlEnd : std::uint8_t {
  kDone,
  kWrong,   // It is no statement that can be run.
  kFailed,  // While it ran; also where part of the answer is missing.
  kTimedOut,
  kStopped,  // By who asked.
  kQuit,     // .quit
};

class SqlShell {
 public:
  struct Options {
    SqlFormat format = SqlFormat::kTable;
    TerminalStyle style = {};
    std::chrono::nanoseconds timeout{};  // Of one statement; 0: none.
    bool says_counts = false;            // "12 rows, 3.4 ms" behind each answer.
  };
  struct Hooks {
    SqlSink out;                       // Answers,
    SqlSink say;                       // and what is said beside them, in whole lines.
    std::function<void()> begin;       // A statement begins: nobody has stopped it yet.
    std::function<bool()> stop_asked;  // By who asked.
    // Takes the data as it is now; without `must`, only if it cannot be read any more as it was.
    // What was done, in a line; or nothing.
    std::function<Result<std::string>(bool must)> refresh;
  };
  // The connection outlives it.
  SqlShell(store::sql::Connection& connection, Options options, Hooks hooks)
      : connection_(connection), options_(std::move(options)), hooks_(std::move(hooks)) {}

  // All statements of a text, until one does not end well.
  SqlEnd Run(std::string_view text);
  // One more line of input: runs what is complete by it.
  SqlEnd Line(std::string_view line);
  // The input is at its end: runs what is left of it.
  SqlEnd Finish();
  // Forgets the lines of a statement that is not complete. True: there were some.
  bool Drop();
  bool is_inside() const { return !pending_.empty(); }  // A statement goes on.

 private:
  SqlEnd RunOne(std::string_view text, std::size_t* used);
  SqlEnd RunWord(std::string_view line);
  SqlEnd Fail(const Error& error);
  // Says where in the text the statement is wrong.
  void SayWhere(std::string_view text, int offset);

  store::sql::Connection& connection_;
  Options options_;
  Hooks hooks_;
  std::string pending_;  // Lines of a statement that is not complete.
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace throughline::gateway
