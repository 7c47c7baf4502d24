// Where and when the records of one trace say that it was.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/query.h"

namespace throughline::api::links {

struct Whereabouts {
  std::uint64_t first_unix_ns = UINT64_MAX;
  std::uint64_t last_unix_ns = 0;
  std::set<std::string> services;
  std::set<std::string> hosts;

  void Add(std::uint64_t from_unix_ns, std::uint64_t to_unix_ns, std::string_view service);
};

Whereabouts WhereaboutsOf(const Batch& batch);

// What clocks that are apart, by the calls among these records, may put others out of the window
// by.
std::uint64_t WidenedNs(const Batch& batch);

// From the first to the last, and so much around it.
TimeRange Padded(const Whereabouts& where, std::uint64_t padding_ns);

}  // namespace throughline::api::links
