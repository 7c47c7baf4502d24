// How far the clocks of two hosts are apart, measured from the calls between them.
//
// A client's span holds the server's. With the server's clock ahead by d, each call says that
// server end - client end <= d <= server start - client start: the middle of it is NTP's offset,
// half the width its bound. Over many calls d is in the interval that most of them agree on, so the
// bound shrinks to the fastest calls, and calls that nobody waited for are outvoted. Where no
// majority agrees, the bound is that of all calls together.
//
// A SkewMeter is filled from batches in any order and any cut, then closed; the same spans give the
// same offsets whatever the order was. Measured, never applied: times stay what was sent.
//
// Sources: RFC 5905, sections 8 and 11.2.1 (the intersection algorithm); K. Marzullo, "Maintaining
// the Time in a Distributed System", 1984.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "correlate/analysis/name_table.h"
#include "correlate/batch.h"
#include "correlate/hash.h"

namespace throughline {

// The host that a resource says it ran on: host.id, else host.name, k8s.node.name, k8s.pod.name;
// empty: it does not say.
std::string HostOf(const Batch& batch, std::uint32_t resource);

struct HostSkew {
  std::string from;  // Before `to` by name.
  std::string to;
  std::int64_t offset_ns = 0;  // So far ahead of `from` is the clock of `to`.
  std::uint64_t bound_ns = 0;  // The truth is within offset +- bound.
  std::uint64_t pairs = 0;     // Client and server spans that were measured.

  // The clocks are apart, whatever the truth within the bound is.
  bool is_proven() const { return Distance() > bound_ns; }
  std::uint64_t Distance() const {
    const auto offset = static_cast<std::uint64_t>(offset_ns);
    return offset_ns < 0 ? 0 - offset : offset;
  }
  bool operator==(const HostSkew&) const = default;
};

class SkewMeter {
 public:
  struct Limits {
    std::size_t spans = 400'000;        // Of clients and servers; further ones are passed by.
    std::size_t hosts = 10'000;         // Further ones are not measured.
    std::size_t calls_of_pair = 1'000;  // The fastest of them count.
  };

  SkewMeter() : SkewMeter(Limits()) {}
  explicit SkewMeter(const Limits& limits) : limits_(limits), hosts_(0, limits.hosts) {}

  // Keeps no view of the batch.
  void Add(const Batch& batch);
  bool full() const { return clients_.size() + servers_.size() >= limits_.spans; }

  // Every pair of hosts that called each other, by name.
  std::vector<HostSkew> Close() &&;

 private:
  struct Key {
    TraceId trace_id;
    SpanId span_id;
    auto operator<=>(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return HashCombine(HashCombine(key.trace_id.high, key.trace_id.low), key.span_id.value);
    }
  };
  struct Times {
    std::uint64_t start_unix_ns = 0;
    std::uint64_t end_unix_ns = 0;
    std::uint32_t host = 0;
    auto operator<=>(const Times&) const = default;
  };
  struct Server {
    Key own;
    Key parent;
    Times times;
    auto operator<=>(const Server&) const = default;
  };

  void Add(const Span& span, std::uint32_t host);

  const Limits limits_;
  NameTable hosts_;
  std::unordered_map<Key, Times, Hash> clients_;
  std::vector<Server> servers_;
};

// Of the calls of one batch, mostly one trace: few calls, so a wide bound.
std::vector<HostSkew> SkewOf(const Batch& batch);

}  // namespace throughline
