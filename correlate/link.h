// The state of a link: one pure function of evidence and the time now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace throughline {

enum class LinkState : std::uint8_t {
  kLive,        // Spans are here.
  kSampledOut,  // Somebody decided not to keep the trace, and said so.
  kPending,     // Named a moment ago; its spans may still come.
  kExpired,     // Was here; retention took it.
  kNeverSeen,   // Named, and nothing came.
  kMalformed,   // The text is no id that we could repair.
  kAmbiguous,   // A 64-bit spelling with several traces behind it.
};

// "live", "sampled_out", "pending", "expired", "never_seen", "malformed", "ambiguous".
std::string_view LinkStateName(LinkState state);

// Why a link is in its state, in one word: what is counted by, and a public name as a state's is.
enum class LinkCause : std::uint8_t {
  kSpansHere,      // live.
  kUnsampledFlag,  // sampled_out: a record of the trace said sampled = 0.
  kDecision,       // sampled_out: a decision record (decision.h).
  kYoung,          // pending.
  kRetention,      // expired.
  kNoSpan,         // never_seen: named, and no span came.
  kNoRecord,       // never_seen: nothing carries the id.
  kNoId,           // malformed.
  kAllZero,        // malformed: an id of zeros only.
  kSeveralTraces,  // ambiguous.
};
inline constexpr std::size_t kLinkCauses = 10;

// "spans_here", "unsampled_flag", "decision", "young", "retention", "no_span", "no_record",
// "no_id", "all_zero", "several_traces".
std::string_view LinkCauseName(LinkCause cause);
// Each cause belongs to one state.
LinkState StateOfCause(LinkCause cause);

// What is known about one trace id. Every state is shown with it.
struct LinkEvidence {
  std::uint64_t span_count = 0;
  std::uint64_t log_count = 0;
  std::uint64_t exemplar_count = 0;
  // A line or header said sampled = 0 (traceparent, B3, X-Ray, trace_sampled=false). Span flags and
  // OTLP log flags are no evidence.
  bool said_unsampled = false;
  bool decided_out = false;                 // A decision record says that the spans were dropped.
  bool in_expired = false;                  // In the kept bloom of a dropped segment.
  std::uint64_t first_arrival_unix_ns = 0;  // Of what names the id; 0: nothing does.
};

struct Link {
  LinkState state = LinkState::kNeverSeen;
  LinkCause cause = LinkCause::kNoRecord;
  std::string reason = {};  // A sentence for people, with the numbers.
};

Link LinkOfCause(LinkCause cause, std::string reason);

// `named_at_unix_ns` is when the id was named outside the store (the time of the line being
// resolved or enriched); 0 otherwise.
Link StateOf(const LinkEvidence& evidence, std::uint64_t named_at_unix_ns,
             std::uint64_t now_unix_ns, std::uint64_t pending_wait_ns);

}  // namespace throughline
