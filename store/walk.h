// A walk over everything that a store holds: what export reads.
//
// Threads: any, at any time, never waiting for an append. A walk sees what was stored when it
// began; what comes while it goes on may be seen or not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "correlate/batch.h"
#include "correlate/query.h"
#include "correlate/result.h"
#include "correlate/scope.h"

namespace throughline::store {

// Where a walk over everything stored stands; a later walk goes on behind it. What the numbers mean
// is the store's; zero is the beginning.
struct WalkPlace {
  std::uint64_t source = 0;
  std::uint64_t at = 0;

  auto operator<=>(const WalkPlace&) const = default;
};

struct WalkQuery {
  TimeRange time;
  bool spans = true;
  bool logs = true;
  bool exemplars = true;
  bool gauges = true;
  WalkPlace after;
};

class Walkable {
 public:
  virtual ~Walkable() = default;

  // Calls `visit` with batches of what is stored of the scope's tenant, each record once, until it
  // says false. `place` is behind the batch.
  virtual Result<void> Walk(
      const Scope& scope, const WalkQuery& query,
      const std::function<bool(const Batch& batch, WalkPlace place)>& visit) const = 0;
  virtual std::vector<std::string> Tenants() const = 0;
  // Records in all, for progress.
  virtual std::uint64_t WalkSize(const Scope& scope) const = 0;
};

}  // namespace throughline::store
