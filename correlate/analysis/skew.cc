#include "correlate/analysis/skew.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "correlate/attribute.h"

namespace throughline {
namespace {

constexpr std::uint32_t kServer = 2;
constexpr std::uint32_t kClient = 3;
// Differences of earlier times fit 64 bits with a sign. Year 2262.
constexpr std::uint64_t kLatestNs = std::uint64_t{1} << 63U;

// What one call says of the offset: it is in [low, high].
struct Interval {
  std::int64_t low = 0;
  std::int64_t high = 0;

  std::uint64_t width() const {
    return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  }
  std::int64_t middle() const { return low + static_cast<std::int64_t>(width() / 2); }
};

std::int64_t Difference(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::int64_t>(a - b);
}

// From the first to the last of the places that most intervals hold; all of them where no majority
// has a place in common.
Interval Agreed(const std::vector<Interval>& calls) {
  struct Edge {
    std::int64_t at = 0;
    bool closes = false;
    // What opens at a place is there before what closes there goes.
    auto operator<=>(const Edge&) const = default;
  };
  std::vector<Edge> edges;
  edges.reserve(2 * calls.size());
  for (const Interval& call : calls) {
    edges.push_back({call.low, false});
    edges.push_back({call.high, true});
  }
  std::sort(edges.begin(), edges.end());
  const Interval all{edges.front().at, edges.back().at};
  Interval agreed;
  std::size_t most = 0;
  std::size_t open = 0;
  bool in_most = false;
  for (const Edge& edge : edges) {
    if (!edge.closes && ++open >= most) {
      if (open > most) agreed.low = edge.at;
      most = open;
      in_most = true;
    } else if (edge.closes) {
      if (in_most && open == most) agreed.high = edge.at;
      in_most = false;
      --open;
    }
  }
  return 2 * most > calls.size() ? agreed : all;
}

}  // namespace

std::string HostOf(const Batch& batch, std::uint32_t resource) {
  constexpr std::array<std::string_view, 4> kKeys = {"host.id", "host.name", "k8s.node.name",
                                                     "k8s.pod.name"};
  const Resource* const from = batch.ResourceOf(resource);
  if (from == nullptr) return {};
  std::array<std::string, kKeys.size()> found;
  for (const Attribute& attribute : batch.Of(from->attributes)) {
    const auto key = std::find(kKeys.begin(), kKeys.end(), attribute.key());
    if (key == kKeys.end()) continue;
    std::string& text = found[static_cast<std::size_t>(key - kKeys.begin())];
    if (text.empty()) text = ValueText(attribute.value());
  }
  for (std::string& text : found) {
    if (!text.empty()) return std::move(text);
  }
  return {};
}

void SkewMeter::Add(const Batch& batch) {
  std::vector<std::uint32_t> hosts(batch.resources.size(), kNoIndex);
  for (const Span& span : batch.spans) {
    if (span.kind != kClient && span.kind != kServer) continue;
    if (span.resource == kNoIndex || full()) continue;
    std::uint32_t& host = hosts[span.resource];
    if (host == kNoIndex) host = hosts_.Of(HostOf(batch, span.resource));
    Add(span, host);
  }
}

void SkewMeter::Add(const Span& span, std::uint32_t host) {
  const bool usable = host != NameTable::kEmpty && host != NameTable::kOverflow &&
                      span.start_unix_ns != 0 && span.end_unix_ns >= span.start_unix_ns &&
                      span.end_unix_ns < kLatestNs;
  if (!usable) return;
  const Key own{span.trace_id, span.span_id};
  const Times times{span.start_unix_ns, span.end_unix_ns, host};
  if (span.kind == kServer) {
    servers_.push_back({own, {span.trace_id, span.parent_span_id}, times});
    return;
  }
  // Two of one id: the same one, whichever came first.
  const auto [at, added] = clients_.emplace(own, times);
  if (!added && hosts_.At(host) < hosts_.At(at->second.host)) at->second = times;
  if (!added && at->second.host == host) at->second = std::min(at->second, times);
}

std::vector<HostSkew> SkewMeter::Close() && {
  std::sort(servers_.begin(), servers_.end());
  servers_.erase(std::unique(servers_.begin(), servers_.end()), servers_.end());
  using Hosts = std::pair<std::string_view, std::string_view>;
  std::map<Hosts, std::vector<Interval>> calls;
  for (const Server& server : servers_) {
    auto client = clients_.find(server.parent);
    // Zipkin's shared spans: both ends have one id.
    if (client == clients_.end()) client = clients_.find(server.own);
    if (client == clients_.end() || client->second.host == server.times.host) continue;
    const Times& called = client->second;
    Interval call{Difference(server.times.end_unix_ns, called.end_unix_ns),
                  Difference(server.times.start_unix_ns, called.start_unix_ns)};
    if (call.low > call.high) continue;  // It outlasted its caller, so nobody waited for it.
    Hosts hosts{hosts_.At(called.host), hosts_.At(server.times.host)};
    if (hosts.second < hosts.first) {
      std::swap(hosts.first, hosts.second);
      call = {-call.high, -call.low};
    }
    calls[hosts].push_back(call);
  }
  std::vector<HostSkew> skews;
  for (auto& [hosts, intervals] : calls) {
    HostSkew skew{.from = std::string(hosts.first),
                  .to = std::string(hosts.second),
                  .pairs = intervals.size()};
    std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) {
      return std::pair(a.width(), a.low) < std::pair(b.width(), b.low);
    });
    intervals.resize(std::min(intervals.size(), limits_.calls_of_pair));
    const Interval agreed = Agreed(intervals);
    skew.offset_ns = agreed.middle();
    skew.bound_ns = agreed.width() - agreed.width() / 2;
    skews.push_back(std::move(skew));
  }
  return skews;
}

std::vector<HostSkew> SkewOf(const Batch& batch) {
  SkewMeter meter;
  meter.Add(batch);
  return std::move(meter).Close();
}

}  // namespace throughline
