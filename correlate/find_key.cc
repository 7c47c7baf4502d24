#include "correlate/find_key.h"

#include <algorithm>
#include <iterator>

#include "correlate/digits.h"
#include "correlate/find.h"

namespace throughline {
namespace keys {
namespace {

using digits::EqualFold;

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

std::string_view WithoutSeparators(std::string_view prefix) {
  while (!prefix.empty() && IsSeparator(prefix.back())) prefix.remove_suffix(1);
  return prefix;
}

// The last word of "x-b3-", "otel.", "requestParent".
std::string_view LastWord(std::string_view prefix) {
  prefix = WithoutSeparators(prefix);
  std::size_t begin = prefix.size();
  while (begin > 0 && !IsSeparator(prefix[begin - 1])) {
    --begin;
    if (begin > 0 && IsUpper(prefix[begin]) && !IsUpper(prefix[begin - 1])) break;
  }
  return prefix.substr(begin);
}

template <std::size_t kCount>
bool IsOneOf(std::string_view word, const std::string_view (&words)[kCount]) {
  return std::any_of(std::begin(words), std::end(words),
                     [word](std::string_view one) { return EqualFold(word, one); });
}

// True if `prefix` ends where a new word begins: not the "stack" of "stackid".
bool IsSetApart(std::string_view prefix, char first) {
  constexpr std::string_view kGlued[] = {"x", "b3", "xb3", "dd", "otel", "request", "datadog"};
  if (prefix.empty() || IsSeparator(prefix.back())) return true;
  if (IsUpper(first) && !IsUpper(prefix.back())) return true;
  return IsOneOf(LastWord(prefix), kGlued);
}

}  // namespace

KeyKind TraceIdKind(std::string_view prefix, char first) {
  constexpr std::string_view kAmazon[] = {"amzn", "xray"};
  if (prefix.empty()) return KeyKind::kTraceId;
  if (!IsSetApart(prefix, first)) return KeyKind::kNone;
  const std::string_view word = LastWord(prefix);
  if (IsForeign(prefix)) return KeyKind::kNone;
  if (IsDatadog(prefix)) return KeyKind::kDatadog;
  if (EqualFold(word, "uber")) return KeyKind::kUberTraceId;
  return IsOneOf(word, kAmazon) ? KeyKind::kXRay : KeyKind::kTraceId;
}

bool IsSpanIdPrefix(std::string_view prefix, char first) {
  if (prefix.empty()) return true;
  const std::string_view word = LastWord(prefix);
  return IsSetApart(prefix, first) && !IsForeign(prefix) && !EqualFold(word, "root");
}

bool IsForeign(std::string_view prefix) {
  constexpr std::string_view kForeign[] = {"parent",   "link",  "links", "linked", "prev",
                                           "previous", "stack", "back",  "last",   "child"};
  return IsOneOf(LastWord(prefix), kForeign);
}

bool IsDatadog(std::string_view prefix) {
  constexpr std::string_view kDatadog[] = {"dd", "datadog"};
  return IsOneOf(LastWord(prefix), kDatadog);
}

bool IsCloudContext(std::string_view prefix) { return EqualFold(LastWord(prefix), "cloud"); }

bool IsGoogleApis(std::string_view prefix) {
  constexpr std::string_view kHost = "googleapis.com";
  prefix = WithoutSeparators(prefix);
  return prefix.size() >= kHost.size() && prefix.substr(prefix.size() - kHost.size()) == kHost;
}

}  // namespace keys

namespace {

using digits::EqualFold;

// Reads `name` as a prefix, `first`, separators or none, and `second`.
bool SplitName(std::string_view name, std::string_view first, std::string_view second,
               std::string_view& prefix, char& initial) {
  if (name.size() < first.size() + second.size()) return false;
  if (!EqualFold(name.substr(name.size() - second.size()), second)) return false;
  name.remove_suffix(second.size());
  for (int i = 0; i < 2 && !name.empty() && keys::IsSeparator(name.back()); ++i) {
    name.remove_suffix(1);
  }
  if (name.size() < first.size()) return false;
  prefix = name.substr(0, name.size() - first.size());
  initial = name[prefix.size()];
  return EqualFold(name.substr(prefix.size()), first);
}

// The name of the object that it stands in has the last word on a plain trace_id.
KeyKind InParent(KeyKind kind, std::string_view parent) {
  if (kind != KeyKind::kTraceId || parent.empty()) return kind;
  if (keys::IsDatadog(parent)) return KeyKind::kDatadog;
  return keys::IsForeign(parent) ? KeyKind::kNone : kind;
}

}  // namespace

KeyKind TraceKeyKind(std::string_view key, std::string_view parent) {
  if (parent.empty() && key == "trace_id") return KeyKind::kTraceId;  // The usual one.
  constexpr std::size_t kMaxNameBytes = 128;
  if (key.size() < 2 || key.size() > kMaxNameBytes) return KeyKind::kNone;
  std::string_view prefix;
  char first = 0;
  switch (digits::Lower(key.back())) {
    case 'd':
      if (SplitName(key, "trace", "id", prefix, first)) {
        return InParent(keys::TraceIdKind(prefix, first), parent);
      }
      if (EqualFold(key, "id")) {
        return EqualFold(parent, "trace") ? KeyKind::kTraceId : KeyKind::kNone;
      }
      // Only as SkyWalking and .NET write them: tid is a thread, request_id anybody's number.
      if (key == "TID") return KeyKind::kOpaque;
      if (EqualFold(key, "request-id")) return KeyKind::kRequestId;
      return KeyKind::kNone;
    case 't':
      if (SplitName(key, "trace", "parent", prefix, first)) {
        const KeyKind kind = InParent(keys::TraceIdKind(prefix, first), parent);
        return kind == KeyKind::kNone ? kind : KeyKind::kTraceparent;
      }
      if (SplitName(key, "trace", "context", prefix, first) && keys::IsCloudContext(prefix)) {
        return KeyKind::kTraceId;
      }
      return KeyKind::kNone;
    case 'e':
      if (!SplitName(key, "trace", "", prefix, first)) return KeyKind::kNone;
      if (prefix.empty()) return KeyKind::kGcp;
      return keys::IsGoogleApis(prefix) ? KeyKind::kTraceId : KeyKind::kNone;
    case '3':
      return SplitName(key, "b3", "", prefix, first) &&
                     (prefix.empty() || keys::IsSeparator(prefix.back()))
                 ? KeyKind::kB3
                 : KeyKind::kNone;
    case '8': return EqualFold(key, "sw8") ? KeyKind::kOpaque : KeyKind::kNone;
    case 'r': return key == "@tr" ? KeyKind::kTraceId : KeyKind::kNone;  // Serilog's compact JSON.
    default: return KeyKind::kNone;
  }
}

bool IsSpanIdKey(std::string_view key, std::string_view parent) {
  if (parent.empty() && key == "span_id") return true;  // The usual one.
  constexpr std::size_t kMaxNameBytes = 128;
  if (key.size() < 2 || key.size() > kMaxNameBytes) return false;
  if (key == "@sp") return true;  // Serilog's compact JSON.
  if (EqualFold(key, "id")) return EqualFold(parent, "span");
  std::string_view prefix;
  char first = 0;
  if (!SplitName(key, "span", "id", prefix, first)) return false;
  return keys::IsSpanIdPrefix(prefix, first) && !keys::IsForeign(parent);
}

}  // namespace throughline
