#include "correlate/ids.h"

#include <algorithm>
#include <iterator>

#include "correlate/digits.h"
#include "correlate/numbered.h"
#include "correlate/spellings.h"

namespace throughline {
namespace {

using spellings::Refused;
using spellings::Rigour;

// Longer than the longest spelling: an X-Ray header with its lineage, a sw8 header.
constexpr std::size_t kMaxIdBytes = 1024;

constexpr std::string_view kAllZero = "all zero";
constexpr std::string_view kNotAnId = "not a trace id in any spelling";
constexpr NumberedReasons kHexDigits(" hex digits, want 16 or 32");
constexpr NumberedReasons kTraceBytes(" bytes, want 16");
constexpr NumberedReasons kTraceText(" characters, want 32 hex digits");
constexpr NumberedReasons kSpanBytes(" bytes, want 8");
constexpr NumberedReasons kSpanText(" characters, want 16 hex digits");

Resolved Valid(TraceId id, Spelling spelling) {
  if (!id.IsValid()) return Refused(kAllZero);
  Resolved resolved;
  resolved.trace_id = id;
  resolved.spelling = spelling;
  return resolved;
}

std::string_view WithoutHexPrefix(std::string_view text) {
  return text.starts_with("0x") || text.starts_with("0X") ? text.substr(2) : text;
}

// `text` is not all hex digits, or of a size that is refused: why?
Resolved RefusedDigits(std::string_view text) {
  if (text.find_first_not_of('0') == std::string_view::npos) return Refused(kAllZero);
  return digits::AllHex(text) ? Refused(kHexDigits.For(text.size())) : Refused(kNotAnId);
}

// Exactly 16 or 32 digits.
Resolved ResolveFullHex(std::string_view text) {
  TraceId id;
  if (text.size() == 32 && digits::ParseHex16(text.data(), id.high) &&
      digits::ParseHex16(text.data() + 16, id.low)) {
    return Valid(id, Spelling::kHex32);
  }
  if (text.size() == 16 && digits::ParseHex16(text.data(), id.low)) {
    return Valid(id, Spelling::kHex64);
  }
  return RefusedDigits(text);
}

// Any number of digits up to 32: senders strip leading zeros.
Resolved ResolveAnyHex(std::string_view text) {
  if (text.size() == 32 || text.size() == 16) return ResolveFullHex(text);
  TraceId id;
  if (text.size() < 16) {
    if (!digits::ParseHex(text, id.low)) return RefusedDigits(text);
    return Valid(id, Spelling::kHex64);
  }
  if (text.size() > 32 || !digits::ParseHex(text.substr(0, text.size() - 16), id.high) ||
      !digits::ParseHex(text.substr(text.size() - 16), id.low)) {
    return RefusedDigits(text);
  }
  return Valid(id, Spelling::kHexStripped);
}

Resolved ResolveDecimal(std::string_view text) {
  TraceId id;
  if (!digits::ParseDecimal(text, id.low)) return Refused("a decimal id that 64 bits do not hold");
  return Valid(id, Spelling::kDecimal);
}

// Under Datadog's keys digits are decimal, unless there are 32 of them.
Resolved ResolveDatadog(std::string_view text) {
  if (text.size() <= 20 && digits::AllDecimal(text)) return ResolveDecimal(text);
  return ResolveFullHex(WithoutHexPrefix(text));
}

// Under a trace key a line may also hold a whole header or path.
Resolved ResolveStructured(std::string_view text) {
  if (text.find('\\') != std::string_view::npos) return spellings::ParseEscapedBytes(text);
  if (text.size() == 36 && text[8] == '-') return spellings::ParseUuid(text);
  if (text.size() >= 55 && text[2] == '-') {
    return spellings::ParseTraceparent(text, Rigour::kStrict);
  }
  if (text.starts_with("1-") || text.find('=') != std::string_view::npos) {
    if (Resolved resolved = spellings::ParseXRay(text); resolved.IsValid()) return resolved;
  }
  if (text.find('/') != std::string_view::npos) return spellings::ParseGcp(text);
  if (const std::size_t colon = text.find_first_of(":%"); colon == 16 || colon == 32) {
    return spellings::ParseUberTraceId(text);
  }
  if (text.find('.') != std::string_view::npos) {
    return spellings::ParseOpaque(text, Rigour::kStrict);
  }
  return RefusedDigits(text);
}

// A typed field may also hold what broken senders write.
Resolved ResolveBroken(std::string_view text) {
  if (text.size() == 64) return spellings::ParseDoubleHex(text);
  return spellings::ParseBase64(text);
}

Resolved ResolveUnderTraceKey(std::string_view text, Strictness strictness) {
  Resolved resolved = ResolveFullHex(WithoutHexPrefix(text));
  if (resolved.IsValid() || resolved.reason == kAllZero) return resolved;
  if (strictness == Strictness::kField) {
    if (Resolved broken = ResolveBroken(text); broken.IsValid()) return broken;
  }
  if (resolved.reason == kNotAnId) return ResolveStructured(text);
  return resolved;
}

// As the key says, in a field or a line.
Resolved ResolveKeyed(std::string_view text, Strictness strictness, KeyKind key) {
  switch (key) {
    case KeyKind::kNone:
    case KeyKind::kTraceId: return ResolveUnderTraceKey(text, strictness);
    case KeyKind::kDatadog: return ResolveDatadog(text);
    case KeyKind::kTraceparent: return spellings::ParseTraceparent(text, Rigour::kStrict);
    case KeyKind::kB3: return spellings::ParseB3(text);
    case KeyKind::kUberTraceId: return spellings::ParseUberTraceId(text);
    case KeyKind::kXRay: return spellings::ParseXRay(text);
    case KeyKind::kGcp: return spellings::ParseGcp(text);
    case KeyKind::kRequestId: return spellings::ParseRequestId(text);
    case KeyKind::kOpaque: return spellings::ParseOpaque(text, Rigour::kStrict);
  }
  return Refused(kNotAnId);
}

// What people paste around an id.
std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kAround = " \t\r\n\"'`";
  const std::size_t begin = text.find_first_not_of(kAround);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kAround) - begin + 1);
}

