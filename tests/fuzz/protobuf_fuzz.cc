// Property: the cursor and protobuf's own UnknownFieldSet see the same fields in every message that
// protobuf accepts, and the cursor accepts it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <google/protobuf/unknown_field_set.h>

#include "correlate/check.h"
#include "wire/protobuf.h"

namespace throughline {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

bool IsStricter(const wire::ProtoFault& fault) {
  const std::string_view what(fault.what);
  return what.starts_with("varint is over 64 bits") || what.starts_with("field number");
}

void CheckField(const UnknownField& wanted, wire::ProtoReader& reader) {
  TL_CHECK(static_cast<std::uint32_t>(wanted.number()) == reader.field());
  switch (wanted.type()) {
    case UnknownField::TYPE_VARINT: TL_CHECK(reader.Varint() == wanted.varint()); return;
    case UnknownField::TYPE_FIXED32: TL_CHECK(reader.Fixed32() == wanted.fixed32()); return;
    case UnknownField::TYPE_FIXED64: TL_CHECK(reader.Fixed64() == wanted.fixed64()); return;
    case UnknownField::TYPE_LENGTH_DELIMITED:
      TL_CHECK(reader.Bytes() == wanted.length_delimited());
      return;
    case UnknownField::TYPE_GROUP:
      TL_CHECK(reader.type() == wire::WireType::kGroup);
      reader.Skip();
      return;
  }
}

// Every getter on every field: none may read outside the input.
void ReadAnyhow(std::string_view bytes, std::uint8_t how) {
  wire::ProtoReader reader(bytes);
  std::uint64_t sum = 0;
  while (reader.Next()) {
    switch ((reader.field() + how) % 8) {
      case 0: sum += reader.Varint(); break;
      case 1: sum += reader.Fixed64(); break;
      case 2: sum += reader.Fixed32(); break;
      case 3: sum += reader.Bytes().size(); break;
      case 4: reader.Varints([&sum](std::uint64_t value) { sum += value; }); break;
      case 5: reader.Fixed64s([&sum](std::uint64_t value) { sum += value; }); break;
      case 6: sum += static_cast<std::uint32_t>(reader.ZigZag32()); break;
      default: reader.Skip();
    }
  }
  if (!reader.ok()) TL_CHECK(!reader.fault().Text(bytes).empty());
}

void Compare(std::string_view bytes) {
  UnknownFieldSet fields;
  if (!fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  wire::ProtoReader skimming(bytes);
  while (skimming.Next()) skimming.Skip();
  if (!skimming.ok()) {
    TL_CHECK(IsStricter(skimming.fault()));
    return;
  }
  wire::ProtoReader reader(bytes);
  for (int i = 0; i < fields.field_count(); ++i) {
    TL_CHECK(reader.Next());
    CheckField(fields.field(i), reader);
    TL_CHECK(reader.ok());
  }
  TL_CHECK(!reader.Next() && reader.ok());
}

}  // namespace
}  // namespace throughline

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (std::uint8_t how = 0; how < 8; ++how) throughline::ReadAnyhow(bytes, how);
  throughline::Compare(bytes);
  return 0;
}
