// A door of intake over HTTP, as data: which headers it takes, how its body is read, and what it
// answers. gateway/routes says which paths lead to it.
#pragma once

#include <cstddef>
#include <functional>

#include "api/http.h"
#include "correlate/batch.h"
#include "correlate/result.h"
#include "gateway/ingest.h"
#include "wire/compress.h"

namespace throughline::gateway {

// What a door's decoder made of a body.
struct DoorRead {
  Decoded decoded;
  std::size_t passed_points = 0;  // Metric points, which are not kept.
  // The answer once the batch is stored. Owns what it needs; must not view the batch.
  std::function<api::Response(const Decoded& decoded, const Outcome& outcome)> answer;
};

struct HttpDoor {
  Intake intake = Intake::kOtlpTraces;
  // Whether decode() reads the path's captures and the query.
  bool reads_target = false;
  // kUnsupported for a media type that the door does not read.
  Result<void> (*check_head)(const api::Request& head) = nullptr;
  // The coding of the body.
  Result<wire::Encoding> (*encoding)(const api::Request& head) = nullptr;
  // Reads the inflated body, which stands in `batch`. `head` is the request without its body.
  Result<DoorRead> (*decode)(const api::Request& head, const DecodeOptions& options,
                             Batch& batch) = nullptr;
  // An error in the door's own words.
  api::Response (*failure)(const api::Request& head, const Error& error) = nullptr;
};

}  // namespace throughline::gateway
