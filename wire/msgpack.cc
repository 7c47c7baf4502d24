#include "wire/msgpack.h"

#include <bit>
#include <cmath>

namespace throughline::wire {
namespace {

constexpr unsigned kFixMap = 0x80;
constexpr unsigned kFixArray = 0x90;
constexpr unsigned kFixString = 0xa0;
constexpr unsigned kNil = 0xc0;
constexpr unsigned kFalse = 0xc2;
constexpr unsigned kTrue = 0xc3;
constexpr unsigned kBytes8 = 0xc4;
constexpr unsigned kExt8 = 0xc7;
constexpr unsigned kFloat32 = 0xca;
constexpr unsigned kFloat64 = 0xcb;
constexpr unsigned kUint8 = 0xcc;
constexpr unsigned kInt8 = 0xd0;
constexpr unsigned kFixExt1 = 0xd4;
constexpr unsigned kString8 = 0xd9;
constexpr unsigned kArray16 = 0xdc;
constexpr unsigned kMap16 = 0xde;
constexpr unsigned kNegativeFixInt = 0xe0;

// What the first bytes of a value say.
struct Head {
  enum class State { kGood, kShort, kUnknown };  // kShort: the input ends in the head.
  State state = State::kGood;
  MsgpackType type = MsgpackType::kNil;
  std::size_t size = 1;       // Of the head itself, the scalar's digits included.
  std::uint64_t payload = 0;  // Bytes of text, bytes or extension that follow.
  std::uint32_t count = 0;    // Items or pairs.
  std::uint64_t bits = 0;     // The scalar.
  bool is_signed = false;     // `bits` is a sign-extended integer.
  bool is_float32 = false;
  std::int8_t ext_type = 0;
};

class HeadReader {
 public:
  explicit HeadReader(std::string_view bytes) : bytes_(bytes) {}

  Head Read() {
    if (bytes_.empty()) {
      head_.state = Head::State::kShort;
      return head_;
    }
    const unsigned first = Byte(0);
    if (first < kFixMap) {
      head_.type = MsgpackType::kInt;
      head_.bits = first;
    } else if (first < kFixArray) {
      Container(MsgpackType::kMap, first & 0x0fU);
    } else if (first < kFixString) {
      Container(MsgpackType::kArray, first & 0x0fU);
    } else if (first < kNil) {
      head_.type = MsgpackType::kString;
      head_.payload = first & 0x1fU;
    } else if (first >= kNegativeFixInt) {
      Integer(
          static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int8_t>(first))));
    } else {
      ReadTagged(first);
    }
    return head_;
  }

 private:
  unsigned Byte(std::size_t at) const { return static_cast<unsigned char>(bytes_[at]); }

  void Integer(std::uint64_t bits) {
    head_.type = MsgpackType::kInt;
    head_.bits = bits;
    head_.is_signed = true;
  }
  void Container(MsgpackType type, std::uint64_t count) {
    head_.type = type;
    head_.count = static_cast<std::uint32_t>(count);
  }

