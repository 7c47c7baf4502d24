#include "gateway/log.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};

// "2024-05-06T07:08:09.123Z"
std::string TimeText(std::chrono::system_clock::time_point time) {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 48> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ", static_cast<int>(ms % 1000));
  return text.data();
}

// Bare where that is unmistakable, else as a JSON string.
void AppendLogfmtValue(std::string_view value, std::string& out) {
  bool bare = !value.empty();
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 127) bare = false;
  }
  if (bare) {
    out += value;
  } else {
    wire::AppendJsonString(value, out);
  }
}

using Field = std::pair<std::string_view, std::string_view>;

std::string Line(LogFormat format, std::initializer_list<Field> own, LogFields fields) {
  std::string line;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (format == LogFormat::kJson) {
      line += line.empty() ? "{" : ",";
      wire::AppendJsonString(name, line);
      line += ':';
      wire::AppendJsonString(value, line);
    } else {
      if (!line.empty()) line += ' ';
      line += name;
      line += '=';
      AppendLogfmtValue(value, line);
    }
  };
  for (const auto& [name, value] : own) add(name, value);
  for (const auto& [name, value] : fields) add(name, value);
  line += format == LogFormat::kJson ? "}\n" : "\n";
  return line;
}

}  // namespace

Logger::Logger(std::function<void(std::string_view line)> write,
               std::function<std::chrono::system_clock::time_point()> now)
    : write_(std::move(write)), now_(std::move(now)) {}

void Logger::Set(LogLevel level, LogFormat format) {
  const std::lock_guard<std::mutex> lock(mutex_);
  level_ = level;
  format_ = format;
}

bool Logger::Admit(std::string_view message, std::chrono::system_clock::time_point now,
                   std::uint64_t& left_out) {
  auto found = repeats_.find(message);
  if (found == repeats_.end()) {
    const bool room = repeats_.size() < kMessages;
    found = repeats_.try_emplace(room ? std::string(message) : std::string()).first;
  }
  Repeats& repeats = found->second;
  if (now - repeats.window_start >= kWindow) {
    left_out = repeats.left_out;
    repeats = Repeats{now, 0, 0};
  }
  if (repeats.written >= kBurst) {
    ++repeats.left_out;
    return false;
  }
  ++repeats.written;
  return true;
}

void Logger::Write(LogLevel level, std::string_view message, LogFields fields) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (level < level_) return;
  const auto now = now_();
  std::uint64_t left_out = 0;
  if (!Admit(message, now, left_out)) return;
  const std::string time = TimeText(now);
  const std::string_view name = kLevelNames[static_cast<std::size_t>(level)];
  if (left_out > 0) {
    const std::string count = std::to_string(left_out);
    write_(Line(format_, {{"time", time}, {"level", name}, {"msg", message}, {"left_out", count}},
                {}));
  }
  write_(Line(format_, {{"time", time}, {"level", name}, {"msg", message}}, fields));
}

Logger& log() {
  static Logger logger(
      [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); },
      [] { return std::chrono::system_clock::now(); });
  return logger;
}

}  // namespace throughline::gateway
