// Copies single records from one Batch to another, with all that they refer to.
//
// The copies hold no view of the first batch. A resource or a scope is copied once a copier.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "correlate/batch.h"

namespace throughline::store {

class RecordCopier {
 public:
  // Both outlive the copier, and `from` does not change meanwhile.
  RecordCopier(const Batch& from, Batch& to) : from_(from), to_(to) {}

  // Appends a record of `from` and returns the copy, which the next call may move.
  Span& Copy(const Span& span);
  LogLine& Copy(const LogLine& line);
  Exemplar& Copy(const Exemplar& exemplar);
  GaugePoint& Copy(const GaugePoint& point);

 private:
  std::string_view Copy(std::string_view bytes) { return to_.arena.Copy(bytes); }
  Range Copy(Range attributes);
  std::uint32_t CopyResource(std::uint32_t index);
  std::uint32_t CopyScope(std::uint32_t index);

  const Batch& from_;
  Batch& to_;
  std::unordered_map<std::uint32_t, std::uint32_t> resources_;  // Index there to index here.
  std::unordered_map<std::uint32_t, std::uint32_t> scopes_;
};

}  // namespace throughline::store
