// Both scans give the same answer; what is found lies inside the line, in order (in a JSON object
// its fields before the ids in its texts, each in order), apart, and is valid; hex that is found
// resolves again from the text at its offset.
#include <cstdint>
#include <string_view>

#include "correlate/check.h"
#include "correlate/find.h"

using throughline::Found;
using throughline::FoundBy;
using throughline::FoundIds;
using throughline::KeyKind;
using throughline::Spelling;
using throughline::Strictness;

namespace {

void CheckFound(std::string_view line, const Found& found) {
  TL_CHECK(found.id.IsValid());
  TL_CHECK(found.offset <= line.size() && found.length <= line.size() - found.offset);
  TL_CHECK(found.length > 0);
  TL_CHECK((found.found_by == FoundBy::kKey) == !found.key.empty());
  TL_CHECK(found.found_by == FoundBy::kKey || found.found_by == FoundBy::kShape);
  if (!found.key.empty()) {
    TL_CHECK(found.key.data() >= line.data());
    TL_CHECK(found.key.data() + found.key.size() <= line.data() + line.size());
  }
  const std::string_view text = line.substr(found.offset, found.length);
  // The spellings that need no key.
  const auto again = throughline::Resolve(text, Strictness::kLookup, KeyKind::kNone);
  switch (found.id.spelling) {
    case Spelling::kDecimal: break;
    default: TL_CHECK(again.trace_id == found.id.trace_id);
  }
}

void CheckOrder(std::string_view line, const FoundIds& found) {
  int descents = 0;
  for (std::size_t i = 1; i < found.count; ++i) {
    const Found& before = found.ids[i - 1];
    const Found& after = found.ids[i];
    if (after.offset < before.offset) ++descents;
    for (std::size_t j = 0; j < i; ++j) {
      const Found& other = found.ids[j];
      TL_CHECK(after.offset >= other.offset + other.length ||
               other.offset >= after.offset + after.length);
    }
  }
  TL_CHECK(descents <= (line.starts_with('{') ? 1 : 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  FoundIds fast;
  FoundIds portable;
  throughline::FindIds(line, fast);
  throughline::FindIdsPortable(line, portable);
  TL_CHECK(fast.count == portable.count && fast.count <= throughline::kMaxFound);
  TL_CHECK(fast.sampled == portable.sampled);
  CheckOrder(line, fast);
  for (std::size_t i = 0; i < fast.count; ++i) {
    const Found& found = fast.ids[i];
    CheckFound(line, found);
    TL_CHECK(found.id.trace_id == portable.ids[i].id.trace_id);
    TL_CHECK(found.id.span_id == portable.ids[i].id.span_id);
    TL_CHECK(found.id.sampled == portable.ids[i].id.sampled);
    TL_CHECK(found.offset == portable.ids[i].offset && found.length == portable.ids[i].length);
    TL_CHECK(found.found_by == portable.ids[i].found_by && found.key == portable.ids[i].key);
  }
  // The names of fields come from outside, too.
  const std::size_t half = size / 2;
  throughline::TraceKeyKind(line.substr(0, half), line.substr(half));
  throughline::IsSpanIdKey(line.substr(0, half), line.substr(half));
  return 0;
}
