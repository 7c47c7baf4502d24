// The scan behind find.h: the few places of a line where a key or a shape may begin.
//
// Keys begin with "t?ac" of trace, "s?an" of span, "b3", "s?8" of sw8, "T?D" of TID. Shapes begin
// with a delimiter that has another one at the right distance, and hold at least 16 bytes, aligned
// to 16 from the line's begin, that are all hex digits, commas or dashes: only near such a chunk
// are they looked for. Both scans offer the same places in the same order; what is there is for the
// visitor to judge. A shape's place may be offered twice, and late by less than 32 bytes. Pure,
// linear, reads nothing outside the line.
#pragma once

#include <cstddef>
#include <string_view>

namespace throughline {

class AnchorVisitor {
 public:
  static constexpr std::size_t kEnough = ~std::size_t{0};

  // Called for each place. Returns before which byte no more places are wanted; kEnough ends it.
  virtual std::size_t Visit(std::size_t at) = 0;

 protected:
  ~AnchorVisitor() = default;
};

// By the widest instructions that this machine has.
void ScanAnchors(std::string_view line, AnchorVisitor& visitor);
void ScanAnchorsPortable(std::string_view line, AnchorVisitor& visitor);

}  // namespace throughline
