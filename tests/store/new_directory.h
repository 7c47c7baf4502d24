// A directory of a test's own: in memory where the machine has such a place. The test removes it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>  // mkdtemp

#include <string>

#include "correlate/check.h"

namespace throughline::store {

inline std::string NewDirectory() {
  std::string path = "/dev/shm/throughline-XXXXXX";
  if (::mkdtemp(path.data()) != nullptr) return path;
  path = testing::TempDir() + "throughline-XXXXXX";
  TL_CHECK(::mkdtemp(path.data()) != nullptr);
  return path;
}

}  // namespace throughline::store
