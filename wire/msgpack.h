// MessagePack as a cursor: value by value, without a tree, copies or recursion.
//
//   MsgpackReader reader(bytes);
//   MsgpackValue value;
//   if (reader.Next(value) && value.type == MsgpackType::kArray) {
//     for (std::uint32_t i = 0; i < value.count; ++i) reader.Skip();
//   }
//   if (!reader.ok()) ... reader.error(), reader.offset()
//
// A container comes as its count alone; its items are the values that follow. Nothing is allocated:
// text, bytes and extensions are views of the input, which must outlive them, and a count or a
// length that the input cannot hold is a failure when it is read. A failure sticks. UTF-8 is the
// caller's to check: old writers put any bytes into str.
//
// Source: github.com/msgpack/msgpack/blob/master/spec.md. 0xc1, which it never uses, is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace throughline::wire {

enum class MsgpackType : std::uint8_t {
  kNil,
  kBool,
  kInt,     // Fits 64 bits with a sign.
  kUint,    // Only above the largest kInt.
  kDouble,  // float 32 and float 64.
  kString,
  kBytes,
  kArray,
  kMap,
  kExt,
};

struct MsgpackValue {
  MsgpackType type = MsgpackType::kNil;
  bool boolean = false;
  std::int8_t ext_type = 0;            // Of a kExt: the application's; -1 is the timestamp.
  std::uint32_t count = 0;             // Items of an array, pairs of a map.
  std::int64_t integer = 0;            // Of a kInt.
  std::uint64_t unsigned_integer = 0;  // Of a kUint.
  double number = 0;                   // Of a kDouble.
  std::string_view bytes;              // Of a kString, kBytes or kExt.
};

class MsgpackReader {
 public:
  explicit MsgpackReader(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Reads one scalar, or the head of one container. False, with `value` untouched, after a failure;
  // the end of the input is one, so ask AtEnd() first where values may end.
  bool Next(MsgpackValue& value);
  // Passes one value by, with all that is in it; gives its bytes. Depth costs nothing.
  std::string_view Skip();

  // True when nothing follows and nothing has failed.
  bool AtEnd() const { return ok() && at_ == end_; }
  bool ok() const { return error_ == nullptr; }
  // Why it failed, and where. The offset of the next byte while nothing has.
  const char* error() const { return ok() ? "" : error_; }
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  bool Fail(const char* error);

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* error_ = nullptr;
};

// Finds the end of the first value of a buffer that grows while it is received. Remembers how far
// it has come, so that the work is linear however small the pieces are, and says at once when a
// value must become larger than it may.
class MsgpackScanner {
 public:
  enum class State { kNeedMore, kWhole, kMalformed, kTooLarge };

  // `limit`: the bytes of one value.
  explicit MsgpackScanner(std::size_t limit) : limit_(limit) {}

  // `buffer` begins where it began in the call before, and holds no less. Once it is not kNeedMore
  // the answer stays until Reset().
  State Scan(std::string_view buffer);
  // Of the value, when it is whole.
  std::size_t size() const { return at_; }
  void Reset() { *this = MsgpackScanner(limit_); }

 private:
  std::size_t limit_;
  std::size_t at_ = 0;         // The next head; may lie behind the end of the buffer.
  std::uint64_t missing_ = 1;  // Values that have not begun yet. Each takes a byte at least.
  State state_ = State::kNeedMore;
};

// Writing, by appending; each value in its shortest form. The items of a container are appended
// after its head.
void AppendMsgpackNil(std::string& out);
void AppendMsgpackBool(bool value, std::string& out);
void AppendMsgpackInt(std::int64_t value, std::string& out);
void AppendMsgpackUint(std::uint64_t value, std::string& out);
void AppendMsgpackDouble(double value, std::string& out);
void AppendMsgpackString(std::string_view text, std::string& out);
void AppendMsgpackBytes(std::string_view bytes, std::string& out);
void AppendMsgpackExt(std::int8_t type, std::string_view bytes, std::string& out);
void AppendMsgpackArray(std::uint32_t count, std::string& out);
void AppendMsgpackMap(std::uint32_t count, std::string& out);

}  // namespace throughline::wire