  // The big-endian number of `size` bytes that follows.
  std::uint64_t Number(std::size_t size) {
    if (bytes_.size() < head_.size + size) {
      head_.state = Head::State::kShort;
      return 0;
    }
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < size; ++i) number = (number << 8U) | Byte(head_.size + i);
    head_.size += size;
    return number;
  }

  void Payload(MsgpackType type, std::size_t size_bytes) {
    head_.type = type;
    head_.payload = Number(size_bytes);
  }
  void Extension(std::uint64_t payload) {
    head_.type = MsgpackType::kExt;
    head_.payload = payload;
    head_.ext_type = static_cast<std::int8_t>(Number(1));
  }

  void ReadTagged(unsigned first) {
    switch (first) {
      case kNil: return;
      case kFalse:
      case kTrue:
        head_.type = MsgpackType::kBool;
        head_.bits = first & 1U;
        return;
      case kBytes8: return Payload(MsgpackType::kBytes, 1);
      case kBytes8 + 1: return Payload(MsgpackType::kBytes, 2);
      case kBytes8 + 2: return Payload(MsgpackType::kBytes, 4);
      case kExt8: return Extension(Number(1));
      case kExt8 + 1: return Extension(Number(2));
      case kExt8 + 2: return Extension(Number(4));
      case kFloat32:
        head_.type = MsgpackType::kDouble;
        head_.is_float32 = true;
        head_.bits = Number(4);
        return;
      case kFloat64:
        head_.type = MsgpackType::kDouble;
        head_.bits = Number(8);
        return;
      case kUint8:
      case kUint8 + 1:
      case kUint8 + 2:
      case kUint8 + 3:
        head_.type = MsgpackType::kInt;
        head_.bits = Number(std::size_t{1} << (first - kUint8));
        return;
      case kInt8: return Integer(SignExtended(Number(1), 8));
      case kInt8 + 1: return Integer(SignExtended(Number(2), 16));
      case kInt8 + 2: return Integer(SignExtended(Number(4), 32));
      case kInt8 + 3: return Integer(Number(8));
      case kFixExt1:
      case kFixExt1 + 1:
      case kFixExt1 + 2:
      case kFixExt1 + 3:
      case kFixExt1 + 4: return Extension(std::uint64_t{1} << (first - kFixExt1));
      case kString8: return Payload(MsgpackType::kString, 1);
      case kString8 + 1: return Payload(MsgpackType::kString, 2);
      case kString8 + 2: return Payload(MsgpackType::kString, 4);
      case kArray16: return Container(MsgpackType::kArray, Number(2));
      case kArray16 + 1: return Container(MsgpackType::kArray, Number(4));
      case kMap16: return Container(MsgpackType::kMap, Number(2));
      case kMap16 + 1: return Container(MsgpackType::kMap, Number(4));
      default: head_.state = Head::State::kUnknown;
    }
  }

  static std::uint64_t SignExtended(std::uint64_t bits, unsigned width) {
    const std::uint64_t sign = std::uint64_t{1} << (width - 1);
    return (bits ^ sign) - sign;
  }

  std::string_view bytes_;
  Head head_;
};

// How many values a container holds.
std::uint64_t ItemsOf(const Head& head) {
  return head.type == MsgpackType::kMap ? std::uint64_t{head.count} * 2 : head.count;
}

void AppendBigEndian(std::uint64_t value, std::size_t size, std::string& out) {
  for (std::size_t i = size; i-- > 0;) out += static_cast<char>((value >> (8 * i)) & 0xffU);
}

void AppendTag(unsigned tag, std::string& out) { out += static_cast<char>(tag); }

// A length or a count after the tag of its width: `first` for one byte (0: there is none), then two
// and four.
void AppendSized(unsigned tag8, unsigned tag16, std::size_t size, std::string& out) {
  if (tag8 != 0 && size <= 0xff) {
    AppendTag(tag8, out);
    AppendBigEndian(size, 1, out);
  } else if (size <= 0xffff) {
    AppendTag(tag16, out);
    AppendBigEndian(size, 2, out);
  } else {
    AppendTag(tag16 + 1, out);
    AppendBigEndian(size, 4, out);
  }
}

}  // namespace

bool MsgpackReader::Fail(const char* error) {
  if (ok()) error_ = error;
  return false;
}

bool MsgpackReader::Next(MsgpackValue& value) {
  if (!ok()) return false;
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  const Head head = HeadReader(rest).Read();
  if (head.state == Head::State::kShort) return Fail("value runs past the end");
  if (head.state == Head::State::kUnknown) return Fail("0xc1 begins no value");
  const std::size_t left = rest.size() - head.size;
  if (head.payload > left) return Fail("length runs past the end");
  if (ItemsOf(head) > left) return Fail("count runs past the end");

  value = MsgpackValue();
  value.type = head.type;
  value.count = head.count;
  value.ext_type = head.ext_type;
  value.bytes = rest.substr(head.size, head.payload);
  switch (head.type) {
    case MsgpackType::kBool: value.boolean = head.bits != 0; break;
    case MsgpackType::kDouble:
      value.number =
          head.is_float32
              ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(head.bits)))
              : std::bit_cast<double>(head.bits);
      break;
    case MsgpackType::kInt:
      if (!head.is_signed && head.bits > static_cast<std::uint64_t>(INT64_MAX)) {
        value.type = MsgpackType::kUint;
        value.unsigned_integer = head.bits;
      } else {
        value.integer = static_cast<std::int64_t>(head.bits);
      }
      break;
    default: break;
  }
  at_ += head.size + head.payload;
  return true;
}

