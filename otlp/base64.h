// Base64 to bytes, as JSON spells bytes fields: both alphabets, with or without padding.
// Source: RFC 4648, sections 4 and 5; protobuf.dev/programming-guides/json, "bytes".
#pragma once

#include <string>
#include <string_view>

namespace throughline::otlp {

// Replaces `bytes`. False: `text` is not base64, and `bytes` is what was read so far.
bool DecodeBase64(std::string_view text, std::string& bytes);

}  // namespace throughline::otlp
