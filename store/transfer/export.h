// Exports a store: walks it, tenant by tenant, into an output.
//
// Knows no clock and no signal: the hooks say when to save and when to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "correlate/query.h"
#include "correlate/result.h"
#include "store/transfer/output.h"
#include "store/walk.h"

namespace throughline::store::transfer {

struct ExportRequest {
  std::string question = {};  // See ExportState.
  std::string tenant = {};    // Empty: all.
  TimeRange time = {};
};

// Called between batches.
struct ExportHooks {
  std::function<bool()> stop;      // True: save and end; the same export goes on later.
  std::function<bool()> save_due;  // True: save now, so that a crash costs no more than that.
  std::function<void(std::uint64_t records)> progress;  // In the output so far.
};

struct Exported {
  bool complete = false;  // False: stopped.
  std::uint64_t records = 0;
};

// kConflict: the output is of another export that was stopped.
Result<Exported> Export(const Walkable& store, const ExportRequest& request, Output& output,
                        const ExportHooks& hooks);

}  // namespace throughline::store::transfer
