// What came of each call that failed, as rows of a table, where THROUGHLINE_FAULT_MATRIX is set.
#pragma once

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/store/faulty_vfs.h"

namespace throughline::store {

inline std::string EffectOf(const Fault& fault) {
  std::string text;
  switch (fault.effect) {
    case Effect::kFails: text = "nothing is done"; break;
    case Effect::kTears: text = "half is written"; break;
    case Effect::kForgets: text = "what was to be synced is forgotten"; break;
    case Effect::kComesLate: text = "all is done, and an error said"; break;
    case Effect::kPowerOff: text = "the power goes"; break;
  }
  if (fault.code == SQLITE_FULL) text += ", disk full";
  if (fault.code == SQLITE_READONLY) text += ", read-only";
  return text + (fault.count == kForGood ? ", from then on" : ", once");
}

// Of one fault at its first, second … call. A place that was not refused was carried through all
// the same. A test that fails prints no row.
struct FaultRow {
  std::string what;  // Is being done.
  std::size_t places = 0;
  std::size_t refused = 0;  // Something was, by a named error.

  void Print(const Fault& fault) const {
    if (std::getenv("THROUGHLINE_FAULT_MATRIX") == nullptr || places == 0) return;
    static bool has_heading = false;
    if (!has_heading) {
      std::printf("| while | call | fault | places | refused by name | carried through |\n");
      std::printf("|---|---|---|---|---|---|\n");
    }
    has_heading = true;
    const char* const call = fault.operation ? OperationName(*fault.operation) : "any";
    std::printf("| %s | %s | %s | %zu | %zu | %zu |\n", what.c_str(), call, EffectOf(fault).c_str(),
                places, refused, places - refused);
  }
};

}  // namespace throughline::store
