// A fast seeded 64-bit hash of bytes, for dictionaries and identities.
//
// Not cryptographic: every dictionary compares the bytes too, and the seed is drawn at random once
// per data directory, so that a sender cannot aim at one bucket. The construction is the public
// domain wyhash's, 128-bit multiplications folded by xor, but its secrets follow from the seed:
// with known ones a sender could make a factor zero, which forgets all that was hashed before.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace throughline {

__extension__ using Uint128 = unsigned __int128;

inline std::uint64_t HashMix(std::uint64_t a, std::uint64_t b) {
  const Uint128 product = static_cast<Uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

inline std::uint64_t HashBytes(const char* data, std::size_t size, std::uint64_t seed) {
  constexpr std::uint64_t kPrime0 = 0xa0761d6478bd642fULL;
  constexpr std::uint64_t kPrime1 = 0xe7037ed1a0b428dbULL;
  constexpr std::uint64_t kPrime2 = 0x8ebc6af09c88c6e3ULL;
  const std::uint64_t secret0 = HashMix(seed ^ kPrime0, kPrime1);
  const std::uint64_t secret1 = secret0 ^ kPrime1;
  const std::uint64_t secret2 = secret0 ^ kPrime2;
  const auto load64 = [](const char* from) {
    std::uint64_t value = 0;
    std::memcpy(&value, from, 8);
    return value;
  };
  const auto load32 = [](const char* from) -> std::uint64_t {
    std::uint32_t value = 0;
    std::memcpy(&value, from, 4);
    return value;
  };
  seed ^= secret0;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (size <= 16) {
    if (size >= 4) {
      const std::size_t middle = (size >> 3U) << 2U;
      a = (load32(data) << 32U) | load32(data + middle);
      b = (load32(data + size - 4) << 32U) | load32(data + size - 4 - middle);
    } else if (size > 0) {
      const auto byte = [data](std::size_t i) -> std::uint64_t {
        return static_cast<unsigned char>(data[i]);
      };
      a = (byte(0) << 16U) | (byte(size >> 1U) << 8U) | byte(size - 1);
    }
  } else {
    const char* at = data;
    std::size_t left = size;
    if (left > 48) {
      std::uint64_t lane1 = seed;
      std::uint64_t lane2 = seed;
      do {
        seed = HashMix(load64(at) ^ secret0, load64(at + 8) ^ seed);
        lane1 = HashMix(load64(at + 16) ^ secret1, load64(at + 24) ^ lane1);
        lane2 = HashMix(load64(at + 32) ^ secret2, load64(at + 40) ^ lane2);
        at += 48;
        left -= 48;
      } while (left > 48);
      seed ^= lane1 ^ lane2;
    }
    while (left > 16) {
      seed = HashMix(load64(at) ^ secret1, load64(at + 8) ^ seed);
      at += 16;
      left -= 16;
    }
    a = load64(at + left - 16);
    b = load64(at + left - 8);
  }
  return HashMix(secret1 ^ size, HashMix(a ^ secret1, b ^ seed));
}

inline std::uint64_t HashBytes(std::string_view bytes, std::uint64_t seed) {
  return HashBytes(bytes.data(), bytes.size(), seed);
}

// Folds `value` into a running hash; the order of calls matters.
inline std::uint64_t HashCombine(std::uint64_t hash, std::uint64_t value) {
  return HashMix(hash ^ 0x9e3779b97f4a7c15ULL, value ^ 0xe7037ed1a0b428dbULL);
}

}  // namespace throughline
