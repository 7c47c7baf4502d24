// Intake: a request's body to stored records, and the answer that its door gives.
//
// Inflating and decoding happen on the loop thread that read the body; the batch then goes to the
// writer's queue, and the answer is given when it is durable. Nothing is acknowledged before.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "api/http.h"
#include "correlate/batch.h"
#include "correlate/clock.h"
#include "gateway/metrics.h"
#include "gateway/routes.h"
#include "store/writer.h"

namespace throughline::gateway {

// How a handler answers. Copyable; the first call counts; any thread.
using Respond = std::function<void(api::Response)>;

class Ingest {
 public:
  struct Limits {
    DecodeOptions decode;
    std::size_t inflated_bytes = 20UL << 20U;
  };

  // All must outlive it, and every request that it was given.
  Ingest(const Limits& limits, store::Writer& writer, const Clock& clock, Metrics& metrics)
      : limits_(limits), writer_(writer), clock_(clock), metrics_(metrics) {}

  // What the header alone rules out: 415 for a type or an encoding that the door does not read.
  static std::optional<api::Response> Admit(RouteKind kind, const api::Request& head);

  // Any loop thread.
  void Handle(RouteKind kind, api::Request request, Respond respond);

  // An error in the words of the door that `head` came by.
  static api::Response Failure(RouteKind kind, const api::Request& head, const Error& error);

 private:
  struct Pending;
  void Store(std::shared_ptr<Pending> pending, std::string tenant,
             std::shared_ptr<const Batch> batch);

  const Limits limits_;
  store::Writer& writer_;
  const Clock& clock_;
  Metrics& metrics_;
};

}  // namespace throughline::gateway
