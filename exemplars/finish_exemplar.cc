#include "exemplars/finish_exemplar.h"

#include <string>

#include "correlate/identity.h"

namespace throughline::exemplars {
namespace {

std::string Named(const Decoded& decoded, std::string_view text) {
  std::string reason = "exemplar " + std::to_string(decoded.received - 1) + ": ";
  reason += text;
  return reason;
}

}  // namespace

Error ExemplarFinisher::TooMany() const {
  return Error{Errc::kTooLarge, "more than " + std::to_string(options_.records_per_request) +
                                    " exemplars in one request"};
}

void ExemplarFinisher::Reject(std::string_view problem) {
  batch_.attributes.resize(attributes_);
  decoded_.Reject(Named(decoded_, problem));
}

void ExemplarFinisher::Accept(Exemplar& exemplar, std::string_view repaired) {
  if (exemplar.trace_id.IsValid()) {
    ++decoded_.accepted;
    if (!repaired.empty()) {
      decoded_.Repair(Named(decoded_, std::string(repaired) + " was repaired"));
    }
  } else {
    ++decoded_.unlinked;
    if (!options_.keep_unlinked) {
      batch_.attributes.resize(attributes_);
      return;
    }
  }
  const Resource* const resource = batch_.ResourceOf(exemplar.resource);
  if (resource != nullptr) exemplar.service = resource->service;
  exemplar.identity = IdentityOf(exemplar, batch_, options_.hash_seed);
  batch_.exemplars.push_back(exemplar);
}

}  // namespace throughline::exemplars
