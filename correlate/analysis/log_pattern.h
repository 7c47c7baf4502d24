// What a log line says, without what differs from one line to the next: its pattern.
//
// "19:38:52.053 INFO t.c.Travel2Controller#115 TraceID: cf96.. [query][Query 7 trips]" becomes
// "INFO t.c.Travel2Controller#115 query Query * trips". Two lines that one statement of a program
// wrote have one pattern, nearly always; nothing is learned, so a line's pattern depends on nothing
// but the line. Of the first line of text: a leading time and ids are left out; a word with a
// digit, the word behind one that ends with ':', and the value of key=value become '*', but the
// place of a statement (Logger#115, file.go:115) and a level stay; the first kPatternWords words
// count; the simple name of the last exception is appended as "exc=Name".
//
// Pure and bounded: linear in the first kPatternScanBytes; a pattern is at most kPatternBytes long
// and holds no control characters. Not for joining: two statements may share a pattern.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/batch.h"

namespace throughline {

inline constexpr std::size_t kPatternWords = 8;
inline constexpr std::size_t kPatternWordBytes = 64;    // Of a word; the rest is cut off.
inline constexpr std::size_t kPatternScanBytes = 8192;  // Of a line.
inline constexpr std::size_t kPatternBytes = 700;       // Words, spaces and the exception.

// How grave a line is, as far as explain tells lines apart.
enum class LineGrade : std::uint8_t { kUnknown, kBelowWarning, kWarning, kError };

struct LogPattern {
  std::string text;
  LineGrade grade = LineGrade::kUnknown;  // Of the level in the text.
};

// A JSON object in `text` is opened first, twice at most (a container runtime's envelope, then the
// program's own): its `log`, `message` or `msg` is the line, its `level` or `severity` the level.
LogPattern PatternOf(std::string_view text);

// Of a line's body, or of the event's name where there is no text. Its severity number, where it
// states one, is the grade.
LogPattern PatternOf(const LogLine& line);

}  // namespace throughline
