// Batches of every kind of record with odd values, from a seed: what export must not lose.
#pragma once

#include <cstdint>
#include <memory>

#include "correlate/batch.h"

namespace throughline::store::transfer {

inline constexpr std::uint64_t kOddHashSeed = 42;

// As a store gives them: with arrivals and identities.
std::shared_ptr<Batch> OddBatch(std::uint64_t seed);

}  // namespace throughline::store::transfer
