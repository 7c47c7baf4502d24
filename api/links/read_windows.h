// The traces of whole windows, from the store, as records to analyse.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/links/handlers.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/analysis/explain_records.h"
#include "correlate/scope.h"
#include "correlate/store.h"

namespace throughline::api::links {

// What a trace of a window may stand beyond its ends and still be whole.
inline constexpr std::uint64_t kTraceSlackNs = 30'000'000'000;

struct ReadTraces {
  RecordedTraces traces;
  bool complete = true;
  std::string incomplete_reason;
};

struct ReadOptions {
  std::vector<TraceFilter> filters = {};  // See TraceRecorder.
  RecordLimits limits = {};
  bool lines = true;
};

// One thread; the scope and the context must outlive it.
class WindowReader {
 public:
  WindowReader(const Scope& scope, const Context& context, const ReadOptions& options)
      : scope_(scope),
        context_(context),
        lines_(options.lines),
        recorder_(context.store.hash_seed(), options.limits, options.filters) {}

  // What stands in the window, without slack. `look` sees each batch too.
  Result<void> Read(
      const TimeSpan& window, const std::function<void(const Batch&)>& look = [](const Batch&) {});
  // The windows with their slack; what two have in common is read once.
  Result<void> ReadAll(std::vector<TimeSpan> windows);

  // The deadline came, or the recorder is full.
  bool cut() const { return !complete_; }
  bool full() const { return recorder_.full(); }
  std::size_t span_count() const { return recorder_.span_count(); }

  // At the end, once.
  ReadTraces Finish();

 private:
  const Scope& scope_;
  const Context& context_;
  const bool lines_;
  TraceRecorder recorder_;
  bool complete_ = true;
  std::string incomplete_reason_;
};

// With so much to each side.
TimeSpan WithSlack(TimeSpan window, std::uint64_t slack_ns = kTraceSlackNs);

}  // namespace throughline::api::links
