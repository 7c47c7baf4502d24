#include "correlate/link.h"

#include <utility>

#include "correlate/check.h"

namespace throughline {
namespace {

std::string Seconds(std::uint64_t ns) { return std::to_string(ns / 1'000'000'000) + " s"; }

}  // namespace

std::string_view LinkStateName(LinkState state) {
  switch (state) {
    case LinkState::kLive: return "live";
    case LinkState::kSampledOut: return "sampled_out";
    case LinkState::kPending: return "pending";
    case LinkState::kExpired: return "expired";
    case LinkState::kNeverSeen: return "never_seen";
    case LinkState::kMalformed: return "malformed";
    case LinkState::kAmbiguous: return "ambiguous";
  }
  CheckFailed("known link state", __FILE__, __LINE__);
}

std::string_view LinkCauseName(LinkCause cause) {
  switch (cause) {
    case LinkCause::kSpansHere: return "spans_here";
    case LinkCause::kUnsampledFlag: return "unsampled_flag";
    case LinkCause::kDecision: return "decision";
    case LinkCause::kYoung: return "young";
    case LinkCause::kRetention: return "retention";
    case LinkCause::kNoSpan: return "no_span";
    case LinkCause::kNoRecord: return "no_record";
    case LinkCause::kNoId: return "no_id";
    case LinkCause::kAllZero: return "all_zero";
    case LinkCause::kSeveralTraces: return "several_traces";
  }
  CheckFailed("known link cause", __FILE__, __LINE__);
}

LinkState StateOfCause(LinkCause cause) {
  switch (cause) {
    case LinkCause::kSpansHere: return LinkState::kLive;
    case LinkCause::kUnsampledFlag:
    case LinkCause::kDecision: return LinkState::kSampledOut;
    case LinkCause::kYoung: return LinkState::kPending;
    case LinkCause::kRetention: return LinkState::kExpired;
    case LinkCause::kNoSpan:
    case LinkCause::kNoRecord: return LinkState::kNeverSeen;
    case LinkCause::kNoId:
    case LinkCause::kAllZero: return LinkState::kMalformed;
    case LinkCause::kSeveralTraces: return LinkState::kAmbiguous;
  }
  CheckFailed("known link cause", __FILE__, __LINE__);
}

Link LinkOfCause(LinkCause cause, std::string reason) {
  return {StateOfCause(cause), cause, std::move(reason)};
}

Link StateOf(const LinkEvidence& evidence, std::uint64_t named_at_unix_ns,
             std::uint64_t now_unix_ns, std::uint64_t pending_wait_ns) {
  if (evidence.span_count > 0) {
    return LinkOfCause(LinkCause::kSpansHere,
                       std::to_string(evidence.span_count) +
                           (evidence.span_count == 1 ? " span is here" : " spans are here"));
  }
  if (evidence.decided_out) {
    return LinkOfCause(LinkCause::kDecision, "a sampling decision says that it was dropped");
  }
  if (evidence.said_unsampled) {
    return LinkOfCause(LinkCause::kUnsampledFlag,
                       "a record of this trace said that it was not sampled");
  }
  const std::uint64_t named =
      named_at_unix_ns != 0 ? named_at_unix_ns : evidence.first_arrival_unix_ns;
  // A time ahead of our clock is young too.
  if (named != 0 && (named >= now_unix_ns || now_unix_ns - named < pending_wait_ns)) {
    const std::uint64_t age = now_unix_ns > named ? now_unix_ns - named : 0;
    return LinkOfCause(LinkCause::kYoung, "named " + Seconds(age) + " ago; spans may come until " +
                                              Seconds(pending_wait_ns));
  }
  if (evidence.in_expired) {
    return LinkOfCause(LinkCause::kRetention, "its records were dropped by retention");
  }
  if (named != 0) {
    return LinkOfCause(LinkCause::kNoSpan,
                       "named " + Seconds(now_unix_ns - named) + " ago, and no span came");
  }
  return LinkOfCause(LinkCause::kNoRecord, "no record carries this id");
}

}  // namespace throughline
