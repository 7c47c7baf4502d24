#include "wire/protobuf.h"

#include <array>

namespace throughline::wire {

std::string ProtoFault::Text(std::string_view body) const {
  std::string text;
  if (at >= body.data() && at <= body.data() + body.size()) {
    text = "byte " + std::to_string(at - body.data()) + ": ";
  }
  if (field != 0) text += "field " + std::to_string(field) + ": ";
  text += what;
  return text;
}

const char* ProtoReader::TypeProblem(std::uint32_t tag, const char* wanted) {
  switch (tag & 7U) {
    case 4: return "end of a group that was not begun";
    case 6: return "wire type 6 does not exist";
    case 7: return "wire type 7 does not exist";
    default: return wanted;
  }
}

ProtoReader::LongVarint ProtoReader::ReadLongVarint(const char* at, const char* end) {
  constexpr unsigned kLastShift = 63;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift <= kLastShift; shift += 7) {
    if (at == end) return {};
    const auto byte = static_cast<unsigned char>(*at++);
    if (shift == kLastShift && byte > 1) break;
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return {.value = value, .end = at};
  }
  return {.value = 1, .end = nullptr};
}

// The group's begin has been read. Groups nest, and each ends with its own number.
ProtoReader::Group ProtoReader::ReadGroup(std::uint32_t tag, const char* tag_at, const char* at,
                                          const char* end) {
  std::array<std::uint32_t, kMaxGroupDepth> open{};
  std::size_t depth = 0;
  open[depth++] = tag >> 3U;
  ProtoReader reader({at, static_cast<std::size_t>(end - at)});
  const auto fail = [&reader](const char* what) {
    return Group{.end = nullptr, .at = reader.field_at_, .tag = reader.tag_, .what = what};
  };
  while (depth > 0) {
    if (!reader.Next()) {
      if (!reader.ok()) return fail(reader.what_);
      return {.end = nullptr, .at = tag_at, .tag = tag, .what = "group is not closed"};
    }
    if (reader.type() == WireType::kGroup) {
      if (depth == open.size()) return fail("groups are nested too deep");
      open[depth++] = reader.field();
    } else if (reader.type() == WireType::kGroupEnd) {
      if (open[--depth] != reader.field()) return fail("end of a group that was not begun");
    } else {
      reader.Skip();
    }
  }
  return {.end = reader.at_, .at = nullptr, .tag = 0, .what = nullptr};
}

}  // namespace throughline::wire
