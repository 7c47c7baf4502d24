// A pattern is a bounded function of its line, without control characters.
#include <cstdint>
#include <string_view>

#include "correlate/analysis/log_pattern.h"
#include "correlate/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const throughline::LogPattern pattern = throughline::PatternOf(line);
  TL_CHECK(pattern.text.size() <= throughline::kPatternBytes);
  for (const char c : pattern.text) {
    TL_CHECK(static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
  }
  TL_CHECK(throughline::PatternOf(line).text == pattern.text);
  throughline::LogLine record;
  record.body = line;  // Mostly no AnyValue.
  TL_CHECK(throughline::PatternOf(record).text.size() <= throughline::kPatternBytes);
  return 0;
}
