// Whether the records of a tail row can be read: every length adds up, every string is there.
//
// Readers of a memtable do not check: what was stored was written by us. What comes back from a
// disk is checked once, here, before it is put into one.
#pragma once

#include <string_view>

#include "store/sqlite/dictionary.h"

namespace throughline::store::sqlite {

// `dictionary` has the strings of this row and of those before.
bool AreWhole(std::string_view records, const Dictionary& dictionary);

}  // namespace throughline::store::sqlite
