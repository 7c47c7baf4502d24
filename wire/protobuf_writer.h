// Writes protobuf by appending to a string, field by field.
//
//   ProtoWriter proto(out);
//   const auto span = proto.Begin(2);   // A message in a message, its size not known yet.
//   proto.Text(5, name);                // Left out where empty, as proto3 does.
//   proto.End(span);
//
// The bytes may follow others: messages that stand behind each other are one message.
// Source: protobuf.dev/programming-guides/encoding.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/protobuf.h"

namespace throughline::wire {

class ProtoWriter {
 public:
  explicit ProtoWriter(std::string& out) : out_(out) {}

  // Left out where they have their default.
  void Varint(std::uint32_t field, std::uint64_t value) {
    if (value != 0) VarintAlways(field, value);
  }
  // An enumeration or an int32 by its 32 bits: negative ones take ten bytes.
  void Enum(std::uint32_t field, std::uint32_t value) {
    Varint(field,
           static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(value))));
  }
  void Fixed32(std::uint32_t field, std::uint32_t value) {
    if (value == 0) return;
    Tag(field, WireType::kFixed32);
    LittleEndian(value, sizeof value);
  }
  void Fixed64(std::uint32_t field, std::uint64_t value) {
    if (value != 0) Fixed64Always(field, value);
  }
  void Text(std::uint32_t field, std::string_view text) {
    if (!text.empty()) Bytes(field, text);
  }

  // Written whatever they hold: members of a oneof, items of a list.
  void VarintAlways(std::uint32_t field, std::uint64_t value) {
    Tag(field, WireType::kVarint);
    AppendVarint(value);
  }
  void Fixed64Always(std::uint32_t field, std::uint64_t value) {
    Tag(field, WireType::kFixed64);
    LittleEndian(value, sizeof value);
  }
  void Double(std::uint32_t field, double value) {
    Fixed64Always(field, std::bit_cast<std::uint64_t>(value));
  }
  void Bytes(std::uint32_t field, std::string_view bytes) {
    Tag(field, WireType::kBytes);
    AppendVarint(bytes.size());
    out_ += bytes;
  }

  // An item of a packed list of doubles, between Begin and End.
  void PackedDouble(double value) {
    LittleEndian(std::bit_cast<std::uint64_t>(value), sizeof value);
  }

  // What is appended between Begin and End is the message. Begin gives the place that End asks for.
  std::size_t Begin(std::uint32_t field) {
    Tag(field, WireType::kBytes);
    return out_.size();
  }
  void End(std::size_t begin);

 private:
  void Tag(std::uint32_t field, WireType type) {
    AppendVarint((std::uint64_t{field} << 3U) | static_cast<std::uint64_t>(type));
  }
  void AppendVarint(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80U);
      value >>= 7U;
    }
    out_ += static_cast<char>(value);
  }
  void LittleEndian(std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) out_ += static_cast<char>(value >> (8 * i));
  }

  std::string& out_;
};

}  // namespace throughline::wire
