// Runs a line through the stages of a LogQL query.
//
// As in Loki, a stage that cannot read a line does not drop it: the labels __error__ and
// __error_details__ say what was wrong, and a filter on them decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/loki/line_labels.h"
#include "api/query/logql.h"

namespace throughline::api::loki {

inline constexpr std::string_view kErrorLabel = "__error__";
inline constexpr std::string_view kErrorDetailsLabel = "__error_details__";

struct Entry {
  std::uint64_t unix_ns = 0;
  std::string line;
  LineLabels labels;
};

// The number that a label's text is, in seconds or bytes where the unit says so. False: it is none.
bool ReadNumber(std::string_view text, query::LabelCondition::Unit unit, double& number);
void SetError(LineLabels& labels, std::string_view error, std::string_view details);
// A label filter. What it cannot compare it lets pass, with the label __error__.
bool Holds(const query::LabelCondition& condition, LineLabels& labels);

class Pipeline {
 public:
  // The selection must outlive it.
  explicit Pipeline(const query::LogSelection& selection);

  bool StreamMatches(const LineLabels& stream) const;
  // The line filters in front, which need no labels.
  bool TextMatches(std::string_view line) const;
  // The other stages, in order. False: the line is not wanted; `entry` is in pieces then.
  bool Run(Entry& entry) const;

 private:
  const query::LogSelection& selection_;
  std::size_t text_filters_ = 0;  // Stages in front.
};

}  // namespace throughline::api::loki
