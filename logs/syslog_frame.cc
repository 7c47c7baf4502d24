#include "logs/syslog_frame.h"

#include <algorithm>
#include <cstring>

namespace throughline::logs {
namespace {

constexpr std::size_t kMostDigits = 9;  // Of an octet count.

bool IsEnd(char c) { return c == '\n' || c == '\0'; }

// Where the first newline or NUL stands from `from` on; npos: nowhere.
std::size_t FindEnd(std::string_view bytes, std::size_t from) {
  const std::size_t newline = bytes.find('\n', from);
  const std::size_t nul = bytes.substr(0, newline).find('\0', from);
  return std::min(newline, nul);
}

// The count in front of a message and the bytes that it and its space take.
struct Count {
  enum class State { kNone, kPartial, kWhole };
  State state = State::kNone;
  std::size_t octets = 0;
  std::size_t prefix = 0;
};

Count CountOf(std::string_view unread) {
  Count count;
  if (unread.front() == '0') return count;
  std::size_t at = 0;
  for (; at < unread.size() && unread[at] >= '0' && unread[at] <= '9'; ++at) {
    if (at == kMostDigits) return {};
    count.octets = count.octets * 10 + static_cast<std::size_t>(unread[at] - '0');
  }
  if (at == 0) return {};
  if (at + 1 >= unread.size() && (at == unread.size() || unread[at] == ' ')) {
    count.state = Count::State::kPartial;
    return count;
  }
  if (unread[at] != ' ' || unread[at + 1] != '<') return {};
  count.state = Count::State::kWhole;
  count.prefix = at + 1;
  return count;
}

}  // namespace

// Goes on passing the rest of a message that was cut. True: its end was reached.
bool SyslogFramer::PassRest(std::string_view unread, Frame& frame) {
  if (passing_bytes_ > 0) {
    const std::size_t passed =
        static_cast<std::size_t>(std::min<std::uint64_t>(passing_bytes_, unread.size()));
    passing_bytes_ -= passed;
    frame.taken = passed;
    return passing_bytes_ == 0;
  }
  if (passing_line_) {
    const std::size_t end = FindEnd(unread, 0);
    passing_line_ = end == std::string_view::npos;
    frame.taken = passing_line_ ? unread.size() : end + 1;
    return !passing_line_;
  }
  return true;
}

SyslogFramer::Frame SyslogFramer::Next(std::string_view unread, bool at_end) {
  Frame frame;
  if (!PassRest(unread, frame)) return frame;
  const std::size_t passed = frame.taken;
  std::size_t begin = passed;
  // Some that count end their messages with a newline all the same.
  while (begin < unread.size() && (IsEnd(unread[begin]) || unread[begin] == '\r')) ++begin;
  const std::string_view rest = unread.substr(begin);
  if (rest.empty()) {
    frame.taken = begin;
    return frame;
  }
  const Count count = CountOf(rest);
  if (count.state == Count::State::kPartial && !at_end) {
    frame.taken = begin;
    return frame;
  }
  frame = count.state == Count::State::kWhole ? Counted(rest, count.octets, count.prefix, at_end)
                                              : Delimited(rest, at_end);
  frame.taken += begin;
  return frame;
}

SyslogFramer::Frame SyslogFramer::Counted(std::string_view unread, std::size_t count,
                                          std::size_t prefix, bool at_end) {
  Frame frame;
  const std::string_view there = unread.substr(prefix);
  const std::size_t kept = std::min(count, message_bytes_);
  if (there.size() < kept && !at_end) return frame;
  frame.whole = true;
  frame.cut = kept < count;
  frame.message = there.substr(0, kept);
  frame.taken = prefix + frame.message.size();
  passing_bytes_ = count - kept;
  return frame;
}

SyslogFramer::Frame SyslogFramer::Delimited(std::string_view unread, bool at_end) {
  Frame frame;
  const std::size_t end = FindEnd(unread, searched_);
  const std::size_t size = std::min(end, unread.size());
  if (size > message_bytes_) {
    frame.whole = true;
    frame.cut = true;
    frame.message = unread.substr(0, message_bytes_);
    frame.taken = message_bytes_;
    passing_line_ = true;
  } else if (end != std::string_view::npos || at_end) {
    frame.whole = true;
    frame.message = unread.substr(0, size);
    frame.taken = size;  // The end goes with the white space before the next message.
  } else {
    searched_ = unread.size();
    return frame;
  }
  searched_ = 0;
  return frame;
}

}  // namespace throughline::logs
