#include "api/links/whereabouts.h"

#include <algorithm>
#include <vector>

#include "api/links/render.h"
#include "correlate/analysis/skew.h"
#include "correlate/record_time.h"

namespace throughline::api::links {
namespace {

// A clock that is further off does not even know the day.
constexpr std::uint64_t kMostWidenedNs = 24ULL * 3600 * 1'000'000'000;

// Where a resource says it ran.
bool IsHostKey(std::string_view key) {
  return key == "host.name" || key == "k8s.node.name" || key == "k8s.pod.name";
}

}  // namespace

void Whereabouts::Add(std::uint64_t from_unix_ns, std::uint64_t to_unix_ns,
                      std::string_view service) {
  first_unix_ns = std::min(first_unix_ns, from_unix_ns);
  last_unix_ns = std::max(last_unix_ns, to_unix_ns);
  if (!service.empty()) services.emplace(service);
}

Whereabouts WhereaboutsOf(const Batch& batch) {
  Whereabouts where;
  std::vector<bool> used(batch.resources.size(), false);
  const auto use = [&](std::uint32_t resource) {
    if (resource != kNoIndex) used[resource] = true;
  };
  for (const Span& span : batch.spans) {
    const std::uint64_t start = TimeOf(span);
    const std::uint64_t end =
        start > UINT64_MAX - span.duration_ns() ? UINT64_MAX : start + span.duration_ns();
    where.Add(start, end, batch.ServiceOf(span));
    use(span.resource);
  }
  for (const LogLine& line : batch.logs) {
    const std::uint64_t time = TimeOf(line);
    where.Add(time, time, line.service);
    use(line.resource);
  }
  for (const Exemplar& exemplar : batch.exemplars) {
    where.Add(TimeOf(exemplar), TimeOf(exemplar), exemplar.service);
    use(exemplar.resource);
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    for (const Attribute& attribute : batch.Of(batch.resources[i].attributes)) {
      if (IsHostKey(attribute.key())) where.hosts.insert(ValueText(attribute.value()));
    }
  }
  return where;
}

std::uint64_t WidenedNs(const Batch& batch) {
  std::uint64_t widened_ns = 0;
  for (const HostSkew& skew : SkewOf(batch)) {
    if (skew.is_proven()) widened_ns = std::max(widened_ns, skew.Distance() + skew.bound_ns);
  }
  return std::min(widened_ns, kMostWidenedNs);
}

TimeRange Padded(const Whereabouts& where, std::uint64_t padding_ns) {
  TimeRange window;
  window.start_unix_ns = where.first_unix_ns > padding_ns ? where.first_unix_ns - padding_ns : 0;
  const bool ends = where.last_unix_ns < UINT64_MAX - padding_ns;
  window.end_unix_ns = ends ? where.last_unix_ns + padding_ns : UINT64_MAX;
  return window;
}

}  // namespace throughline::api::links
