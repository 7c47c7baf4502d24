// The states of links for LinkCounter::Close, looked up in the store, so many ids at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "api/links/handlers.h"
#include "api/links/known_traces.h"
#include "correlate/link.h"
#include "correlate/result.h"
#include "correlate/scope.h"

namespace throughline::api::links {

class StateLookup {
 public:
  // `scope` and `context` must outlive it. Each id is a lookup by id.
  StateLookup(const Scope& scope, const Context& context, std::size_t lookups)
      : scope_(scope), context_(context), lookups_(lookups), known_(scope, context) {}

  // nullopt: not looked up.
  Result<std::optional<Link>> Find(TraceId id, std::uint64_t named_unix_ns);
  // The deadline was why.
  bool expired() const { return expired_; }

 private:
  const Scope& scope_;
  const Context& context_;
  const std::size_t lookups_;
  KnownTraces known_;
  bool expired_ = false;
};

}  // namespace throughline::api::links
