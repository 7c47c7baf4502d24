// The resolver is pure, gives a reason for each refusal, and what it resolves resolves again from
// its own hex. The first byte chooses the strictness and the key.
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/check.h"
#include "correlate/ids.h"

using throughline::KeyKind;
using throughline::Resolved;
using throughline::Strictness;

namespace {

bool Same(const Resolved& a, const Resolved& b) {
  return a.trace_id == b.trace_id && a.span_id == b.span_id && a.sampled == b.sampled &&
         a.spelling == b.spelling && a.repaired == b.repaired && a.reason == b.reason;
}

void CheckResolved(const Resolved& resolved) {
  TL_CHECK(resolved.IsValid() == (resolved.spelling != throughline::Spelling::kNone));
  if (!resolved.IsValid()) {
    TL_CHECK(!resolved.reason.empty() && !resolved.span_id.IsValid() && !resolved.repaired);
    return;
  }
  const std::string hex = throughline::ToHex(resolved.trace_id);
  for (const Strictness strictness : {Strictness::kLookup, Strictness::kField, Strictness::kText}) {
    TL_CHECK(throughline::Resolve(hex, strictness, KeyKind::kTraceId).trace_id ==
             resolved.trace_id);
  }
}

void CheckSpan(const throughline::ResolvedSpan& span) {
  TL_CHECK(span.span_id.IsValid() == span.reason.empty());
  TL_CHECK(span.span_id.IsValid() || !span.repaired);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto strictness = static_cast<Strictness>(data[0] % 3);
  const auto key = static_cast<KeyKind>(data[0] / 3 % 10);
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Resolved resolved = throughline::Resolve(text, strictness, key);
  CheckResolved(resolved);
  TL_CHECK(Same(resolved, throughline::Resolve(text, strictness, key)));
  // A field is never stricter than a line.
  if (strictness == Strictness::kText && resolved.IsValid()) {
    TL_CHECK(throughline::Resolve(text, Strictness::kField, key).IsValid());
  }
  const auto all = throughline::ResolveAll(text);
  TL_CHECK(all.size() <= 2);
  for (const Resolved& reading : all) {
    TL_CHECK(reading.IsValid());
    CheckResolved(reading);
  }
  const Resolved lookup = throughline::Resolve(text, Strictness::kLookup, KeyKind::kNone);
  TL_CHECK(all.empty() ? !lookup.IsValid() : Same(lookup, all[0]));
  CheckResolved(throughline::ResolveTraceIdBytes(text));
  CheckResolved(throughline::ResolveTraceIdText(text));
  CheckSpan(throughline::ResolveSpanIdBytes(text));
  CheckSpan(throughline::ResolveSpanIdText(text));
  for (const bool decimal : {false, true}) throughline::ResolveSpanIdLoose(text, decimal);
  return 0;
}
