// Appends protobuf fields: what the benchmarks build their requests with.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/attribute.h"

namespace throughline::bench {

class Message {
 public:
  void Bytes(unsigned field, std::string_view bytes) {
    AppendVarint(field << 3U | 2U, text_);
    AppendVarint(bytes.size(), text_);
    text_ += bytes;
  }
  void Varint(unsigned field, std::uint64_t value) {
    AppendVarint(field << 3U, text_);
    AppendVarint(value, text_);
  }
  void Fixed64(unsigned field, std::uint64_t value) {
    AppendVarint(field << 3U | 1U, text_);
    Append(value, 8);
  }
  void Double(unsigned field, double value) { Fixed64(field, std::bit_cast<std::uint64_t>(value)); }
  void Fixed32(unsigned field, std::uint32_t value) {
    AppendVarint(field << 3U | 5U, text_);
    Append(value, 4);
  }
  const std::string& text() const { return text_; }

 private:
  void Append(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i, value >>= 8U) text_ += static_cast<char>(value & 0xffU);
  }

  std::string text_;
};

}  // namespace throughline::bench
