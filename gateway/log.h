// The gateway's own log: one line an event to stderr, logfmt or JSON, times in UTC.
//
// The same message (its fields aside) is written at most `kBurst` times in `kWindow`; the first one
// of the next window says how many were left out. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace throughline::gateway {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kLogfmt, kJson };

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

class Logger {
 public:
  static constexpr int kBurst = 10;
  static constexpr std::chrono::seconds kWindow{10};
  static constexpr std::size_t kMessages = 256;  // Told apart; further ones share one count.

  // `write` takes one line with its newline; `now` is the time. For tests; see log().
  Logger(std::function<void(std::string_view line)> write,
         std::function<std::chrono::system_clock::time_point()> now);

  void Set(LogLevel level, LogFormat format);
  void Write(LogLevel level, std::string_view message, LogFields fields);

 private:
  struct Repeats {
    std::chrono::system_clock::time_point window_start;
    int written = 0;
    std::uint64_t left_out = 0;
  };
  // False: not this time. `left_out` is what to tell of.
  bool Admit(std::string_view message, std::chrono::system_clock::time_point now,
             std::uint64_t& left_out);

  const std::function<void(std::string_view line)> write_;
  const std::function<std::chrono::system_clock::time_point()> now_;
  std::mutex mutex_;
  LogLevel level_ = LogLevel::kInfo;  // Guarded by mutex_, as all below.
  LogFormat format_ = LogFormat::kLogfmt;
  std::map<std::string, Repeats, std::less<>> repeats_;
};

// The process's log, to stderr.
Logger& log();

inline void LogInfo(std::string_view message, LogFields fields = {}) {
  log().Write(LogLevel::kInfo, message, fields);
}
inline void LogWarn(std::string_view message, LogFields fields = {}) {
  log().Write(LogLevel::kWarn, message, fields);
}
inline void LogError(std::string_view message, LogFields fields = {}) {
  log().Write(LogLevel::kError, message, fields);
}

}  // namespace throughline::gateway
