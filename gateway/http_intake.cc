#include "gateway/http_intake.h"

#include <memory>
#include <string>
#include <utility>

#include "correlate/scope.h"
#include "gateway/inflate.h"

namespace throughline::gateway {
namespace {

// A request whose batch waits to be stored.
struct Pending {
  api::Request head;
  DoorRead read;
  Respond respond;
};

}  // namespace

std::optional<api::Response> HttpIntake::Admit(const HttpDoor& door,
                                               const api::Request& head) const {
  const auto check = [&]() -> Result<void> {
    TL_TRY(door.check_head(head));
    TL_TRY(door.encoding(head));
    TL_TRY_ASSIGN(const std::string tenant, TenantFromHeader(head.Header("x-scope-orgid")));
    return ingest_.Admit(tenant);
  };
  const auto checked = check();
  if (checked) return std::nullopt;
  return door.failure(head, checked.error());
}

void HttpIntake::Handle(const HttpDoor& door, api::Request request, Respond respond) {
  const auto fail = [&](const Error& error) {
    ingest_.CountMalformed(door.intake);
    respond(door.failure(request, error));
  };
  // Both were good in Admit.
  auto tenant = TenantFromHeader(request.Header("x-scope-orgid"));
  if (!tenant) return fail(tenant.error());
  const auto encoding = door.encoding(request);
  if (!encoding) return fail(encoding.error());
  const auto inflated = InflateBody(*encoding, limits_.inflated_bytes, request.body);
  if (!inflated) return fail(inflated.error());

  request.arrival_unix_ns = ingest_.clock().NowUnixNs();
  auto batch = std::make_shared<Batch>();
  batch->body = std::move(request.body);
  auto read = door.decode(request, ingest_.decode_options(), *batch);
  if (!read) return fail(read.error());
  ingest_.CountPassed(door.intake, read->passed_points);

  auto pending =
      std::make_shared<Pending>(Pending{std::move(request), *std::move(read), std::move(respond)});
  auto taken = [&door, pending](Result<Outcome> outcome) {
    pending->respond(outcome ? pending->read.answer(pending->read.decoded, *outcome)
                             : door.failure(pending->head, outcome.error()));
  };
  ingest_.Take(door.intake, *std::move(tenant), pending->read.decoded, std::move(batch),
               std::move(taken));
}

}  // namespace throughline::gateway
