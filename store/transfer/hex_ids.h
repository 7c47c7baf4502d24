// Ids as export writes them, and nothing else: 32 or 16 hexadecimal digits.
#pragma once

#include <string_view>

#include "correlate/digits.h"
#include "correlate/trace_id.h"

namespace throughline::store::transfer {

// False: it is something else. All zero is no id, and fine.
inline bool ReadHex(std::string_view text, TraceId& id) {
  return text.size() == 32 && digits::ParseHex16(text.data(), id.high) &&
         digits::ParseHex16(text.data() + 16, id.low);
}
inline bool ReadHex(std::string_view text, SpanId& id) {
  return text.size() == 16 && digits::ParseHex16(text.data(), id.value);
}

}  // namespace throughline::store::transfer
