#include "correlate/batch.h"

namespace throughline {
namespace {

// How many reasons a partial success quotes; the rest is in the count.
constexpr std::size_t kReasonsKept = 3;

void Join(std::string& reasons, std::size_t count, std::string_view reason) {
  if (count > kReasonsKept) return;
  if (!reasons.empty()) reasons += "; ";
  reasons += reason;
}

template <typename T>
std::size_t BytesOf(const std::vector<T>& records) {
  return records.capacity() * sizeof(T);
}

}  // namespace

void Decoded::Reject(std::string_view reason) {
  ++rejected;
  Join(first_rejection, rejected, reason);
}

void Decoded::Repair(std::string_view reason) {
  ++repaired;
  Join(first_repair, repaired, reason);
}

std::size_t Batch::size_bytes() const {
  return body.capacity() + arena.size_bytes() + BytesOf(resources) + BytesOf(scopes) +
         BytesOf(attributes) + BytesOf(events) + BytesOf(span_links) + BytesOf(related) +
         BytesOf(spans) + BytesOf(logs) + BytesOf(exemplars) + BytesOf(gauges);
}

EffectiveTime EffectiveTimeOf(std::uint64_t sent_unix_ns, std::uint64_t observed_unix_ns,
                              std::uint64_t arrival_unix_ns) {
  constexpr std::uint64_t kDay = 86'400'000'000'000;
  constexpr std::uint64_t kTenYears = 3653 * kDay;
  const std::uint64_t stated = sent_unix_ns != 0 ? sent_unix_ns : observed_unix_ns;
  if (stated == 0) return {.unix_ns = arrival_unix_ns, .suspect = false};
  const std::uint64_t earliest = arrival_unix_ns > kTenYears ? arrival_unix_ns - kTenYears : 0;
  if (stated < earliest || stated > arrival_unix_ns + kDay) {
    return {.unix_ns = arrival_unix_ns, .suspect = true};
  }
  return {.unix_ns = stated, .suspect = false};
}

}  // namespace throughline