std::string_view MsgpackReader::Skip() {
  if (!ok()) return {};
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  MsgpackScanner scanner(rest.size());
  switch (scanner.Scan(rest)) {
    case MsgpackScanner::State::kWhole: break;
    case MsgpackScanner::State::kMalformed: Fail("0xc1 begins no value"); return {};
    default: Fail("value runs past the end"); return {};
  }
  at_ += scanner.size();
  return rest.substr(0, scanner.size());
}

MsgpackScanner::State MsgpackScanner::Scan(std::string_view buffer) {
  while (state_ == State::kNeedMore) {
    if (missing_ == 0) {
      state_ = at_ > limit_ ? State::kTooLarge : State::kWhole;
      if (state_ == State::kWhole && at_ > buffer.size()) {
        state_ = State::kNeedMore;
        break;
      }
    } else if (at_ > limit_ || missing_ > limit_ - at_) {
      state_ = State::kTooLarge;
    } else {
      if (at_ >= buffer.size()) break;
      const Head head = HeadReader(buffer.substr(at_)).Read();
      if (head.state == Head::State::kShort) break;
      if (head.state == Head::State::kUnknown) {
        state_ = State::kMalformed;
      } else {
        at_ += head.size + head.payload;
        missing_ += ItemsOf(head);
        --missing_;
      }
    }
  }
  return state_;
}

void AppendMsgpackNil(std::string& out) { AppendTag(kNil, out); }

void AppendMsgpackBool(bool value, std::string& out) { AppendTag(value ? kTrue : kFalse, out); }

void AppendMsgpackInt(std::int64_t value, std::string& out) {
  if (value >= 0) return AppendMsgpackUint(static_cast<std::uint64_t>(value), out);
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) return AppendBigEndian(bits, 1, out);
  unsigned width = 0;  // As a power of two.
  if (value < INT8_MIN) width = 1;
  if (value < INT16_MIN) width = 2;
  if (value < INT32_MIN) width = 3;
  AppendTag(kInt8 + width, out);
  AppendBigEndian(bits, std::size_t{1} << width, out);
}

void AppendMsgpackUint(std::uint64_t value, std::string& out) {
  if (value < kFixMap) return AppendBigEndian(value, 1, out);
  unsigned width = 0;
  if (value > UINT8_MAX) width = 1;
  if (value > UINT16_MAX) width = 2;
  if (value > UINT32_MAX) width = 3;
  AppendTag(kUint8 + width, out);
  AppendBigEndian(value, std::size_t{1} << width, out);
}

void AppendMsgpackDouble(double value, std::string& out) {
  AppendTag(kFloat64, out);
  AppendBigEndian(std::bit_cast<std::uint64_t>(value), 8, out);
}

void AppendMsgpackString(std::string_view text, std::string& out) {
  if (text.size() < 32) {
    AppendTag(kFixString + static_cast<unsigned>(text.size()), out);
  } else {
    AppendSized(kString8, kString8 + 1, text.size(), out);
  }
  out += text;
}

void AppendMsgpackBytes(std::string_view bytes, std::string& out) {
  AppendSized(kBytes8, kBytes8 + 1, bytes.size(), out);
  out += bytes;
}

void AppendMsgpackExt(std::int8_t type, std::string_view bytes, std::string& out) {
  const std::size_t size = bytes.size();
  if (size <= 16 && std::has_single_bit(size)) {
    AppendTag(kFixExt1 + static_cast<unsigned>(std::countr_zero(size)), out);
  } else {
    AppendSized(kExt8, kExt8 + 1, size, out);
  }
  out += static_cast<char>(type);
  out += bytes;
}

void AppendMsgpackArray(std::uint32_t count, std::string& out) {
  if (count < 16) return AppendTag(kFixArray + count, out);
  AppendSized(0, kArray16, count, out);
}

void AppendMsgpackMap(std::uint32_t count, std::string& out) {
  if (count < 16) return AppendTag(kFixMap + count, out);
  AppendSized(0, kMap16, count, out);
}

}  // namespace throughline::wire
