#include "logs/finish_line.h"

#include <string>

#include "correlate/hash.h"
#include "correlate/identity.h"
#include "logs/link_line.h"

namespace throughline::logs {
namespace {

std::string Named(const LineStyle& style, const Decoded& decoded, std::string_view text) {
  std::string reason(style.name);
  reason += ' ';
  reason += std::to_string(decoded.received - 1);
  reason += ": ";
  reason += text;
  return reason;
}

}  // namespace

Error LineFinisher::TooMany() const {
  std::string message = "more than " + std::to_string(options_.records_per_request) + ' ';
  message.append(style_.plural).append(" in one request");
  return Error{Errc::kTooLarge, std::move(message)};
}

void LineFinisher::Reject(std::string_view problem) {
  batch_.attributes.resize(attributes_);
  decoded_.Reject(Named(style_, decoded_, problem));
}

bool LineFinisher::Link(LogLine& line, std::string_view repaired,
                        std::span<const Attribute> source) {
  if (line.trace_id.IsValid()) {
    line.found_by = FoundBy::kField;
  } else if (LinkLine(line, batch_, style_.field, source).repaired) {
    repaired = "trace id was repaired";
  }
  if (line.trace_id.IsValid()) {
    ++decoded_.accepted;
    if (!repaired.empty()) decoded_.Repair(Named(style_, decoded_, repaired));
    return true;
  }
  ++decoded_.unlinked;
  if (options_.keep_unlinked) return true;
  batch_.attributes.resize(attributes_);
  return false;
}

void LineFinisher::Append(LogLine& line, std::uint64_t identity) {
  line.identity = identity;
  batch_.logs.push_back(line);
}

void LineFinisher::Accept(LogLine& line, std::string_view repaired,
                          std::span<const Attribute> source) {
  if (!Link(line, repaired, source)) return;
  const Resource* const resource = batch_.ResourceOf(line.resource);
  if (resource != nullptr && !resource->service.empty()) line.service = resource->service;
  Append(line, IdentityFor(line));
}

void LineFinisher::AcceptNamed(LogLine& line, std::uint64_t name) {
  if (!Link(line, {}, {})) return;
  Append(line, HashCombine(IdentityOf(line, batch_, options_.hash_seed), name));
}

std::uint64_t LineFinisher::IdentityFor(LogLine& line) {
  const bool has_time = line.time_unix_ns != 0 || line.observed_unix_ns != 0;
  if (has_time || (style_.attributes_identify && line.attributes.count > 0)) {
    line.identity_follows = true;
    return IdentityOf(line, batch_, options_.hash_seed);
  }
  if (!request_hashed_) {
    request_hash_ = HashBytes(request_, options_.hash_seed);
    request_hashed_ = true;
  }
  return IdentityOfPlainLine(line, request_hash_, decoded_.received - 1);
}

}  // namespace throughline::logs
