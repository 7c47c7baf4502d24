#include "correlate/find.h"

#include <algorithm>

#include "correlate/digits.h"
#include "correlate/find_key.h"
#include "correlate/find_scan.h"
#include "correlate/find_text.h"
#include "correlate/spellings.h"

namespace throughline {
namespace {

using Run = LineText::Run;
using Value = LineText::Value;

// Longer values are refused without a look; the longest are sw8 and X-Ray headers.
constexpr std::size_t kMaxValueBytes = 192;
constexpr std::size_t kMaxHeaderBytes = 1024;
constexpr std::size_t kMaxSpanNotes = 2 * kMaxFound;

bool IsQuoteEnd(char c) { return c == '"' || c == '\'' || c == '`' || c == '\\'; }

// Judges the places that the scan offers and collects what stands there.
class Finder final : public AnchorVisitor {
 public:
  Finder(std::string_view line, FoundIds& out) : text_(line), out_(out) {
    out_.count = 0;
    out_.sampled = Sampled::kUnknown;
  }

  std::size_t Visit(std::size_t at) override;
  // Gives the spans to their traces. After the scan.
  void Finish();

 private:
  // A span id beside: whose it is can be said at the end of the line only.
  struct SpanNote {
    std::size_t begin;
    std::size_t end;
    SpanId hex;  // Valid where the text is 16 hex digits.
    bool datadog;
  };

  void VisitTrace(std::size_t at);
  void VisitTraceId(std::size_t at, std::size_t end);
  void VisitTraceSampled(std::size_t name_begin, std::size_t name_end);
  void VisitSpan(std::size_t at);
  void VisitB3(std::size_t at);
  void VisitOpaque(std::size_t at);
  void VisitGcpPath(std::size_t at);
  void VisitDash(std::size_t at);
  void VisitSleuth(std::size_t at);
  void VisitBracket(std::size_t at);
  void VisitRequestId(std::size_t at);

  void TryName(KeyKind kind, std::size_t begin, std::size_t name_end, std::size_t value_after);
  void TryEscapedBytes(KeyKind kind, std::string_view name, Value value);
  bool TryShape(const Value& value, const Resolved& resolved);
  void AddLambdaSegment(std::size_t at);
  Found& Append(const Value& value, FoundBy found_by, std::string_view key);
  void Add(const Value& value, const Resolved& resolved, FoundBy found_by, std::string_view key);

  SpanId SpanOf(const SpanNote& note, const Found& found) const;
  void GiveSpan(const SpanNote& note);
  void DropRepeated();
  bool IsJsonField(const Found& found) const;
  void PutFieldsFirst();

