// The bits in the fixed part of a record (format.md).
#pragma once

namespace throughline::store::sqlite {

// Of all kinds: byte 10 of spans and exemplars, byte 11 of lines.
inline constexpr unsigned kNoResource = 16;
inline constexpr unsigned kNoScope = 32;
// Spans, byte 10.
inline constexpr unsigned kStatusMessage = 1;
inline constexpr unsigned kTraceState = 2;
inline constexpr unsigned kEvents = 4;
inline constexpr unsigned kLinks = 8;
// Lines, byte 10, behind how they were found and whether they say they are sampled; byte 11.
inline constexpr unsigned kIdentityFollows = 32;
inline constexpr unsigned kEventName = 1;
inline constexpr unsigned kRelated = 2;
inline constexpr unsigned kOwnService = 4;
// Exemplars: byte 11, then byte 9.
inline constexpr unsigned kExemplarService = 1;
inline constexpr unsigned kInteger = 1;
inline constexpr unsigned kHasLe = 2;
// The string of a gauge's series, beside the metric's type; kNoResource too.
inline constexpr unsigned kSeriesOwnService = 32;
// Byte 9 of spans and lines: what it would hold follows as varints.
inline constexpr unsigned char kFollows = 255;

}  // namespace throughline::store::sqlite
