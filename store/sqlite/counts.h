// Which services and operations there are, and how many records each has: of all parts together.
//
// A record that a retry stored in two parts counts twice. A segment that cannot be read is left
// out: these answers have no place to say that they are incomplete, and what is counted of the
// others is worth more than an error.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "correlate/query.h"
#include "store/segment/segment.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::sqlite {

struct Counts {
  std::vector<const Memtable*> hot;
  std::vector<std::shared_ptr<const segment::Segment>> sealed;
  std::shared_ptr<const void> keep_alive;
  std::uint32_t tenant = 0;

  // As Store's.
  std::vector<ServiceInfo> Services() const;
  std::vector<OperationInfo> Operations(std::string_view service) const;
};

}  // namespace throughline::store::sqlite