  LineText text_;
  FoundIds& out_;
  std::size_t resume_ = 0;         // Places before this are inside a value that was found.
  SpanNote spans_[kMaxSpanNotes];  // The first span_count_; the rest is never read.
  std::size_t span_count_ = 0;
  bool said_unsampled_ = false;
};

std::size_t Finder::Visit(std::size_t at) {
  switch (text_.At(at)) {
    case 't':
    case 'T':
      if (text_.IsName(at, "trace")) {
        VisitTrace(at);
      } else {
        VisitOpaque(at);
      }
      break;
    case 's':
    case 'S':
      if (text_.IsName(at, "span")) {
        VisitSpan(at);
      } else {
        VisitOpaque(at);
      }
      break;
    case 'b':
    case 'B': VisitB3(at); break;
    case '-': VisitDash(at); break;
    case ',': VisitSleuth(at); break;
    case '[': VisitBracket(at); break;
    case '|': VisitRequestId(at); break;
    default: break;
  }
  return out_.count < kMaxFound ? resume_ : kEnough;
}

void Finder::VisitTrace(std::size_t at) {
  constexpr std::size_t kNameBytes = 5;
  std::size_t end = at + kNameBytes;
  for (int i = 0; i < 2 && keys::IsSeparator(text_.At(end)); ++i) ++end;
  if (text_.IsName(end, "id")) return VisitTraceId(at, end + 2);

  const std::size_t begin = text_.NameBegin(at);
  const std::string_view prefix = text_.line().substr(begin, at - begin);
  if (text_.IsName(end, "parent")) {
    end += 6;
    if (!text_.IsNameEnd(end)) return;
    if (keys::TraceIdKind(prefix, text_.At(at)) == KeyKind::kNone) return;
    return TryName(KeyKind::kTraceparent, begin, end, end);
  }
  if (text_.IsName(end, "sampled")) return VisitTraceSampled(begin, end + 7);
  if (text_.IsName(end, "context") && keys::IsCloudContext(prefix)) {
    return TryName(KeyKind::kTraceId, begin, end + 7, end + 7);
  }
  end = at + kNameBytes;
  if (text_.IsWord(end, "s/")) return VisitGcpPath(at);
  if (keys::IsGoogleApis(prefix) && text_.IsNameEnd(end)) {
    return TryName(KeyKind::kTraceId, begin, end, end);
  }
  if (const std::size_t id = text_.NestedIdEnd(end); prefix.empty() && id != LineText::kNowhere) {
    TryName(KeyKind::kTraceId, begin, end, id);
  }
}

void Finder::VisitTraceId(std::size_t at, std::size_t end) {
  const std::size_t begin = text_.NameBegin(at);
  const std::string_view prefix = text_.line().substr(begin, at - begin);
  if (!text_.IsNameEnd(end)) return;
  // "stack trace id 42", in words.
  if (prefix.empty() && at >= 6 && text_.At(at - 1) == ' ' && text_.IsWord(at - 6, "stack")) return;
  const KeyKind kind = keys::TraceIdKind(prefix, text_.At(at));
  if (kind != KeyKind::kNone) TryName(kind, begin, end, end);
}

void Finder::VisitTraceSampled(std::size_t name_begin, std::size_t name_end) {
  Value value;
  if (!text_.IsNameEnd(name_end)) return;
  if (!text_.ValueAfter(name_begin, name_end, Run::kValue, value)) return;
  const std::string_view said = text_.Slice(value);
  if (said == "0" || digits::EqualFold(said, "false")) said_unsampled_ = true;
}

void Finder::VisitSpan(std::size_t at) {
  constexpr std::size_t kNameBytes = 4;
  constexpr std::size_t kMaxDigits = 20;
  if (span_count_ == kMaxSpanNotes) return;
  std::size_t end = at + kNameBytes;
  for (int i = 0; i < 2 && keys::IsSeparator(text_.At(end)); ++i) ++end;
  if (text_.IsName(end, "id")) {
    end += 2;
    if (!text_.IsNameEnd(end)) return;
  } else {
    end = text_.NestedIdEnd(at + kNameBytes);
    if (end == LineText::kNowhere) return;
  }
  const std::size_t begin = text_.NameBegin(at);
  const std::string_view prefix = text_.line().substr(begin, at - begin);
  Value value;
  if (!keys::IsSpanIdPrefix(prefix, text_.At(at)) || !text_.FindValue(begin, end, value)) return;
  SpanId hex;
  if (!text_.ReadHex16(value, hex) &&
      (!text_.MeasureValue(Run::kValue, value) || value.size() > kMaxDigits)) {
    return;
  }
  SpanNote& note = spans_[span_count_++];
  note.begin = value.begin;
  note.end = value.end;
  note.hex = hex;
  note.datadog = keys::IsDatadog(prefix);
}

void Finder::VisitB3(std::size_t at) {
  const std::size_t begin = text_.NameBegin(at);
  if (begin < at && !keys::IsSeparator(text_.At(at - 1))) return;
  const std::size_t end = at + 2;
  if (text_.IsWord(end, "-sampled")) {
    Value value;
    if (text_.ValueAfter(begin, end + 8, Run::kValue, value) && text_.Slice(value) == "0") {
      said_unsampled_ = true;
    }
    return;
  }
  if (text_.IsNameEnd(end)) TryName(KeyKind::kB3, begin, end, end);
}

// sw8 and TID.
void Finder::VisitOpaque(std::size_t at) {
  if (text_.NameBegin(at) == at && text_.IsNameEnd(at + 3)) {
    TryName(KeyKind::kOpaque, at, at + 3, at + 3);
  }
}

// `at` is at the "traces/" of projects/P/traces/ID.
void Finder::VisitGcpPath(std::size_t at) {
  constexpr std::string_view kProjects = "projects/";
  constexpr std::size_t kMaxProjectBytes = 64;
  const std::string_view line = text_.line();
  if (at < kProjects.size() + 2 || line[at - 1] != '/') return;
  std::size_t begin = at - 1;
  const std::size_t limit = begin > kMaxProjectBytes ? begin - kMaxProjectBytes : 0;
  while (begin > limit && line[begin - 1] != '/' && line[begin - 1] > ' ') --begin;
  if (begin < kProjects.size() || !text_.IsWord(begin - kProjects.size(), kProjects)) return;
  Value value;
  value.begin = begin - kProjects.size();
  value.end = text_.ValueEnd(at, Run::kValue);
  if (value.size() > kMaxValueBytes) return;
  TryShape(value, spellings::ParseGcp(text_.Slice(value)));
}

// The first dash of a traceparent, or that of an X-Ray root.
void Finder::VisitDash(std::size_t at) {
  constexpr std::size_t kTraceparentSize = 55;
  if (at >= 2 && text_.At(at + 33) == '-' && text_.At(at + 50) == '-') {
    Value value{.begin = at - 2, .end = text_.ValueEnd(at, Run::kValue), .quoted = false};
    if (text_.IsDelimitedBefore(value.begin) && value.size() >= kTraceparentSize &&
        value.size() <= kMaxValueBytes &&
        TryShape(value, Resolve(text_.Slice(value), Strictness::kText, KeyKind::kTraceparent))) {
      return;
    }
  }
  if (at < 1 || text_.At(at - 1) != '1' || text_.At(at + 9) != '-') return;
  Value value{.begin = at - 1, .end = 0, .quoted = false};
  if (!text_.IsDelimitedBefore(value.begin)) return;
  if (value.begin >= 5 && text_.IsWord(value.begin - 5, "self=")) return;
  const bool is_header = value.begin >= 5 && text_.IsWord(value.begin - 5, "root=");
  if (is_header) value.begin -= 5;
  value.end = text_.ValueEnd(value.begin, is_header ? Run::kHeader : Run::kValue);
  if (value.size() > kMaxHeaderBytes) return;
  if (TryShape(value, spellings::ParseXRay(text_.Slice(value)))) AddLambdaSegment(value.end);
}

// The comma before the trace id in [app,trace,span].
void Finder::VisitSleuth(std::size_t at) {
  constexpr std::size_t kMaxAppBytes = 64;
  const std::string_view line = text_.line();
  const std::size_t trace = text_.At(at + 33) == ',' ? 32 : 16;
  std::size_t end = at + 1 + trace + 1 + 16;
  if (text_.IsWord(end, ",true")) end += 5;
  if (text_.IsWord(end, ",false")) end += 6;
  if (text_.At(end) != ']' || !digits::IsHex(line[at + 1])) return;
  std::size_t begin = at;
  const std::size_t limit = begin > kMaxAppBytes ? begin - kMaxAppBytes : 0;
  while (begin > limit && line[begin - 1] != '[' && line[begin - 1] != ',' &&
         line[begin - 1] != ']' && line[begin - 1] != '\n') {
    --begin;
  }
  if (begin == 0 || line[begin - 1] != '[') return;
  const Value value{.begin = begin - 1, .end = end + 1, .quoted = false};
  TryShape(value, spellings::ParseSleuth(text_.Slice(value)));
}

// Spring Boot 3's [trace-span].
void Finder::VisitBracket(std::size_t at) {
  constexpr std::size_t kSize = 1 + 32 + 1 + 16 + 1;
  if (text_.At(at + kSize - 1) != ']') return;
  const Value value{.begin = at, .end = at + kSize, .quoted = false};
  TryShape(value, spellings::ParseSleuth(text_.Slice(value)));
}

// |trace.span. is read beside its name only: logs separate fields by bars.
void Finder::VisitRequestId(std::size_t at) {
  constexpr std::size_t kMaxBetween = 8;
  constexpr std::string_view kBetween = " \t:='\"\\";
  const std::string_view line = text_.line();
  std::size_t end = at;
  const std::size_t limit = at > kMaxBetween ? at - kMaxBetween : 0;
  while (end > limit && kBetween.find(line[end - 1]) != std::string_view::npos) --end;
  const std::size_t begin = text_.NameBegin(end);
  const std::string_view name = line.substr(begin, end - begin);
  if (TraceKeyKind(name, {}) != KeyKind::kRequestId) return;
  const Value value{.begin = at, .end = text_.ValueEnd(at + 1, Run::kValue), .quoted = false};
  if (value.size() > kMaxValueBytes) return;
  const Resolved resolved = spellings::ParseRequestId(text_.Slice(value));
  if (resolved.IsValid()) Add(value, resolved, FoundBy::kKey, name);
}

// Reads the value that begins after `value_after`, which is `name_end` but in {"trace":{"id":...}}.
void Finder::TryName(KeyKind kind, std::size_t begin, std::size_t name_end,
                     std::size_t value_after) {
  const bool is_header = kind == KeyKind::kXRay;
  const std::string_view name = text_.line().substr(begin, name_end - begin);
  Value value;
  if (!text_.FindValue(begin, value_after, value)) return;
  TraceId hex;
  if ((kind == KeyKind::kTraceId || kind == KeyKind::kDatadog) && text_.ReadHex32(value, hex)) {
    if (!hex.IsValid()) return;
    Resolved& id = Append(value, FoundBy::kKey, name).id;
    id = {};
    id.trace_id = hex;
    id.spelling = Spelling::kHex32;
    return;
  }
  if (!text_.MeasureValue(is_header ? Run::kHeader : Run::kValue, value)) {
    TryEscapedBytes(kind, name, value);
    return;
  }
  const std::size_t limit =
      is_header || kind == KeyKind::kOpaque ? kMaxHeaderBytes : kMaxValueBytes;
  if (value.size() > limit) return;
  const std::string_view slice = text_.Slice(value);
  if (kind == KeyKind::kTraceId && slice.size() <= 20 && digits::AllDecimal(slice) &&
      text_.IsInDatadogObject(begin)) {
    kind = KeyKind::kDatadog;
  }
  const Resolved resolved = Resolve(slice, Strictness::kText, kind);
  if (!resolved.IsValid()) {
    TryEscapedBytes(kind, name, value);
    return;
  }
  Add(value, resolved, FoundBy::kKey, name);
  if (resolved.spelling == Spelling::kXRay) AddLambdaSegment(value.end);
}

// 16 raw bytes as program text: between quotes, or beginning with a backslash.
void Finder::TryEscapedBytes(KeyKind kind, std::string_view name, Value value) {
  if (kind != KeyKind::kTraceId || (!value.quoted && text_.At(value.begin) != '\\')) return;
  const std::size_t length = spellings::EscapedBytesLength(text_.line().substr(value.begin), 16);
  if (length == 0) return;
  value.end = value.begin + length;
  if (value.quoted ? !IsQuoteEnd(text_.At(value.end)) : !text_.IsValueEnd(value.end)) return;
  const Resolved resolved = spellings::ParseEscapedBytes(text_.Slice(value));
  if (resolved.IsValid()) Add(value, resolved, FoundBy::kKey, name);
}

bool Finder::TryShape(const Value& value, const Resolved& resolved) {
  if (!resolved.IsValid()) return false;
  Add(value, resolved, FoundBy::kShape, {});
  return true;
}

// AWS Lambda's report goes on with the segment: "XRAY TraceId: 1-... SegmentId: ... Sampled: true".
void Finder::AddLambdaSegment(std::size_t at) {
  const auto skip_space = [this](std::size_t from) {
    for (int i = 0; i < 4 && (text_.At(from) == ' ' || text_.At(from) == '\t'); ++i) ++from;
    return from;
  };
  Found& found = out_.ids[out_.count - 1];
  Value value;
  at = skip_space(at);
  if (!text_.IsWord(at, "segmentid")) return;
  if (!text_.ValueAfter(at, at + 9, Run::kValue, value) || value.size() != 16) return;
  found.id.span_id = ResolveSpanIdLoose(text_.Slice(value), false);
  at = skip_space(value.end);
  if (!text_.IsName(at, "sampled")) return;
  if (text_.ValueAfter(at, at + 7, Run::kValue, value) &&
      digits::EqualFold(text_.Slice(value), "false")) {
    found.id.sampled = Sampled::kNo;
  }
}

// The id itself is for the caller to fill in.
Found& Finder::Append(const Value& value, FoundBy found_by, std::string_view key) {
  Found& found = out_.ids[out_.count++];
  found.found_by = found_by;
  found.key = key;
  found.offset = value.begin;
  found.length = value.size();
  resume_ = value.end;
  return found;
}

void Finder::Add(const Value& value, const Resolved& resolved, FoundBy found_by,
                 std::string_view key) {
  Append(value, found_by, key).id = resolved;
}

// Invalid where the note is no span id for `found`. Datadog's are decimal; of others, some senders
// strip zeros, but what is much shorter is a counter.
SpanId Finder::SpanOf(const SpanNote& note, const Found& found) const {
  constexpr std::size_t kMinStripped = 12;
  if (note.hex.IsValid() && !note.datadog && found.id.spelling != Spelling::kDecimal) {
    return note.hex;
  }
  const std::string_view text = text_.line().substr(note.begin, note.end - note.begin);
  const bool decimal = note.datadog || found.id.spelling == Spelling::kDecimal || text.size() > 16;
  if (!decimal && text.size() < kMinStripped) return {};
  return ResolveSpanIdLoose(text, decimal);
}

// To the nearest trace id that has none yet; of two at one distance, to the one before.
void Finder::GiveSpan(const SpanNote& note) {
  Found* best = nullptr;
  SpanId best_span;
  std::size_t best_distance = 0;
  for (std::size_t i = 0; i < out_.count; ++i) {
    Found& found = out_.ids[i];
    if (found.id.span_id.IsValid()) continue;
    const bool is_before = found.offset < note.begin;
    const std::size_t distance =
        is_before ? note.begin - found.offset - found.length : found.offset - note.end;
    if (best != nullptr && distance >= best_distance) continue;
    const SpanId span = SpanOf(note, found);
    if (!span.IsValid()) continue;
    best = &found;
    best_span = span;
    best_distance = distance;
  }
  if (best != nullptr) best->id.span_id = best_span;
}

// One trace written twice is one id: the first keeps its place and takes the span of the second.
void Finder::DropRepeated() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < out_.count; ++i) {
    const Found& found = out_.ids[i];
    Found* const end = out_.ids + kept;
    Found* const same = std::find_if(out_.ids, end, [&found](const Found& earlier) {
      return earlier.id.trace_id == found.id.trace_id &&
             (earlier.id.span_id == found.id.span_id || !earlier.id.span_id.IsValid() ||
              !found.id.span_id.IsValid());
    });
    if (same == end) {
      if (kept != i) out_.ids[kept] = found;
      ++kept;
      continue;
    }
    if (!same->id.span_id.IsValid()) same->id.span_id = found.id.span_id;
    if (same->id.sampled == Sampled::kUnknown) same->id.sampled = found.id.sampled;
  }
  out_.count = kept;
}

