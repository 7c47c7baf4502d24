// Which text the lines of a block have: a filter a block of every four bytes that follow each other
// in a body, so that a search for a piece of text reads the few blocks that may have it.
//
// Bodies count as ValueText has them, which is what queries search in (LogQuery::contains). The ids
// of a line's own trace and span are left out: they are random, and would fill every filter. So a
// filter says nothing of hexadecimal digits where a body named such an id, unless the text says
// what stands before and behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace throughline::store::segment {

// Gathers the text of one block, and makes its filter.
class TextGatherer {
 public:
  TextGatherer();

  // A body, but for its ids.
  void Add(std::string_view text);
  // A body from which ids are left out, which stand at the places that `cuts` says, in order.
  struct Cut {
    std::size_t at = 0;
    std::size_t size = 0;
  };
  void Add(std::string_view text, const std::vector<Cut>& cuts);
  // Empty where there was no body. The next block begins.
  std::string TakeFilter();

 private:
  std::vector<std::uint8_t> slots_;  // 0 or 1 each; a byte each, which is sooner set than a bit.
  bool has_bodies_ = false;
  bool has_cuts_ = false;
};

// A piece of text that is searched for.
class TextNeedle {
 public:
  explicit TextNeedle(std::string_view text);

  // False: every filter may hold it.
  bool rules_out() const { return !pieces_.empty(); }
  bool MayBeIn(std::string_view filter) const;

 private:
  struct Piece {
    std::uint32_t hash = 0;
    bool may_be_of_an_id = false;
  };
  std::vector<Piece> pieces_;
};

}  // namespace throughline::store::segment
