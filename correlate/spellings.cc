#include "correlate/spellings.h"

#include <cstring>

#include "correlate/digits.h"
#include "correlate/hash.h"

namespace throughline::spellings {
namespace {

using digits::IsDecimal;

constexpr std::string_view kAllZero = "all zero";
constexpr std::string_view kSpanDropped = "the span id was dropped: not 16 hex digits, or zero";

Resolved Valid(TraceId id, Spelling spelling) {
  if (!id.IsValid()) return Refused(kAllZero);
  Resolved resolved;
  resolved.trace_id = id;
  resolved.spelling = spelling;
  return resolved;
}

bool ParseHex32(std::string_view text, TraceId& id) {
  return text.size() == 32 && digits::ParseHex16(text.data(), id.high) &&
         digits::ParseHex16(text.data() + 16, id.low);
}

// 16 or 32 digits; `stripped` also any other count up to 32, where senders drop leading zeros.
bool ParseHexId(std::string_view text, bool stripped, TraceId& id) {
  if (text.size() == 32) return ParseHex32(text, id);
  if (text.empty() || text.size() > 32) return false;
  if (text.size() != 16 && !stripped) return false;
  const std::size_t above = text.size() > 16 ? text.size() - 16 : 0;
  if (above > 0 && !digits::ParseHex(text.substr(0, above), id.high)) return false;
  return digits::ParseHex(text.substr(above), id.low);
}

// True if one of the 55 bytes, which are hex digits and dashes, is an upper-case letter: only these
// have bit 6 and not bit 5.
bool HasUpper(const char* text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  std::uint64_t upper = 0;
  for (const std::size_t at : {0U, 8U, 16U, 24U, 32U, 40U, 47U}) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text + at, sizeof bytes);
    upper |= bytes & ~(bytes << 1U) & (0x40 * kOnes);
  }
  return upper != 0;
}

// Takes off the text before the next `delimiter`, and the delimiter.
std::string_view TakeField(std::string_view& rest, char delimiter) {
  const std::size_t at = rest.find(delimiter);
  const std::string_view field = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return field;
}

void SetSpan(std::string_view text, Resolved& resolved) {
  if (text.size() != 16 || !digits::ParseHex16(text.data(), resolved.span_id.value) ||
      resolved.span_id.value == 0) {
    resolved.span_id = {};
    resolved.reason = kSpanDropped;
  }
}

Resolved ParseFullTraceparent(std::string_view text, Rigour rigour) {
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return Refused("not a traceparent");
  std::uint64_t version = 0;
  std::uint64_t flags = 0;
  TraceId id;
  SpanId span;
  if (!digits::ParseHex(text.substr(0, 2), version) || !ParseHex32(text.substr(3, 32), id) ||
      !digits::ParseHex16(text.data() + 36, span.value) ||
      !digits::ParseHex(text.substr(53, 2), flags)) {
    return Refused("traceparent with digits that are not hex");
  }
  if (rigour == Rigour::kStrict && HasUpper(text.data())) {
    return Refused("traceparent in upper case");
  }
  if (version == 0xff) return Refused("traceparent version ff");
  if (text.size() > 55 && (version == 0 || text[55] != '-')) {
    return Refused("traceparent with trailing text");
  }
  if (!span.IsValid()) return Refused("traceparent with a zero parent id");
  Resolved resolved = Valid(id, Spelling::kTraceparent);
  if (!resolved.IsValid()) return resolved;
  resolved.span_id = span;
  resolved.sampled = (flags & 1U) != 0 ? Sampled::kYes : Sampled::kNo;
  return resolved;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// 1-8-24.
bool ParseXRayId(std::string_view text, TraceId& id) {
  if (text.size() != 35 || text[0] != '1' || text[1] != '-' || text[10] != '-') return false;
  std::uint32_t seconds = 0;
  std::uint32_t next = 0;
  if (!digits::ParseHex8(text.data() + 2, seconds) || !digits::ParseHex8(text.data() + 11, next)) {
    return false;
  }
  id.high = (std::uint64_t{seconds} << 32U) | next;
  return digits::ParseHex16(text.data() + 19, id.low);
}

// True for a.b.c as SkyWalking's agents make ids: process, thread, and time with a counter.
bool IsSegmentStyle(std::string_view text) {
  constexpr std::size_t kTimeDigits = 14;
  const std::string_view process = TakeField(text, '.');
  const std::string_view thread = TakeField(text, '.');
  if (!digits::AllDecimal(thread) || thread.size() > 10) return false;
  if (!digits::AllDecimal(text) || text.size() < kTimeDigits || text.size() > 20) return false;
  return (process.size() == 32 && digits::AllHex(process)) ||
         (process.size() <= 10 && digits::AllDecimal(process));
}

// The alias of an id that is no number. The seeds are for ever: aliases are stored.
Resolved Alias(std::string_view text) {
  TraceId id;
  id.high = HashBytes(text, 0x736b79776c6b696eULL);
  id.low = HashBytes(text, 0x6f70617175652d69ULL);
  if (id.high == 0) id.high = 1;
  if (id.low == 0) id.low = 1;
  return Valid(id, Spelling::kOpaque);
}

// {sample}-{trace}-{segment}-{span}-{service}-{instance}-{endpoint}-{peer}, the texts in base64.
bool ParseSw8(std::string_view text, char* trace, std::size_t& size) {
  constexpr std::size_t kFields = 8;
  std::string_view fields[kFields];
  for (std::size_t i = 0; i < kFields; ++i) {
    if (text.empty()) return false;
    fields[i] = TakeField(text, '-');
  }
  if (!text.empty() || (fields[0] != "0" && fields[0] != "1")) return false;
  const std::string_view encoded = fields[1];
  if (encoded.size() % 4 != 0 || encoded.size() > 128) return false;
  size = encoded.size() / 4 * 3;
  if (encoded.ends_with("==")) {
    size -= 2;
  } else if (encoded.ends_with('=')) {
    size -= 1;
  }
  return size > 0 && DecodeBase64(encoded, trace, size);
}

}  // namespace

