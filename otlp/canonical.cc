#include "otlp/canonical.h"

#include "correlate/attribute.h"
#include "otlp/utf8.h"

namespace throughline::otlp {
namespace {

// AnyValue's fields.
enum Member : std::uint32_t {
  kNothing = 0,
  kString = 1,
  kBool = 2,
  kInt = 3,
  kDouble = 4,
  kArray = 5,
  kMap = 6,
  kBytes = 7,
  kStringIndex = 8,  // Of profiles; elsewhere it has no meaning, but it replaces what came before.
};

constexpr wire::ProtoFault kNotUtf8At(std::string_view text) {
  return {.at = text.data(), .what = "text is not UTF-8", .field = 0};
}

// Takes a minimal varint off the front.
bool TakeMinimalVarint(std::string_view& rest, std::uint64_t& value) {
  value = 0;
  for (unsigned i = 0; i < 10 && i < rest.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    value |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte >= 0x80) continue;
    if (i == 9 && byte > 1) return false;
    rest.remove_prefix(i + 1);
    return byte != 0 || i == 0;
  }
  return false;
}

// Takes `tag`, a minimal length and that many bytes off the front.
bool TakeTagged(char tag, std::string_view& rest, std::string_view& bytes) {
  if (rest.empty() || rest.front() != tag) return false;
  rest.remove_prefix(1);
  std::uint64_t size = 0;
  if (!TakeMinimalVarint(rest, size) || size > rest.size()) return false;
  bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

bool IsCanonicalKeyValue(std::string_view rest, int depth) {
  std::string_view key;
  std::string_view value;
  return TakeTagged(0x0a, rest, key) && TakeTagged(0x12, rest, value) && rest.empty() &&
         IsUtf8(key) && IsCanonicalValue(value, depth);
}

bool AreCanonicalItems(std::string_view rest, bool map, int depth) {
  while (!rest.empty()) {
    std::string_view item;
    if (!TakeTagged(0x0a, rest, item)) return false;
    if (!(map ? IsCanonicalKeyValue(item, depth) : IsCanonicalValue(item, depth))) return false;
  }
  return true;
}

// Appends `tag`, the length of what `append` appends, and that.
template <typename Append>
bool AppendSized(char tag, std::string& out, Append append) {
  out += tag;
  const std::size_t begin = out.size();
  if (!append()) return false;
  std::string size;
  AppendVarint(out.size() - begin, size);
  out.insert(begin, size);
  return true;
}

}  // namespace

bool IsCanonicalValue(std::string_view any_value, int depth) {
  if (any_value.empty()) return true;
  std::string_view rest = any_value;
  std::string_view bytes;
  std::uint64_t number = 0;
  const char tag = any_value.front();
  switch (tag) {
    case 0x0a: return TakeTagged(tag, rest, bytes) && rest.empty() && IsUtf8(bytes);
    case 0x10: return any_value.size() == 2 && static_cast<unsigned char>(any_value[1]) <= 1;
    case 0x18: rest.remove_prefix(1); return TakeMinimalVarint(rest, number) && rest.empty();
    case 0x21: return any_value.size() == 9;
    case 0x2a:
    case 0x32:
      return depth < kMaxValueDepth && TakeTagged(tag, rest, bytes) && rest.empty() &&
             AreCanonicalItems(bytes, tag == 0x32, depth + 1);
    case 0x3a: return TakeTagged(tag, rest, bytes) && rest.empty();
    default: return false;
  }
}

bool Canonical::KeyValue(std::string_view message) {
  Parts values;
  return ReadKeyValue(message, key_, values) && AnyValue(values);
}

bool Canonical::AnyValue(std::span<const std::string_view> parts) {
  value_.clear();
  return AppendValue(parts, 0, value_);
}

bool Canonical::Fail(const wire::ProtoFault& fault) {
  fault_ = fault;
  return false;
}

bool Canonical::ReadKeyValue(std::string_view message, std::string_view& key, Parts& values) {
  key = {};
  wire::ProtoReader reader(message);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        key = reader.Bytes();
        if (!IsUtf8(key)) return Fail(kNotUtf8At(key));
        break;
      case 2: values.push_back(reader.Bytes()); break;
      default: reader.Skip();
    }
  }
  return reader.ok() || Fail(reader.fault());
}

bool Canonical::AppendKeyValue(std::string_view message, int depth, std::string& out) {
  std::string_view key;
  Parts values;
  if (!ReadKeyValue(message, key, values)) return false;
  out += 0x0a;
  AppendVarint(key.size(), out);
  out += key;
  return AppendSized(0x12, out, [&] { return AppendValue(values, depth, out); });
}

// A oneof: the last member sent counts, and where that is a message sent several times in a row,
// its parts are one message.
bool Canonical::AppendValue(std::span<const std::string_view> parts, int depth, std::string& out) {
  std::uint32_t member = kNothing;
  std::string_view bytes;
  std::uint64_t number = 0;
  double real = 0;
  Parts contents;
  for (const std::string_view part : parts) {
    wire::ProtoReader reader(part);
    while (reader.Next()) {
      const std::uint32_t field = reader.field();
      if (field > kStringIndex) {
        reader.Skip();
        continue;
      }
      if (field != member) contents.clear();
      member = field;
      switch (field) {
        case kString:
          bytes = reader.Bytes();
          if (!IsUtf8(bytes)) return Fail(kNotUtf8At(bytes));
          break;
        case kBytes: bytes = reader.Bytes(); break;
        case kDouble: real = reader.Double(); break;
        case kArray:
        case kMap: contents.push_back(reader.Bytes()); break;
        default: number = reader.Varint();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
  }
  switch (member) {
    case kString: AppendStringValue(bytes, out); return true;
    case kBool: AppendBoolValue(number != 0, out); return true;
    case kInt: AppendIntValue(static_cast<std::int64_t>(number), out); return true;
    case kDouble: AppendDoubleValue(real, out); return true;
    case kBytes: AppendBytesValue(bytes, out); return true;
    case kArray:
      return AppendSized(0x2a, out, [&] { return AppendItems(contents, false, depth, out); });
    case kMap:
      return AppendSized(0x32, out, [&] { return AppendItems(contents, true, depth, out); });
    default: return true;
  }
}

bool Canonical::AppendItems(const Parts& contents, bool map, int depth, std::string& out) {
  if (depth >= kMaxValueDepth) {
    return Fail({.at = contents.front().data(), .what = "value is nested too deep", .field = 0});
  }
  for (const std::string_view content : contents) {
    wire::ProtoReader reader(content);
    while (reader.Next()) {
      if (reader.field() != 1) {
        reader.Skip();
        continue;
      }
      const std::string_view item = reader.Bytes();
      if (!reader.ok()) break;
      const bool appended = AppendSized(0x0a, out, [&] {
        return map ? AppendKeyValue(item, depth + 1, out) : AppendValue({&item, 1}, depth + 1, out);
      });
      if (!appended) return false;
    }
    if (!reader.ok()) return Fail(reader.fault());
  }
  return true;
}

}  // namespace throughline::otlp
