// Writes protobuf messages by hand, so that a test says which bytes it means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/attribute.h"

namespace throughline::samples {

// A protobuf message written field by field, for tests and benchmarks.
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
  void Fixed32(unsigned field, std::uint32_t value) {
    AppendVarint(field << 3U | 5U, text_);
    Append(value, 4);
  }
  void Attribute(unsigned field, std::string_view key, std::string_view text) {
    Message value;
    value.Bytes(1, text);
    KeyValue(field, key, value.text_);
  }
  void Attribute(unsigned field, std::string_view key, std::int64_t number) {
    Message value;
    value.Varint(3, static_cast<std::uint64_t>(number));
    KeyValue(field, key, value.text_);
  }
  const std::string& text() const { return text_; }

 private:
  void KeyValue(unsigned field, std::string_view key, std::string_view value) {
    Message item;
    item.Bytes(1, key);
    item.Bytes(2, value);
    Bytes(field, item.text_);
  }
  void Append(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i, value >>= 8U) text_ += static_cast<char>(value & 0xffU);
  }

  std::string text_;
};

}  // namespace throughline::samples
