#include "gateway/watched.h"

#include <algorithm>
#include <utility>

#include "gateway/stop_signal.h"

namespace throughline::gateway {

std::string Megabytes(std::uint64_t bytes) {
  return std::to_string(bytes / 1'000'000) + '.' + std::to_string(bytes / 100'000 % 10) + " MB";
}

Watched::Watched(std::uint64_t bytes, std::function<void()> on_step)
    : bytes_(std::max<std::uint64_t>(bytes, 1)), on_step_(std::move(on_step)) {}

store::care::Work Watched::work() {
  return {.progress = [this](std::string_view file, std::uint64_t bytes) { Show(file, bytes); },
          .stop_asked = StopWasAsked};
}

void Watched::Show(std::string_view file, std::uint64_t bytes) {
  done_ += bytes;
  const std::uint64_t share = std::min<std::uint64_t>(done_ * 100 / bytes_, 100);
  progress_.Show(std::to_string(share) + " %  " + Megabytes(done_) + "  " + std::string(file));
  if (on_step_) on_step_();
}

}  // namespace throughline::gateway
