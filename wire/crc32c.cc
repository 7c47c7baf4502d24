#include "wire/crc32c.h"

#include <array>
#include <cstddef>

namespace throughline::wire {
namespace {

using Table = std::array<std::uint32_t, 256>;

// Slicing by four: table k advances a byte by k further bytes.
constexpr std::array<Table, 4> kTables = [] {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Reflected 0x1edc6f41.
  std::array<Table, 4> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    tables[0][i] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t i = 0; i < 256; ++i) {
      const std::uint32_t before = tables[k - 1][i];
      tables[k][i] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}();

}  // namespace

std::uint32_t Crc32c(std::string_view bytes) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(bytes[i]);
  };
  std::uint32_t crc = 0xffffffffU;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    crc ^= byte(at) | (byte(at + 1) << 8U) | (byte(at + 2) << 16U) | (byte(at + 3) << 24U);
    crc = kTables[3][crc & 0xffU] ^ kTables[2][(crc >> 8U) & 0xffU] ^
          kTables[1][(crc >> 16U) & 0xffU] ^ kTables[0][crc >> 24U];
  }
  for (; at < bytes.size(); ++at) crc = (crc >> 8U) ^ kTables[0][(crc ^ byte(at)) & 0xffU];
  return ~crc;
}

}  // namespace throughline::wire
