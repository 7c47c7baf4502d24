#include "correlate/analysis/link_health.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "correlate/check.h"
#include "correlate/decision.h"
#include "correlate/find.h"
#include "correlate/record_time.h"

namespace throughline {
namespace {

std::size_t IndexOf(LinkCause cause) { return static_cast<std::size_t>(cause); }
std::size_t IndexOf(LinkKind kind) { return static_cast<std::size_t>(kind); }

struct BrokenId {
  LinkCause cause = LinkCause::kNoId;
  std::string_view text;
  std::string reason;
};

// What a record without an id names all the same. Values that say "no id", and names that often
// hold something else, are nobody's mistake.
std::optional<BrokenId> BrokenIdOf(std::span<const Attribute> attributes) {
  for (const Attribute& attribute : attributes) {
    const KeyKind key = TraceKeyKind(attribute.key(), {});
    if (key == KeyKind::kNone || key == KeyKind::kGcp || key == KeyKind::kRequestId ||
        key == KeyKind::kOpaque) {
      continue;
    }
    const std::string_view text = StringOf(attribute.value());
    if (text.empty() || SaysNoId(text)) continue;
    const Resolved id = Resolve(text, Strictness::kField, key);
    if (id.IsValid()) continue;
    const bool zero = text.find_first_not_of("0-") == text.npos;
    return BrokenId{zero ? LinkCause::kAllZero : LinkCause::kNoId, text,
                    id.reason.empty() ? "no trace id" : std::string(id.reason)};
  }
  return std::nullopt;
}

// Latest first, each text once.
void Keep(LinkSample sample, std::vector<LinkSample>& samples) {
  const auto rank = [](const LinkSample& s) {
    return std::tuple(UINT64_MAX - s.time_unix_ns, std::string_view(s.text), s.kind,
                      std::string_view(s.service));
  };
  const auto same = std::find_if(samples.begin(), samples.end(),
                                 [&](const LinkSample& s) { return s.text == sample.text; });
  if (same == samples.end()) {
    samples.push_back(std::move(sample));
  } else if (rank(sample) < rank(*same)) {
    *same = std::move(sample);
  }
  std::sort(samples.begin(), samples.end(),
            [&](const LinkSample& a, const LinkSample& b) { return rank(a) < rank(b); });
  if (samples.size() > kLinkSamples) samples.pop_back();
}

}  // namespace

std::string_view LinkKindName(LinkKind kind) {
  switch (kind) {
    case LinkKind::kLog: return "log";
    case LinkKind::kExemplar: return "exemplar";
    case LinkKind::kSpanLink: return "span_link";
  }
  CheckFailed("known kind of link", __FILE__, __LINE__);
}

std::uint64_t SumOf(const LinkCounts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

struct LinkCounter::One {
  LinkKind kind = LinkKind::kLog;
  std::string_view service;
  std::uint64_t time_unix_ns = 0;
  std::uint64_t arrival_unix_ns = 0;
  std::uint64_t identity = 0;
};

void LinkCounter::Add(const Batch& batch) {
  for (const Span& span : batch.spans) {
    if (have_spans_.size() < limits_.links) have_spans_.insert(span.trace_id);
    if (span.links.count > 0) AddLinks(span, batch);
  }
  for (const LogLine& line : batch.logs) AddLine(line, batch);
  for (const Exemplar& exemplar : batch.exemplars) AddExemplar(exemplar, batch);
}

void LinkCounter::AddLine(const LogLine& line, const Batch& batch) {
  if (line.event_name == kDecisionEvent) return;
  const One one{.kind = LinkKind::kLog,
                .service = line.service,
                .time_unix_ns = TimeOf(line),
                .arrival_unix_ns = line.arrival_unix_ns,
                .identity = line.identity};
  if (line.trace_id.IsValid()) {
    Count(one, line.trace_id);
  } else {
    CountMalformed(one, batch.Of(line.attributes));
  }
}

void LinkCounter::AddExemplar(const Exemplar& exemplar, const Batch& batch) {
  const Resource* const resource = batch.ResourceOf(exemplar.resource);
  const bool stated = !exemplar.service.empty() || resource == nullptr;
  const One one{.kind = LinkKind::kExemplar,
                .service = stated ? exemplar.service : resource->service,
                .time_unix_ns = TimeOf(exemplar),
                .arrival_unix_ns = exemplar.arrival_unix_ns,
                .identity = exemplar.identity};
  if (exemplar.trace_id.IsValid()) {
    Count(one, exemplar.trace_id);
  } else {
    CountMalformed(one, batch.Of(exemplar.attributes));
  }
}

void LinkCounter::AddLinks(const Span& span, const Batch& batch) {
  // Spans may come without their identity.
  std::uint64_t identity = HashCombine(HashCombine(span.trace_id.high, span.trace_id.low),
                                       HashCombine(span.span_id.value, span.start_unix_ns));
  for (const SpanLink& link : batch.LinksOf(span)) {
    identity = HashCombine(identity, 1);
    const One one{.kind = LinkKind::kSpanLink,
                  .service = batch.ServiceOf(span),
                  .time_unix_ns = TimeOf(span),
                  .arrival_unix_ns = span.arrival_unix_ns,
                  .identity = identity};
    Count(one, link.trace_id);
  }
}

bool LinkCounter::Takes(const One& one) {
  if (!range_.Contains(one.time_unix_ns) || (service_ && one.service != *service_)) return false;
  if (seen_.size() >= limits_.records && !seen_.contains(one.identity)) {
    full_ = true;
    return false;
  }
  return seen_.insert(one.identity).second;
}

void LinkCounter::Count(const One& one, TraceId id) {
  if (!Takes(one)) return;
  const Key key{.id = id, .service = services_.Of(one.service), .kind = one.kind};
  auto found = links_.find(key);
  if (found == links_.end()) {
    if (links_.size() >= limits_.links) {
      full_ = true;
      return;
    }
    found = links_.emplace(key, Named()).first;
  }
  Named& named = found->second;
  ++named.records;
  named.last_unix_ns = std::max(named.last_unix_ns, one.time_unix_ns);
  named.first_arrival_unix_ns = std::min(named.first_arrival_unix_ns, one.arrival_unix_ns);
}

void LinkCounter::CountMalformed(const One& one, std::span<const Attribute> attributes) {
  const auto broken = BrokenIdOf(attributes);
  if (!broken || !Takes(one)) return;
  const std::size_t cause = IndexOf(broken->cause);
  const std::string service(services_.At(services_.Of(one.service)));
  ++malformed_.counts[cause];
  ++malformed_.by_kind[IndexOf(one.kind)][cause];
  ++malformed_of_[service][IndexOf(one.kind)][cause];
  Keep({.trace_id = {},
        .text = std::string(broken->text.substr(0, kSampleTextBytes)),
        .kind = one.kind,
        .service = service,
        .time_unix_ns = one.time_unix_ns,
        .reason = broken->reason},
       malformed_.samples[cause]);
}

Result<LinkHealth> LinkCounter::Close(const States& states) && {
  using Entry = std::pair<Key, Named>;
  std::vector<Entry> links(links_.begin(), links_.end());
  // Of one id together, its latest first.
  const auto by_id = [this](const Entry& a, const Entry& b) {
    return std::tuple(a.first.id, UINT64_MAX - a.second.last_unix_ns, a.first.kind,
                      services_.At(a.first.service)) <
           std::tuple(b.first.id, UINT64_MAX - b.second.last_unix_ns, b.first.kind,
                      services_.At(b.first.service));
  };
  std::sort(links.begin(), links.end(), by_id);
  std::vector<Range> ids;
  for (std::uint32_t i = 0; i < links.size(); ++i) {
    if (i == 0 || links[i].first.id != links[i - 1].first.id) ids.push_back({i, 0});
    ++ids.back().count;
  }
  // Stable: of the same time by id.
  std::stable_sort(ids.begin(), ids.end(), [&](Range a, Range b) {
    return links[a.begin].second.last_unix_ns > links[b.begin].second.last_unix_ns;
  });

  LinkHealth health = std::move(malformed_);
  std::map<std::string, LinkCountsByKind> by_service = std::move(malformed_of_);
  bool asking = true;
  for (const Range range : ids) {
    const std::span<const Entry> of_id(links.data() + range.begin, range.count);
    const TraceId id = of_id.front().first.id;
    std::optional<Link> link;
    if (id.high_known() && have_spans_.contains(id)) {
      link = LinkOfCause(LinkCause::kSpansHere, "its spans are here");
    } else if (asking) {
      std::uint64_t named = UINT64_MAX;
      for (const Entry& one : of_id) named = std::min(named, one.second.first_arrival_unix_ns);
      TL_TRY_ASSIGN(link, states(id, named));
      asking = link.has_value();
    }
    for (const auto& [key, named] : of_id) {
      if (!link) {
        health.unchecked += named.records;
        continue;
      }
      const std::size_t cause = IndexOf(link->cause);
      health.counts[cause] += named.records;
      health.by_kind[IndexOf(key.kind)][cause] += named.records;
      by_service[std::string(services_.At(key.service))][IndexOf(key.kind)][cause] += named.records;
    }
    if (!link || health.samples[IndexOf(link->cause)].size() >= kLinkSamples) continue;
    const auto& [key, named] = of_id.front();
    health.samples[IndexOf(link->cause)].push_back(
        {.trace_id = id,
         .text = {},
         .kind = key.kind,
         .service = std::string(services_.At(key.service)),
         .time_unix_ns = named.last_unix_ns,
         .reason = link->reason});
  }
  for (const auto& [service, by_kind] : by_service) {
    LinkHealth::OfService of{.service = service, .counts = {}, .by_kind = by_kind};
    for (const LinkCounts& counts : by_kind) {
      for (std::size_t i = 0; i < kLinkCauses; ++i) of.counts[i] += counts[i];
    }
    health.by_service.push_back(std::move(of));
  }
  if (full_ || !asking) {
    health.complete = false;
    health.incomplete_reason = "limit";
  }
  return health;
}

}  // namespace throughline