// The whole table but digits.
Resolved LookupStructured(std::string_view text) {
  using Parser = Resolved (*)(std::string_view);
  constexpr Parser kParsers[] = {
      spellings::ParseUuid,
      [](std::string_view value) { return spellings::ParseTraceparent(value, Rigour::kLenient); },
      spellings::ParseXRay,
      spellings::ParseB3,
      spellings::ParseUberTraceId,
      spellings::ParseGcp,
      spellings::ParseSleuth,
      spellings::ParseRequestId,
      [](std::string_view value) { return spellings::ParseOpaque(value, Rigour::kStrict); },
      spellings::ParseEscapedBytes,
      spellings::ParseBase64,
  };
  for (const Parser parse : kParsers) {
    if (Resolved resolved = parse(text); resolved.IsValid()) return resolved;
  }
  return RefusedDigits(text);
}

constexpr std::size_t kMaxReadings = 2;

// Writes the readings of `text`, the likeliest first, and returns how many; 0: `out[0]` says why.
std::size_t Readings(std::string_view text, Resolved (&out)[kMaxReadings]) {
  text = Trimmed(text);
  if (text.empty() || text.size() > kMaxIdBytes) {
    out[0] = Refused(text.empty() ? "empty" : "longer than 1024 bytes");
    return 0;
  }
  const std::string_view hex = WithoutHexPrefix(text);
  const bool all_hex = digits::AllHex(hex);
  if (!all_hex || hex.size() > 32) {
    out[0] = all_hex && hex.size() == 64 ? spellings::ParseDoubleHex(hex) : LookupStructured(text);
    return out[0].IsValid() ? 1 : 0;
  }
  out[0] = ResolveAnyHex(hex);
  if (!out[0].IsValid()) return 0;
  if (hex.size() < text.size() || hex.size() < 10 || !digits::AllDecimal(hex)) return 1;
  out[1] = hex.size() <= 20 ? ResolveDecimal(hex) : Refused(kNotAnId);
  if (!out[1].IsValid()) return 1;
  // Nearly all Datadog ids have 17 to 20 digits; hex ids of that length are rare.
  if (hex.size() > 16) std::swap(out[0], out[1]);
  return 2;
}

}  // namespace

std::string_view SpellingName(Spelling spelling) {
  switch (spelling) {
    case Spelling::kNone: return "none";
    case Spelling::kHex32: return "hex32";
    case Spelling::kHexStripped: return "hex_stripped";
    case Spelling::kHex64: return "hex64";
    case Spelling::kDecimal: return "decimal";
    case Spelling::kUuid: return "uuid";
    case Spelling::kTraceparent: return "traceparent";
    case Spelling::kTraceparentShort: return "traceparent_short";
    case Spelling::kB3: return "b3";
    case Spelling::kUberTraceId: return "uber_trace_id";
    case Spelling::kXRay: return "xray";
    case Spelling::kGcp: return "gcp";
    case Spelling::kDoubleHex: return "double_hex";
    case Spelling::kBase64: return "base64";
    case Spelling::kAsciiHexBytes: return "ascii_hex_bytes";
    case Spelling::kEscapedBytes: return "escaped_bytes";
    case Spelling::kSleuth: return "sleuth";
    case Spelling::kRequestId: return "request_id";
    case Spelling::kOpaque: return "opaque";
    case Spelling::kBytes: return "bytes";
  }
  return "none";
}