Resolved ParseTraceparent(std::string_view text, Rigour rigour) {
  constexpr std::size_t kFullSize = 55;
  if (text.size() >= kFullSize) return ParseFullTraceparent(text, rigour);
  // The short form, as tutorials print it: all four fields, the ids not of full length.
  std::string_view rest = text;
  const std::string_view version = TakeField(rest, '-');
  const std::string_view trace = TakeField(rest, '-');
  const std::string_view span = TakeField(rest, '-');
  std::uint64_t flags = 0;
  TraceId id;
  if (version != "00" || rest.size() != 2 || !digits::ParseHex(rest, flags) ||
      !digits::AllHex(span) || span.size() > 16) {
    return Refused("not a traceparent");
  }
  if (!ParseHexId(trace, rigour == Rigour::kLenient, id)) {
    return Refused("traceparent whose trace id has neither 16 nor 32 hex digits");
  }
  Resolved resolved = Valid(id, Spelling::kTraceparentShort);
  if (!resolved.IsValid()) return resolved;
  resolved.sampled = (flags & 1U) != 0 ? Sampled::kYes : Sampled::kNo;
  SetSpan(span, resolved);
  return resolved;
}

Resolved ParseB3(std::string_view text) {
  std::string_view rest = text;
  const std::string_view trace = TakeField(rest, '-');
  const std::string_view span = TakeField(rest, '-');
  const std::string_view state = TakeField(rest, '-');
  TraceId id;
  SpanId span_id;
  if (!ParseHexId(trace, false, id) || span.size() != 16 ||
      !digits::ParseHex16(span.data(), span_id.value) || !span_id.IsValid()) {
    return Refused("not a b3 header");
  }
  if (!rest.empty() && (rest.size() != 16 || !digits::AllHex(rest))) {
    return Refused("b3 header with a bad parent");
  }
  Sampled sampled = Sampled::kUnknown;
  if (state == "0") {
    sampled = Sampled::kNo;
  } else if (state == "1" || state == "d") {
    sampled = Sampled::kYes;
  } else if (!state.empty()) {
    return Refused("b3 header with a bad sampling state");
  }
  Resolved resolved = Valid(id, Spelling::kB3);
  if (!resolved.IsValid()) return resolved;
  resolved.span_id = span_id;
  resolved.sampled = sampled;
  return resolved;
}

Resolved ParseUberTraceId(std::string_view text) {
  constexpr std::size_t kMaxSize = 3 * 32;
  char plain[kMaxSize];
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (size == kMaxSize) return Refused("not an uber-trace-id");
    const std::string_view at = text.substr(i, 3);
    const bool encoded = at == "%3A" || at == "%3a";
    plain[size++] = encoded ? ':' : text[i];
    if (encoded) i += 2;
  }
  std::string_view rest(plain, size);
  const std::string_view trace = TakeField(rest, ':');
  const std::string_view span = TakeField(rest, ':');
  const std::string_view parent = TakeField(rest, ':');
  std::uint64_t flags = 0;
  std::uint64_t unused = 0;
  TraceId id;
  SpanId span_id;
  if (!ParseHexId(trace, true, id) || !digits::ParseHex(span, span_id.value) ||
      (!parent.empty() && !digits::ParseHex(parent, unused)) || rest.size() > 4 ||
      !digits::ParseHex(rest, flags)) {
    return Refused("not an uber-trace-id");
  }
  Resolved resolved = Valid(id, Spelling::kUberTraceId);
  if (!resolved.IsValid()) return resolved;
  resolved.span_id = span_id;
  if (!span_id.IsValid()) resolved.reason = kSpanDropped;
  resolved.sampled = (flags & 1U) != 0 ? Sampled::kYes : Sampled::kNo;
  return resolved;
}

