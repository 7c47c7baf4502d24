#include "correlate/link.h"

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

Link StateOf(const LinkEvidence& evidence, std::uint64_t named_at_unix_ns,
             std::uint64_t now_unix_ns, std::uint64_t pending_wait_ns) {
  if (evidence.span_count > 0) {
    return {LinkState::kLive, std::to_string(evidence.span_count) +
                                  (evidence.span_count == 1 ? " span is here" : " spans are here")};
  }
  if (evidence.said_unsampled) {
    return {LinkState::kSampledOut, "a record of this trace said that it was not sampled"};
  }
  const std::uint64_t named =
      named_at_unix_ns != 0 ? named_at_unix_ns : evidence.first_arrival_unix_ns;
  // A time ahead of our clock is young too.
  if (named != 0 && (named >= now_unix_ns || now_unix_ns - named < pending_wait_ns)) {
    const std::uint64_t age = now_unix_ns > named ? now_unix_ns - named : 0;
    return {LinkState::kPending,
            "named " + Seconds(age) + " ago; spans may come until " + Seconds(pending_wait_ns)};
  }
  if (evidence.in_expired) return {LinkState::kExpired, "its records were dropped by retention"};
  if (named != 0) {
    return {LinkState::kNeverSeen,
            "named " + Seconds(now_unix_ns - named) + " ago, and no span came"};
  }
  return {LinkState::kNeverSeen, "no record carries this id"};
}

}  // namespace throughline
