// The reader and the scanner agree on where a value ends, whatever the pieces it comes in; what is
// read, written again and read again is the same.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/check.h"
#include "wire/msgpack.h"

namespace throughline {
namespace {

using wire::MsgpackReader;
using wire::MsgpackScanner;
using wire::MsgpackType;
using wire::MsgpackValue;

void Append(const MsgpackValue& value, std::string& out) {
  switch (value.type) {
    case MsgpackType::kNil: return wire::AppendMsgpackNil(out);
    case MsgpackType::kBool: return wire::AppendMsgpackBool(value.boolean, out);
    case MsgpackType::kInt: return wire::AppendMsgpackInt(value.integer, out);
    case MsgpackType::kUint: return wire::AppendMsgpackUint(value.unsigned_integer, out);
    case MsgpackType::kDouble: return wire::AppendMsgpackDouble(value.number, out);
    case MsgpackType::kString: return wire::AppendMsgpackString(value.bytes, out);
    case MsgpackType::kBytes: return wire::AppendMsgpackBytes(value.bytes, out);
    case MsgpackType::kArray: return wire::AppendMsgpackArray(value.count, out);
    case MsgpackType::kMap: return wire::AppendMsgpackMap(value.count, out);
    case MsgpackType::kExt: return wire::AppendMsgpackExt(value.ext_type, value.bytes, out);
  }
}

bool Same(const MsgpackValue& a, const MsgpackValue& b) {
  const bool same_number = a.number == b.number || (std::isnan(a.number) && std::isnan(b.number));
  return a.type == b.type && a.boolean == b.boolean && a.ext_type == b.ext_type &&
         a.count == b.count && a.integer == b.integer && same_number &&
         a.unsigned_integer == b.unsigned_integer && a.bytes == b.bytes;
}

void RoundTrip(std::string_view bytes) {
  std::string again;
  MsgpackReader reader(bytes);
  MsgpackValue value;
  while (!reader.AtEnd() && reader.Next(value)) Append(value, again);
  MsgpackReader first(bytes);
  MsgpackReader second(again);
  MsgpackValue other;
  // The second may fail earlier: a count that fitted the longer form of what follows.
  while (!second.AtEnd() && second.Next(other)) {
    TL_CHECK(first.Next(value));
    TL_CHECK(Same(value, other));
  }
}

void Compare(std::string_view bytes) {
  MsgpackReader reader(bytes);
  const std::size_t size = reader.Skip().size();
  MsgpackScanner at_once(bytes.size());
  const auto state = at_once.Scan(bytes);
  TL_CHECK((state == MsgpackScanner::State::kWhole) == (size > 0));
  if (size > 0) TL_CHECK(at_once.size() == size);
  MsgpackScanner piecewise(bytes.size());
  for (std::size_t end = 0; end <= bytes.size(); ++end) {
    const auto now = piecewise.Scan(bytes.substr(0, end));
    if (now != MsgpackScanner::State::kNeedMore) {
      TL_CHECK(now == state);
      break;
    }
  }
  if (size > 0) TL_CHECK(piecewise.size() == size);
}

}  // namespace
}  // namespace throughline

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  throughline::RoundTrip(bytes);
  throughline::Compare(bytes);
  return 0;
}
