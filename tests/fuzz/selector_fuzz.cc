// A selector that can be read, written out again byte by byte, reads as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/query/selector.h"
#include "correlate/check.h"

namespace {

using throughline::Matcher;
using throughline::api::query::ParseSelector;
using throughline::api::query::Selector;

// Every byte as an escape, so that nothing depends on what is special.
std::string Quoted(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out + '"';
}

std::string Written(const Selector& selector) {
  constexpr const char* kOperators[] = {"=", "!=", "=~", "!~"};
  std::string out = "{";
  if (!selector.metric.empty()) out += "__name__=" + Quoted(selector.metric) + ",";
  for (const Matcher& matcher : selector.matchers) {
    out += Quoted(matcher.key) + kOperators[static_cast<int>(matcher.op)] + Quoted(matcher.value);
    out += ',';
  }
  return out + '}';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto selector = ParseSelector(text);
  if (!selector) return 0;
  TL_CHECK(selector->matchers.size() <= throughline::api::query::kMaxMatchers);
  const auto again = ParseSelector(Written(*selector));
  TL_CHECK(again.has_value());
  TL_CHECK(again->metric == selector->metric);
  TL_CHECK(again->matchers.size() == selector->matchers.size());
  for (std::size_t i = 0; i < selector->matchers.size(); ++i) {
    TL_CHECK(again->matchers[i].key == selector->matchers[i].key);
    TL_CHECK(again->matchers[i].op == selector->matchers[i].op);
    TL_CHECK(again->matchers[i].value == selector->matchers[i].value);
  }
  return 0;
}
