// What the names beside ids say: which are names of trace ids, which of span ids.
//
// Names are read from the back: "trace" and "id" with a separator or none between them, then the
// word before, which may be anything (otel., x-b3-, request_) but the names of other ids (parent,
// link) and must be set apart by a separator or by case. Shared by the two halves of find.h.
#pragma once

#include <cstddef>
#include <string_view>

#include "correlate/digits.h"
#include "correlate/ids.h"

namespace throughline::keys {

inline constexpr std::size_t kMaxPrefixBytes = 48;

// _ - . / and space.
inline bool IsSeparator(char c) { return c == '_' || c == '-' || c == '.' || c == '/' || c == ' '; }
// Letters, digits and _ - . /
inline bool IsKeyByte(char c) { return digits::IsAlnum(c) || (c != ' ' && IsSeparator(c)); }

// The kind of a name whose "trace id" begins with `first` and has `prefix` before it: "dd." is
// Datadog's. kNone: not a name of this record's trace id.
KeyKind TraceIdKind(std::string_view prefix, char first);
// True if "span id" after `prefix` names this record's span.
bool IsSpanIdPrefix(std::string_view prefix, char first);
// True if the last word of `prefix` says that the id is another's: parent, link, stack (a trace of
// another kind).
bool IsForeign(std::string_view prefix);
// True if the last word of `prefix` is dd or datadog.
bool IsDatadog(std::string_view prefix);
// True for prefix "x-cloud-", or "logging.googleapis.com/".
bool IsCloudContext(std::string_view prefix);
bool IsGoogleApis(std::string_view prefix);

}  // namespace throughline::keys
