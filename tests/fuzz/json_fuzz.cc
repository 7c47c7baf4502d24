// The JSON reader: on any bytes the fast parser and the plain scanner agree, refusals have their
// place inside the text, and what is walked, written again and read again is the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/check.h"
#include "wire/json_fault.h"
#include "wire/json_reader.h"
#include "wire/json_writer.h"

namespace {

using namespace throughline;

void Write(wire::JsonValue value, wire::JsonWriter& json) {
  switch (value.type()) {
    case wire::JsonType::kNull: json.Null(); return;
    case wire::JsonType::kBool: json.Bool(value.boolean()); return;
    case wire::JsonType::kInt: json.Int(value.integer()); return;
    case wire::JsonType::kUint: json.Uint(value.unsigned_integer()); return;
    case wire::JsonType::kDouble:
      json.Double(value.number() + 0.0);
      return;  // -0 is the integer 0.
    case wire::JsonType::kString: json.String(value.string()); return;
    case wire::JsonType::kArray:
      json.BeginArray();
      for (wire::JsonItems items(value); items.Next();) Write(items.value(), json);
      json.EndArray();
      return;
    case wire::JsonType::kObject:
      json.BeginObject();
      for (wire::JsonMembers members(value); members.Next();) {
        json.Key(members.key());
        Write(members.value(), json);
      }
      json.EndObject();
      return;
  }
}

std::string Padded(std::string_view text) {
  std::string padded(text);
  padded.append(wire::kJsonPadding, '\0');
  return padded;
}

std::string Written(wire::JsonValue value) {
  std::string out;
  wire::JsonWriter json(out);
  Write(value, json);
  return out;
}

// Every double has its text, and that text is a number.
void CheckDoubles(wire::JsonValue value, wire::JsonDocument& document) {
  if (value.type() == wire::JsonType::kDouble) TL_CHECK(!document.TextOf(value).empty());
  if (value.is_array()) {
    for (wire::JsonItems items(value); items.Next();) CheckDoubles(items.value(), document);
  }
  if (value.is_object()) {
    for (wire::JsonMembers members(value); members.Next();) CheckDoubles(members.value(), document);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string input = Padded(bytes);
  wire::JsonDocument document;
  const auto root = document.Parse({input.data(), size});
  std::vector<wire::JsonDouble> doubles;
  const std::string_view text = bytes.starts_with("\xef\xbb\xbf") ? bytes.substr(3) : bytes;
  const auto fault = wire::FindJsonFault(text, wire::kMaxJsonDepth, doubles);
  TL_CHECK(root.has_value() == !fault.has_value());
  if (!root) {
    TL_CHECK(root.error().kind == wire::Error::Kind::kMalformed);
    TL_CHECK(root.error().offset <= size);
    return 0;
  }
  CheckDoubles(*root, document);
  const std::string once = Written(*root);
  const std::string again = Padded(once);
  const auto read = document.Parse({again.data(), once.size()});
  TL_CHECK(read.has_value());
  TL_CHECK(Written(*read) == once);
  return 0;
}
