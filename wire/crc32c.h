// CRC-32C (Castagnoli), as the chunks of framed snappy carry it.
// Source: RFC 3720, appendix B.4.
#pragma once

#include <cstdint>
#include <string_view>

namespace throughline::wire {

std::uint32_t Crc32c(std::string_view bytes);

}  // namespace throughline::wire