// True when the key stands as JSON writes one: in quotes that are not escaped.
bool Finder::IsJsonField(const Found& found) const {
  if (found.key.empty()) return false;
  const auto begin = static_cast<std::size_t>(found.key.data() - text_.line().data());
  const std::size_t end = begin + found.key.size();
  if (begin == 0 || text_.At(begin - 1) != '"' || text_.At(end) != '"') return false;
  return begin < 2 || text_.At(begin - 2) != '\\';
}

// In a line that is a JSON object the record's own fields say whose line it is, wherever they
// stand; ids inside its texts come after.
void Finder::PutFieldsFirst() {
  if (text_.At(0) != '{') return;
  Found ordered[kMaxFound];
  std::size_t count = 0;
  for (const bool field : {true, false}) {
    for (std::size_t i = 0; i < out_.count; ++i) {
      if (IsJsonField(out_.ids[i]) == field) ordered[count++] = out_.ids[i];
    }
  }
  std::copy_n(ordered, count, out_.ids);
}

bool SaysUnsampled(const Resolved& id) {
  switch (id.spelling) {
    case Spelling::kTraceparent:
    case Spelling::kTraceparentShort:
    case Spelling::kB3:
    case Spelling::kXRay: return id.sampled == Sampled::kNo;
    default: return false;
  }
}

void Finder::Finish() {
  if (out_.count == 0) return;
  for (std::size_t i = 0; i < span_count_; ++i) GiveSpan(spans_[i]);
  if (out_.count > 1) PutFieldsFirst();
  if (said_unsampled_ || SaysUnsampled(out_.ids[0].id)) out_.sampled = Sampled::kNo;
  if (out_.count > 1) DropRepeated();
}

}  // namespace

void FindIds(std::string_view line, FoundIds& out) {
  Finder finder(line, out);
  ScanAnchors(line, finder);
  finder.Finish();
}

void FindIdsPortable(std::string_view line, FoundIds& out) {
  Finder finder(line, out);
  ScanAnchorsPortable(line, finder);
  finder.Finish();
}

}  // namespace throughline
