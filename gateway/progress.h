// One line on a terminal that says how far a long command is: "1,234,567 records  45 %  98,000/s".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace throughline::gateway {

// The text of the line. `share` is 0 to 1, or negative where it is not known.
std::string ProgressText(std::uint64_t records, double share, double records_per_second);

class Progress {
 public:
  // Says nothing where stderr is no terminal.
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // Takes the line away.

  // Writes the line again if the last time is long enough ago. `records` are of this run.
  void Show(std::uint64_t records, double share);
  // The same with another text.
  void Show(const std::string& text);

 private:
  bool IsDue();
  void Write(const std::string& text);
  using Clock = std::chrono::steady_clock;

  const bool is_on_;
  const Clock::time_point begin_;
  Clock::time_point next_;
  bool shown_ = false;
};

}  // namespace throughline::gateway
