// What a check of a data directory found, and how a long one is watched and stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"

namespace throughline::store::care {

// What a repair would cost.
enum class Cure : std::uint8_t {
  kWhole,     // It loses no record.
  kWithLoss,  // What `lost` says is lost already; a repair keeps the rest usable.
  kNone,      // Nothing here can do it.
};

struct Finding {
  std::string file;
  std::string hurt;
  std::string lost;  // Empty: nothing.
  Cure cure = Cure::kWhole;
};

// "seg-0-3.db: block 7 cannot be read: a block is damaged; lost: 128 records".
std::string Line(const Finding& finding);

// Given to everything that takes long; both may be empty.
struct Work {
  // Bytes of `file` that were looked at or copied just now.
  std::function<void(std::string_view file, std::uint64_t bytes)> progress = {};
  std::function<bool()> stop_asked = {};

  // kUnavailable "stopped", once a stop was asked for.
  Result<void> Step(std::string_view file, std::uint64_t bytes) const;
};

inline constexpr const char* kStopped = "stopped";
inline bool IsStop(const Error& error) { return error.message == kStopped; }

}  // namespace throughline::store::care
