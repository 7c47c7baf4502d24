#include "gateway/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace throughline::gateway {
namespace {

constexpr std::chrono::milliseconds kInterval{250};

std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace

std::string ProgressText(std::uint64_t records, double share, double records_per_second) {
  std::string text = Grouped(records) + " records";
  if (share >= 0) {
    text += "  " + std::to_string(static_cast<int>(std::min(share, 1.0) * 100)) + " %";
  }
  return text + "  " + Grouped(static_cast<std::uint64_t>(records_per_second)) + "/s";
}

Progress::Progress() : is_on_(::isatty(STDERR_FILENO) == 1), begin_(Clock::now()), next_(begin_) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

bool Progress::IsDue() {
  if (!is_on_) return false;
  const Clock::time_point now = Clock::now();
  if (now < next_) return false;
  next_ = now + kInterval;
  return true;
}

void Progress::Show(std::uint64_t records, double share) {
  if (!IsDue()) return;
  const double seconds =
      std::max(std::chrono::duration<double>(Clock::now() - begin_).count(), 0.001);
  Write(ProgressText(records, share, static_cast<double>(records) / seconds));
}

void Progress::Show(const std::string& text) {
  if (IsDue()) Write(text);
}

void Progress::Write(const std::string& text) {
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace throughline::gateway
