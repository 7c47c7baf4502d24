// Intake, whatever the door: decoded records are counted, charged to their tenant, and stored.
//
// A door reads bytes, decodes them with decode_options(), and gives the batch here; it is told when
// the records are durable, and acknowledges nothing before. Nothing here knows a protocol.
//
//   if (auto admitted = ingest.Admit(tenant); !admitted) ... 429, before a body is read
//   auto decoded = logs::DecodeLoki(batch->body.view(), ingest.decode_options(), *batch);
//   if (!decoded) ingest.CountMalformed(Intake::kLoki, tenant);
//   ingest.Take(Intake::kLoki, tenant, *decoded, batch, [](Result<Outcome> outcome) { ... });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/clock.h"
#include "correlate/result.h"
#include "gateway/metrics.h"
#include "gateway/tenants.h"
#include "store/writer.h"

namespace throughline::gateway {

// What became of the records of one request: stored + deduplicated = those in its batch.
struct Outcome {
  std::uint64_t stored = 0;
  std::uint64_t deduplicated = 0;
  std::uint64_t kept_unlinked = 0;  // Of those stored: without a trace id (logs.keep_unlinked).
};

// Called once, when the records are durable and visible, or have failed: on the writer thread, or
// within Take where nothing was to be stored or the queue refused. Must be quick.
using Taken = std::function<void(Result<Outcome>)>;

class Ingest {
 public:
  // All must outlive it, and every request that it was given.
  Ingest(DecodeOptions options, store::Writer& writer, const Clock& clock, Metrics& metrics,
         Tenants& tenants)
      : options_(std::move(options)),
        writer_(writer),
        clock_(clock),
        metrics_(metrics),
        tenants_(tenants) {}
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  // Any thread, all of them.
  const DecodeOptions& decode_options() const { return options_; }
  const Clock& clock() const { return clock_; }

  // kOverloaded while the tenant is over its rate (limits.tenant_*): to be asked before a body is
  // read or decoded.
  Result<void> Admit(std::string_view tenant) const {
    return tenants_.Admit(tenant, clock_.NowUnixNs());
  }

  // Counts a body that could not be read.
  void CountMalformed(Intake intake) {
    metrics_.Of(intake).bad_requests.fetch_add(1, std::memory_order_relaxed);
  }
  // Counts metric points that are not kept.
  void CountPassed(Intake intake, std::uint64_t points) {
    metrics_.Of(intake).passed_points.fetch_add(points, std::memory_order_relaxed);
  }

  // Counts what `decoded` says, and stores the records of `batch`.
  void Take(Intake intake, std::string tenant, const Decoded& decoded,
            std::shared_ptr<const Batch> batch, Taken taken);

 private:
  const DecodeOptions options_;
  store::Writer& writer_;
  const Clock& clock_;
  Metrics& metrics_;
  Tenants& tenants_;
};

}  // namespace throughline::gateway