bool SaysNoId(std::string_view text) {
  constexpr std::string_view kNames[] = {"", "-", "null", "none", "nil", "undefined", "N/A", "n/a"};
  return std::find(std::begin(kNames), std::end(kNames), text) != std::end(kNames);
}

Resolved Resolve(std::string_view text, Strictness strictness, KeyKind key) {
  if (strictness == Strictness::kLookup) {
    if (key == KeyKind::kDatadog) {
      if (Resolved datadog = ResolveDatadog(Trimmed(text)); datadog.IsValid()) return datadog;
    }
    if (key == KeyKind::kOpaque && text.size() <= kMaxIdBytes) {
      return spellings::ParseOpaque(Trimmed(text), Rigour::kLenient);
    }
    Resolved readings[kMaxReadings];
    Readings(text, readings);
    return readings[0];
  }
  if (text.empty()) return Refused("empty");
  if (text.size() > kMaxIdBytes) return Refused("longer than 1024 bytes");
  return ResolveKeyed(text, strictness, key);
}

std::vector<Resolved> ResolveAll(std::string_view text) {
  Resolved readings[kMaxReadings];
  const std::size_t count = Readings(text, readings);
  return {readings, readings + count};
}

Resolved ResolveTraceIdBytes(std::string_view bytes) {
  if (bytes.size() == 16) return Valid(TraceIdFromBytes(bytes.data()), Spelling::kBytes);
  if (bytes.size() == 32) {
    Resolved resolved = ResolveFullHex(bytes);
    if (resolved.IsValid()) {
      resolved.spelling = Spelling::kAsciiHexBytes;
      resolved.repaired = true;
      return resolved;
    }
  }
  return Refused(bytes.empty() ? "empty" : kTraceBytes.For(bytes.size()));
}

Resolved ResolveTraceIdText(std::string_view text) {
  if (text.empty()) return Refused("empty");
  if (text.size() == 32) return ResolveFullHex(text);
  Resolved resolved = ResolveBroken(text);
  if (resolved.IsValid() || resolved.reason == kAllZero) return resolved;
  return Refused(kTraceText.For(text.size()));
}

ResolvedSpan ResolveSpanIdBytes(std::string_view bytes) {
  ResolvedSpan resolved;
  if (bytes.size() == 8) {
    resolved.span_id = SpanIdFromBytes(bytes.data());
  } else if (bytes.size() == 16 && digits::ParseHex16(bytes.data(), resolved.span_id.value)) {
    resolved.repaired = resolved.span_id.IsValid();
  } else {
    resolved.reason = bytes.empty() ? "empty" : kSpanBytes.For(bytes.size());
    return resolved;
  }
  if (!resolved.span_id.IsValid()) resolved.reason = kAllZero;
  return resolved;
}

ResolvedSpan ResolveSpanIdText(std::string_view text) {
  ResolvedSpan resolved;
  char bytes[8];
  if (text.size() == 16 && digits::ParseHex16(text.data(), resolved.span_id.value)) {
    if (!resolved.span_id.IsValid()) resolved.reason = kAllZero;
  } else if (!digits::AllHex(text) && spellings::DecodeBase64(text, bytes, sizeof bytes)) {
    resolved.span_id = SpanIdFromBytes(bytes);
    resolved.repaired = resolved.span_id.IsValid();
    if (!resolved.repaired) resolved.reason = kAllZero;
  } else if (text.size() == 16) {
    resolved.reason = "a character that is not a hex digit";
  } else {
    resolved.reason = text.empty() ? "empty" : kSpanText.For(text.size());
  }
  return resolved;
}

SpanId ResolveSpanIdLoose(std::string_view text, bool decimal) {
  SpanId span;
  if (decimal && digits::ParseDecimal(text, span.value)) return span;
  if (decimal && text.size() != 16) return {};
  if (!digits::ParseHex(WithoutHexPrefix(text), span.value)) return {};
  return span;
}

}  // namespace throughline
