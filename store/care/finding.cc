#include "store/care/finding.h"

namespace throughline::store::care {

std::string Line(const Finding& finding) {
  std::string line = finding.file + ": " + finding.hurt;
  if (!finding.lost.empty()) line += "; lost: " + finding.lost;
  return line;
}

Result<void> Work::Step(std::string_view file, std::uint64_t bytes) const {
  if (stop_asked && stop_asked()) return Error{Errc::kUnavailable, kStopped};
  if (progress) progress(file, bytes);
  return {};
}

}  // namespace throughline::store::care
