// Imports an input into a store, through Store::Append.
//
// Records come in with the arrival that they had, where the input says so: it is what orders a line
// without a time. Knows no clock and no signal: see ImportHooks. Appending is repeatable: a record
// that is there already is counted deduplicated, so that an append which was durable when the note
// of it was not yet costs nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "correlate/query.h"
#include "correlate/result.h"
#include "correlate/store.h"
#include "store/transfer/input.h"

namespace throughline::store::transfer {

struct ImportRequest {
  // Only records of this one, where the input names tenants; else the one they go to. Empty: all,
  // and "default".
  std::string tenant;
  TimeRange time;                     // Of the effective times; only these.
  std::uint64_t arrival_unix_ns = 0;  // Of records that state none: now.
};

struct Imported {
  bool complete = false;       // False: stopped.
  Appended appended;           // In all.
  std::uint64_t left_out = 0;  // Of another tenant or time.
};

struct ImportHooks {
  std::function<bool()> stop;
  // After each append: notes Input::Place, which is durable in the store.
  std::function<Result<void>()> note;
  std::function<void(const Imported&)> progress;
};

Result<Imported> Import(Input& input, const ImportRequest& request, Store& store,
                        const ImportHooks& hooks);

}  // namespace throughline::store::transfer
