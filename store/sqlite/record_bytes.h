// The pieces of a record (format.md): numbers, varints, byte strings, ids of dictionary strings.
//
// Writers give the end of what they wrote; the caller has made room. Cursor reads the same pieces
// front to back and never past its end: what is not there reads as zero or nothing.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "correlate/trace_id.h"
#include "store/sqlite/dictionary.h"

namespace throughline::store::sqlite {

static_assert(std::endian::native == std::endian::little);  // Stores below are little-endian.

template <typename T>
char* Put(T value, char* to) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

inline char* PutVarint(std::uint64_t value, char* to) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  *to++ = static_cast<char>(value);
  return to;
}

inline char* PutBytes(std::string_view bytes, char* to) {
  to = PutVarint(bytes.size(), to);
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

// A string as its id + 1, or 0.
inline char* PutString(std::uint32_t id, char* to) {
  return PutVarint(id == kNotInterned ? 0 : id + 1ULL, to);
}

// Pads to a multiple of 4 and fills the size in, which a record begins with.
inline std::size_t FinishRecord(char* begin, char* end) {
  while ((end - begin) % 4 != 0) *end++ = 0;
  const auto size = static_cast<std::uint32_t>(end - begin);
  Put(size, begin);
  return size;
}

class Cursor {
 public:
  Cursor(const char* at, const char* end) : at_(at), end_(end) {}
  explicit Cursor(std::string_view bytes) : Cursor(bytes.data(), bytes.data() + bytes.size()) {}

  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }
  template <typename T>
  T Fixed() {
    T value{};
    if (static_cast<std::size_t>(end_ - at_) < sizeof value) {
      at_ = end_;
      return value;
    }
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string_view Bytes() {
    const std::uint64_t size =
        std::min<std::uint64_t>(Varint(), static_cast<std::uint64_t>(end_ - at_));
    return Take(size);
  }
  // The id of a string, or kNotInterned where there is none.
  std::uint32_t StringId() {
    const std::uint64_t string = Varint();
    return string == 0 ? kNotInterned : static_cast<std::uint32_t>(string - 1);
  }
  TraceId ReadTraceId() {
    const auto high = Fixed<std::uint64_t>();
    return {.high = high, .low = Fixed<std::uint64_t>()};
  }
  // The next bytes, so many of them as there are.
  std::string_view Take(std::size_t size) {
    const std::string_view bytes(at_, std::min(size, static_cast<std::size_t>(end_ - at_)));
    at_ += bytes.size();
    return bytes;
  }
  const char* at() const { return at_; }
  const char* end() const { return end_; }
  bool done() const { return at_ >= end_; }

 private:
  const char* at_;
  const char* end_;
};

}  // namespace throughline::store::sqlite
