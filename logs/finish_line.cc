#include "logs/finish_line.h"

#include <string>

#include "correlate/hash.h"
#include "correlate/identity.h"
#include "logs/link_line.h"

namespace throughline::logs {
namespace {

std::string Named(const Decoded& decoded, std::string_view text) {
  std::string reason = "log record " + std::to_string(decoded.received - 1) + ": ";
  reason += text;
  return reason;
}

}  // namespace

Error LineFinisher::TooMany() const {
  return Error{Errc::kTooLarge, "more than " + std::to_string(options_.records_per_request) +
                                    " log records in one request"};
}

void LineFinisher::Reject(std::string_view problem) {
  batch_.attributes.resize(attributes_);
  decoded_.Reject(Named(decoded_, problem));
}

void LineFinisher::Accept(LogLine& line, std::string_view repaired) {
  if (line.trace_id.IsValid()) {
    line.found_by = FoundBy::kField;
  } else if (LinkLine(line, batch_, FoundBy::kKey).repaired) {
    repaired = "trace id was repaired";
  }
  if (line.trace_id.IsValid()) {
    ++decoded_.accepted;
    if (!repaired.empty()) decoded_.Repair(Named(decoded_, repaired));
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
  if (has_time || line.attributes.count > 0) return IdentityOf(line, batch_, options_.hash_seed);
  if (!request_hashed_) {
    request_hash_ = HashBytes(request_, options_.hash_seed);
    request_hashed_ = true;
  }
  return IdentityOfPlainLine(line, request_hash_, decoded_.received - 1);
}

}  // namespace throughline::logs
