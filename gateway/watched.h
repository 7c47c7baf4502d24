// How far a long work on a data directory is, on the terminal; and that it is to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "gateway/progress.h"
#include "store/care/finding.h"

namespace throughline::gateway {

// "12.3 MB".
std::string Megabytes(std::uint64_t bytes);

class Watched {
 public:
  // `bytes` are all that there is to do. `on_step` is called at each step, and may be empty.
  explicit Watched(std::uint64_t bytes, std::function<void()> on_step = {});

  // Refers to this object.
  store::care::Work work();

 private:
  void Show(std::string_view file, std::uint64_t bytes);

  const std::uint64_t bytes_;
  const std::function<void()> on_step_;
  std::uint64_t done_ = 0;
  Progress progress_;
};

}  // namespace throughline::gateway
