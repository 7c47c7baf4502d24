#include "logs/finish_line.h"

#include <string>

#include "correlate/hash.h"
#include "correlate/identity.h"
#include "logs/link_line.h"

namespace throughline::logs {

std::string LineFinisher::Named(std::string_view text) const {
  std::string reason(style_.noun);
  reason += " " + std::to_string(decoded_.received - 1) + ": ";
  return reason.append(text);
}

Error LineFinisher::TooMany() const {
  return Error{Errc::kTooLarge, "more than " + std::to_string(options_.records_per_request) + " " +
                                    std::string(style_.noun) + "s in one request"};
}

void LineFinisher::Reject(std::string_view problem) {
  batch_.attributes.resize(attributes_);
  decoded_.Reject(Named(problem));
}

void LineFinisher::Accept(LogLine& line, std::string_view repaired) {
  if (line.trace_id.IsValid()) {
    line.found_by = FoundBy::kField;
  } else if (LinkLine(line, batch_, style_.field).repaired) {
    repaired = "trace id was repaired";
  }
  if (line.trace_id.IsValid()) {
    ++decoded_.accepted;
    if (!repaired.empty()) decoded_.Repair(Named(repaired));
  } else {
    ++decoded_.unlinked;
    if (!options_.keep_unlinked) {
      batch_.attributes.resize(attributes_);
      return;
    }
  }
  const Resource* const resource = batch_.ResourceOf(line.resource);
  if (resource != nullptr) line.service = resource->service;
  line.identity = IdentityFor(line);
  batch_.logs.push_back(line);
}

std::uint64_t LineFinisher::IdentityFor(const LogLine& line) {
  const bool has_time = line.time_unix_ns != 0 || line.observed_unix_ns != 0;
  const bool known = has_time || (style_.known_by_attributes && line.attributes.count > 0);
  if (known) return IdentityOf(line, batch_, options_.hash_seed);
  if (!request_hashed_) {
    request_hash_ = HashBytes(request_, options_.hash_seed);
    if (style_.occasion != 0) request_hash_ = HashCombine(request_hash_, style_.occasion);
    request_hashed_ = true;
  }
  return IdentityOfPlainLine(line, request_hash_, decoded_.received - 1);
}

}  // namespace throughline::logs
