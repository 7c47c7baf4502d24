// Intake over HTTP: what every door's request goes through, whatever its format.
//
//   header: media type, encoding, tenant, the tenant's rate   -> refused before the body is read
//   body:   inflated, decoded (on the loop thread that read it), stored
//   answer: when the records are durable, in the door's own words
#pragma once

#include <optional>

#include "api/http.h"
#include "gateway/doors/door.h"
#include "gateway/http_server.h"
#include "gateway/ingest.h"

namespace throughline::gateway {

class HttpIntake {
 public:
  struct Limits {
    std::size_t inflated_bytes = 20UL << 20U;
  };

  // `ingest` must outlive it.
  HttpIntake(const Limits& limits, Ingest& ingest) : limits_(limits), ingest_(ingest) {}

  // What the header alone rules out.
  std::optional<api::Response> Admit(const HttpDoor& door, const api::Request& head) const;

  // Any loop thread.
  void Handle(const HttpDoor& door, api::Request request, Respond respond);

 private:
  const Limits limits_;
  Ingest& ingest_;
};

}  // namespace throughline::gateway
