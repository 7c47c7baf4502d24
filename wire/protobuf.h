// A protobuf message as a cursor: field by field, without classes, copies or recursion.
//
//   ProtoReader reader(bytes);
//   while (reader.Next()) {
//     switch (reader.field()) {
//       case 1: name = reader.Bytes(); break;   // Wrong wire type: reader fails.
//       default: reader.Skip();
//     }
//   }
//   if (!reader.ok()) ... reader.fault()
//
// Each Next() must be followed by exactly one getter or Skip. After a failure Next() is false and
// getters give zero or nothing. Views point into the input, which must outlive them.
//
// Accepts what the official parsers accept: unknown fields, groups (skipped, bounded depth), fields
// in any order, 10-byte varints. Refuses field number 0 or above 2^29-1, wire types 6 and 7,
// varints over 64 bits, lengths past the end, unclosed groups, and, as the Go parsers do and the
// C++ ones do not, a known field of another wire type. Source:
// protobuf.dev/programming-guides/encoding.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "wire/error.h"

namespace throughline::wire {

enum class WireType : std::uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroup = 3,
  kGroupEnd = 4,
  kFixed32 = 5,
};

// Levels of groups inside groups that a skip follows; the official parsers stop there too.
inline constexpr std::size_t kMaxGroupDepth = 100;

// Where reading stopped and why. Cheap to make and to copy: the text is put together on demand.
struct ProtoFault {
  const char* at = nullptr;    // In the input; null: no fault.
  const char* what = nullptr;  // Static text.
  std::uint32_t field = 0;     // 0: not in a field.

  explicit operator bool() const { return at != nullptr; }
  // "byte 17: field 9: want wire type 2" when `at` is in `body`; without the place where it is
  // not (bytes that were put together in an arena).
  std::string Text(std::string_view body) const;
};

