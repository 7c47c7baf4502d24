// The links of a range, counted by their states: who names traces, and why what is dead is dead.
//
// A LinkCounter is filled from batches in any order and any cut, then closed; the same records give
// the same counts whatever the order was. A line, an exemplar or a link of a span that names an id
// is a link; decision records (decision.h) are not, and of a line only its first id is. What names
// an id that cannot be read counts too, where the store keeps it (logs.keep_unlinked). One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "correlate/analysis/name_table.h"
#include "correlate/batch.h"
#include "correlate/hash.h"
#include "correlate/link.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline {

enum class LinkKind : std::uint8_t { kLog, kExemplar, kSpanLink };
inline constexpr std::size_t kLinkKinds = 3;

// "log", "exemplar", "span_link".
std::string_view LinkKindName(LinkKind kind);

// By LinkCause.
using LinkCounts = std::array<std::uint64_t, kLinkCauses>;
// By LinkKind.
using LinkCountsByKind = std::array<LinkCounts, kLinkKinds>;

struct LinkSample {
  TraceId trace_id;  // Invalid: malformed.
  std::string text;  // Of a malformed id, as sent; at most kSampleTextBytes.
  LinkKind kind = LinkKind::kLog;
  std::string service;
  std::uint64_t time_unix_ns = 0;  // Of the latest record.
  std::string reason;
};
inline constexpr std::size_t kSampleTextBytes = 64;
inline constexpr std::size_t kLinkSamples = 5;  // Of a cause.

struct LinkHealth {
  struct OfService {
    std::string service;  // Empty: none was stated.
    LinkCounts counts = {};
    LinkCountsByKind by_kind = {};
  };

  LinkCounts counts = {};
  LinkCountsByKind by_kind = {};
  std::vector<OfService> by_service = {};  // By name.
  // The latest first, each id or text once.
  std::array<std::vector<LinkSample>, kLinkCauses> samples = {};
  std::uint64_t unchecked = 0;  // Links whose states were not looked up; in none of the counts.
  bool complete = true;
  std::string incomplete_reason = {};  // "limit", or what the one who gave the records says.
};

std::uint64_t SumOf(const LinkCounts& counts);

class LinkCounter {
 public:
  struct Limits {
    std::size_t records = 1'000'000;  // That name an id.
    std::size_t links = 300'000;      // Distinct ids, by kind and service.
    std::size_t services = 10'000;    // Further ones are one.
  };

  // Only what `service` names, where one is given. Effective times in `range`.
  LinkCounter(const TimeRange& range, std::optional<std::string> service, std::uint64_t hash_seed)
      : LinkCounter(range, std::move(service), hash_seed, Limits()) {}
  LinkCounter(const TimeRange& range, std::optional<std::string> service, std::uint64_t hash_seed,
              const Limits& limits)
      : range_(range),
        service_(std::move(service)),
        limits_(limits),
        services_(hash_seed, limits.services) {}

  // Keeps no view of the batch.
  void Add(const Batch& batch);
  // More would not be taken: the answer is incomplete.
  bool full() const { return full_; }

  // The state of a link to an id; `named_unix_ns` is when a record of the range that names it came
  // first. nullopt: it is not looked up, nor is any after it.
  using States =
      std::function<Result<std::optional<Link>>(TraceId id, std::uint64_t named_unix_ns)>;
  // Asks for each id once, the one that was named last first; not for those whose spans were seen.
  Result<LinkHealth> Close(const States& states) &&;

 private:
  struct Key {
    TraceId id;
    std::uint32_t service = 0;
    LinkKind kind = LinkKind::kLog;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return HashCombine(HashCombine(key.id.high, key.id.low),
                         key.service * kLinkKinds + static_cast<std::size_t>(key.kind));
    }
    std::size_t operator()(TraceId id) const { return HashCombine(id.high, id.low); }
  };
  struct Named {
    std::uint64_t records = 0;
    std::uint64_t last_unix_ns = 0;
    std::uint64_t first_arrival_unix_ns = UINT64_MAX;
  };
  struct One;  // A record that names an id.

  void AddLine(const LogLine& line, const Batch& batch);
  void AddExemplar(const Exemplar& exemplar, const Batch& batch);
  void AddLinks(const Span& span, const Batch& batch);
  // False: it counts for nothing.
  bool Takes(const One& one);
  void Count(const One& one, TraceId id);
  void CountMalformed(const One& one, std::span<const Attribute> attributes);

  const TimeRange range_;
  const std::optional<std::string> service_;
  const Limits limits_;
  NameTable services_;
  bool full_ = false;
  std::unordered_set<std::uint64_t> seen_;        // Identities: a retry counts once.
  std::unordered_set<TraceId, Hash> have_spans_;  // At most limits_.links of them.
  std::unordered_map<Key, Named, Hash> links_;
  std::map<std::string, LinkCountsByKind> malformed_of_;  // By service.
  LinkHealth malformed_;                                  // Only what is.
};

}  // namespace throughline
