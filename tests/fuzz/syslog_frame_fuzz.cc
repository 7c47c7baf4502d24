// Framing syslog: the same messages however the bytes come, none over the limit, and never more
// kept than a message and its count.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/check.h"
#include "logs/syslog_frame.h"

namespace {

std::vector<std::string> Cut(std::string_view bytes, std::size_t piece, std::size_t limit) {
  throughline::logs::SyslogFramer framer(limit);
  std::vector<std::string> messages;
  std::string kept;
  for (bool at_end = false;; at_end = bytes.empty()) {
    kept += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    std::size_t taken = 0;
    while (true) {
      const auto frame = framer.Next(std::string_view(kept).substr(taken), at_end);
      taken += frame.taken;
      TL_CHECK(taken <= kept.size());
      TL_CHECK(frame.whole || frame.message.empty());
      TL_CHECK(frame.message.size() <= limit);
      TL_CHECK(!frame.whole || frame.taken > 0);
      if (frame.whole) messages.emplace_back(frame.message);
      if (!frame.whole && (frame.taken == 0 || taken == kept.size())) break;
    }
    kept.erase(0, taken);
    TL_CHECK(kept.size() <= limit + 10);
    if (at_end) break;
  }
  TL_CHECK(kept.empty());
  return messages;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t limit = std::size_t{1} + data[0];
  const std::size_t piece = std::size_t{1} + data[1] % 16;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  TL_CHECK(Cut(bytes, piece, limit) == Cut(bytes, bytes.size() + 1, limit));
  return 0;
}