Resolved ParseXRay(std::string_view text) {
  TraceId id;
  if (ParseXRayId(text.substr(0, 35), id)) {
    if (text.size() > 35 && (text[35] != '@' || text.size() != 35 + 1 + 16)) {
      return Refused("x-ray id with trailing text");
    }
    Resolved resolved = Valid(id, Spelling::kXRay);
    if (resolved.IsValid() && text.size() > 35) SetSpan(text.substr(36), resolved);
    return resolved;
  }
  std::string_view root;
  std::string_view parent;
  std::string_view sampled;
  while (!text.empty()) {
    std::string_view value = Trim(TakeField(text, ';'));
    const std::string_view key = TakeField(value, '=');
    if (digits::EqualFold(key, "root")) root = value;
    if (digits::EqualFold(key, "parent")) parent = value;
    if (digits::EqualFold(key, "sampled")) sampled = value;
  }
  if (root.empty()) return Refused("x-ray header without Root");
  if (!ParseXRayId(root, id)) return Refused("x-ray root that is not 1-8-24 hex digits");
  Resolved resolved = Valid(id, Spelling::kXRay);
  if (!resolved.IsValid()) return resolved;
  if (!parent.empty()) SetSpan(parent, resolved);
  if (sampled == "0") resolved.sampled = Sampled::kNo;
  if (sampled == "1") resolved.sampled = Sampled::kYes;
  return resolved;
}

Resolved ParseGcp(std::string_view text) {
  constexpr std::string_view kTraces = "/traces/";
  TraceId id;
  if (const std::size_t at = text.rfind(kTraces); at != std::string_view::npos) {
    const std::size_t projects = text.find("projects/");
    if (projects > at || at < projects + 10) return Refused("not projects/P/traces/ID");
    if (!ParseHex32(text.substr(at + kTraces.size()), id)) {
      return Refused("the last part of the path is not 32 hex digits");
    }
    return Valid(id, Spelling::kGcp);
  }
  std::string_view options = text;
  std::string_view span = TakeField(options, ';');
  const std::string_view trace = TakeField(span, '/');
  if (!ParseHex32(trace, id) || (span.empty() && options.empty())) {
    return Refused("not ID/SPAN;o=1");
  }
  Resolved resolved = Valid(id, Spelling::kGcp);
  if (!resolved.IsValid()) return resolved;
  resolved.span_id = ResolveSpanIdLoose(span, true);
  if (!span.empty() && !resolved.span_id.IsValid() && !digits::AllDecimal(span)) {
    return Refused("not ID/SPAN;o=1");
  }
  if (options == "o=0") resolved.sampled = Sampled::kNo;
  if (options == "o=1") resolved.sampled = Sampled::kYes;
  return resolved;
}

Resolved ParseSleuth(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return Refused("not [app,trace,span]");
  }
  std::string_view rest = text.substr(1, text.size() - 2);
  TraceId id;
  SpanId span;
  if (rest.size() == 49 && rest[32] == '-') {
    if (!ParseHex32(rest.substr(0, 32), id) || !digits::ParseHex16(rest.data() + 33, span.value)) {
      return Refused("not [trace-span]");
    }
  } else {
    TakeField(rest, ',');
    const std::string_view trace = TakeField(rest, ',');
    const std::string_view span_text = TakeField(rest, ',');
    if (!ParseHexId(trace, false, id) || span_text.size() != 16 ||
        !digits::ParseHex16(span_text.data(), span.value) ||
        (!rest.empty() && rest != "true" && rest != "false")) {
      return Refused("not [app,trace,span]");
    }
  }
  Resolved resolved = Valid(id, Spelling::kSleuth);
  if (!resolved.IsValid()) return resolved;
  resolved.span_id = span;
  if (!span.IsValid()) resolved.reason = kSpanDropped;
  if (rest == "true") resolved.sampled = Sampled::kYes;
  if (rest == "false") resolved.sampled = Sampled::kNo;
  return resolved;
}

Resolved ParseRequestId(std::string_view text) {
  TraceId id;
  if (text.size() < 34 || text[0] != '|' || text[33] != '.' ||
      !ParseHex32(text.substr(1, 32), id)) {
    return Refused("not |trace.span.");
  }
  Resolved resolved = Valid(id, Spelling::kRequestId);
  if (!resolved.IsValid()) return resolved;
  std::string_view rest = text.substr(34);
  const std::string_view span = rest.substr(0, rest.find_first_of("._"));
  if (span.size() == 16 && digits::ParseHex16(span.data(), resolved.span_id.value)) return resolved;
  return resolved;  // A local id of another kind, which names no span.
}

Resolved ParseOpaque(std::string_view text, Rigour rigour) {
  if (IsSegmentStyle(text)) return Alias(text);
  char trace[96];
  std::size_t size = 0;
  if (ParseSw8(text, trace, size)) return Alias({trace, size});
  if (rigour == Rigour::kLenient && !text.empty()) return Alias(text);
  return Refused("not a SkyWalking id");
}

Resolved ParseUuid(std::string_view text) {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
      text[23] != '-') {
    return Refused("not a uuid");
  }
  char plain[32];
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i != 8 && i != 13 && i != 18 && i != 23) plain[size++] = text[i];
  }
  TraceId id;
  if (!ParseHex32({plain, size}, id)) return Refused("uuid with digits that are not hex");
  return Valid(id, Spelling::kUuid);
}

}  // namespace throughline::spellings