class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), field_at_(at_) {}

  // Goes to the next field; false at the end and after a failure.
  bool Next() {
    if (at_ == end_) return false;
    field_at_ = at_;
    const auto byte = static_cast<unsigned char>(*at_);
    if (__builtin_expect(byte < 0x80, 1)) {
      tag_ = byte;
      ++at_;
    } else {
      tag_ = 0;
      const std::uint64_t tag = ReadVarint();
      if (!ok()) return false;
      if (tag > UINT32_MAX) return Fail("field number is over 2^29-1");
      tag_ = static_cast<std::uint32_t>(tag);
    }
    if (__builtin_expect(tag_ < 8, 0)) return Fail("field number 0");
    return true;
  }
  // Instead of Next(), for a stream of messages each behind its length: takes the next one. False
  // at the end and after a failure.
  bool NextDelimited(std::string_view& message) {
    if (at_ == end_) return false;
    field_at_ = at_;
    message = ReadBytes();
    return ok();
  }
  std::uint32_t field() const { return tag_ >> 3U; }
  WireType type() const { return static_cast<WireType>(tag_ & 7U); }
  // Where the current field begins, its tag included.
  const char* field_at() const { return field_at_; }

  std::uint64_t Varint() {
    if (__builtin_expect(type() != WireType::kVarint, 0)) return FailType("want wire type 0");
    return ReadVarint();
  }
  // int32, uint32 and enumerations: the low 32 bits, as the official parsers keep them.
  std::uint32_t Varint32() { return static_cast<std::uint32_t>(Varint()); }
  bool Bool() { return Varint() != 0; }
  std::int32_t ZigZag32() {
    const std::uint32_t value = Varint32();
    return static_cast<std::int32_t>((value >> 1U) ^ (~(value & 1U) + 1U));
  }
  std::uint64_t Fixed64() {
    if (__builtin_expect(type() != WireType::kFixed64, 0)) return FailType("want wire type 1");
    return ReadFixed<std::uint64_t>();
  }
  std::int64_t SFixed64() { return static_cast<std::int64_t>(Fixed64()); }
  double Double() { return std::bit_cast<double>(Fixed64()); }
  std::uint32_t Fixed32() {
    if (__builtin_expect(type() != WireType::kFixed32, 0)) {
      FailType("want wire type 5");
      return 0;
    }
    return ReadFixed<std::uint32_t>();
  }
  // Bytes, text or a message.
  std::string_view Bytes() {
    if (__builtin_expect(type() != WireType::kBytes, 0)) {
      FailType("want wire type 2");
      return {};
    }
    return ReadBytes();
  }

  // Repeated messages: the current field and those that follow it with the same number, one after
  // the other, as long as they are short. False: `on_bytes` said so. It must not use the reader.
  // The position stays in a register, which for spans of many attributes is a fifth of the time.
  template <typename OnBytes>
  bool BytesRun(OnBytes on_bytes) {
    const std::string_view first = Bytes();
    if (!ok()) return true;
    const auto tag = static_cast<unsigned char>(tag_);
    const bool one_byte = tag_ < 0x80;
    const char* const end = end_;
    const char* at = at_;
    if (!on_bytes(first)) return false;
    while (one_byte && end - at >= 2) {
      const auto byte = [&at](int i) { return static_cast<unsigned char>(at[i]); };
      std::size_t size = byte(1);
      const char* begin = at + 2;
      if (byte(0) != tag) break;
      if (__builtin_expect(size >= 0x80, 0)) {
        if (end - at < 3 || byte(2) >= 0x80) break;
        size = (size & 0x7fU) | (std::size_t{byte(2)} << 7U);
        ++begin;
      }
      if (size > static_cast<std::size_t>(end - begin)) break;  // Next() will say what is wrong.
      at = begin + size;
      if (!on_bytes(std::string_view(begin, size))) return false;
    }
    at_ = at;
    return true;
  }

  // Repeated scalars, packed or not: calls `on_value` with each.
  template <typename OnValue>
  void Varints(OnValue on_value) {
    if (type() != WireType::kBytes) {
      const std::uint64_t value = Varint();
      if (ok()) on_value(value);
      return;
    }
    ProtoReader packed(ReadBytes());
    packed.tag_ = tag_;
    packed.field_at_ = field_at_;
    while (packed.at_ != packed.end_) {
      const std::uint64_t value = packed.ReadVarint();
      if (packed.ok()) on_value(value);
    }
    if (!packed.ok()) Fail(packed.what_);
  }
  template <typename OnValue>
  void Fixed64s(OnValue on_value) {
    if (type() != WireType::kBytes) {
      const std::uint64_t value = Fixed64();
      if (ok()) on_value(value);
      return;
    }
    const std::string_view packed = ReadBytes();
    if (packed.size() % 8 != 0) {
      Fail("packed length is no multiple of 8");
      return;
    }
    for (std::size_t i = 0; i < packed.size(); i += 8)
      on_value(Load<std::uint64_t>(packed.data() + i));
  }
  template <typename OnValue>
  void Doubles(OnValue on_value) {
    Fixed64s([&on_value](std::uint64_t bits) { on_value(std::bit_cast<double>(bits)); });
  }

  // Passes the current field by, whatever it is.
  void Skip() {
    switch (type()) {
      case WireType::kVarint: ReadVarint(); return;
      case WireType::kFixed64: ReadFixed<std::uint64_t>(); return;
      case WireType::kBytes: ReadBytes(); return;
      case WireType::kFixed32: ReadFixed<std::uint32_t>(); return;
      case WireType::kGroup: SkipGroup(); return;
      case WireType::kGroupEnd: break;
    }
    FailType("unknown wire type");
  }

  bool ok() const { return what_ == nullptr; }
  ProtoFault fault() const {
    return ok() ? ProtoFault{} : ProtoFault{.at = field_at_, .what = what_, .field = tag_ >> 3U};
  }
  // Stops with a fault of the caller's, at the current field; the first one stays. False, for
  // `return`.
  bool Fail(const char* what) {
    if (ok()) what_ = what;
    at_ = end_;
    return false;
  }

 private:
  template <typename T>
  static T Load(const char* from) {
    T value = 0;
    std::memcpy(&value, from, sizeof value);
    if constexpr (std::endian::native == std::endian::big) {
      T swapped = 0;
      for (std::size_t i = 0; i < sizeof value; ++i, value >>= 8U) {
        swapped = static_cast<T>((swapped << 8U) | (value & 0xffU));
      }
      return swapped;
    }
    return value;
  }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  // What is not inlined takes and gives the position by value: a reader whose address nobody takes
  // lives in registers.
  struct LongVarint {
    std::uint64_t value = 0;    // After a failure 1 for more than 64 bits, 0 for a lack of bytes.
    const char* end = nullptr;  // Behind it; null: failed.
  };
  static LongVarint ReadLongVarint(const char* at, const char* end);
  struct Group {
    const char* end = nullptr;  // Behind it; null: failed.
    const char* at = nullptr;   // The field that failed.
    std::uint32_t tag = 0;
    const char* what = nullptr;
  };
  static Group ReadGroup(std::uint32_t tag, const char* tag_at, const char* at, const char* end);
  static const char* TypeProblem(std::uint32_t tag, const char* wanted);

  std::uint64_t ReadVarint() {
    if (__builtin_expect(at_ != end_ && static_cast<unsigned char>(*at_) < 0x80, 1)) {
      return static_cast<unsigned char>(*at_++);
    }
    const LongVarint varint = ReadLongVarint(at_, end_);
    if (__builtin_expect(varint.end == nullptr, 0)) {
      Fail(varint.value == 0 ? "varint runs past the end" : "varint is over 64 bits");
      return 0;
    }
    at_ = varint.end;
    return varint.value;
  }
  template <typename T>
  T ReadFixed() {
    if (__builtin_expect(left() < sizeof(T), 0)) {
      Fail("value runs past the end");
      return 0;
    }
    const T value = Load<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  std::string_view ReadBytes() {
    const std::uint64_t size = ReadVarint();
    if (__builtin_expect(size > left(), 0)) {
      Fail("length runs past the end");
      return {};
    }
    const std::string_view bytes(at_, size);
    at_ += size;
    return bytes;
  }

  void SkipGroup() {
    const Group group = ReadGroup(tag_, field_at_, at_, end_);
    if (group.end != nullptr) {
      at_ = group.end;
      return;
    }
    field_at_ = group.at;
    tag_ = group.tag;
    Fail(group.what);
  }
  std::uint64_t FailType(const char* wanted) {
    Fail(TypeProblem(tag_, wanted));
    return 0;
  }

  const char* at_;
  const char* end_;
  const char* field_at_;
  std::uint32_t tag_ = 0;
  const char* what_ = nullptr;  // Static text; null: no fault.
};

}  // namespace throughline::wire
