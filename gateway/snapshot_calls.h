// The calls by which `throughline backup` has a snapshot made, kept and released.
//
//   POST   /api/v1/snapshots        202 {"id", "state": "making"}; 409 while another is held
//   GET    /api/v1/snapshots/{id}   202 "making", 200 "ready"; 404 it is gone; or why it failed
//   DELETE /api/v1/snapshots/{id}   204; 404
//
// No call takes or tells a path: where the snapshot is follows from the data directory, which
// whoever copies from it has to know. None waits.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>

#include "api/http.h"
#include "correlate/clock.h"
#include "store/backup/snapshots.h"

namespace throughline::gateway {

class SnapshotCalls {
 public:
  // Null: the store has no files. Both outlive it.
  SnapshotCalls(store::backup::Snapshots* snapshots, const Clock& clock)
      : snapshots_(snapshots), clock_(clock) {}

  // Any thread.
  api::Response Begin();
  api::Response Look(const api::Request& request);
  api::Response Release(const api::Request& request);

 private:
  std::uint64_t NewId();

  store::backup::Snapshots* const snapshots_;
  const Clock& clock_;
  std::mutex mutex_;
  std::random_device random_;  // Guarded by mutex_.
};

}  // namespace throughline::gateway
