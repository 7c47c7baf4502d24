#include "spans/finish_span.h"

#include <string>

#include "correlate/identity.h"

namespace throughline::spans {
namespace {

std::string Named(const Decoded& decoded, std::string_view text) {
  std::string reason = "span " + std::to_string(decoded.received - 1) + ": ";
  reason += text;
  return reason;
}

}  // namespace

Error SpanFinisher::TooMany() const {
  return Error{Errc::kTooLarge, "more than " + std::to_string(options_.records_per_request) +
                                    " spans in one request"};
}

void SpanFinisher::Reject(std::string_view problem) {
  batch_.attributes.resize(attributes_);
  batch_.events.resize(events_);
  batch_.span_links.resize(links_);
  decoded_.Reject(Named(decoded_, problem));
}

void SpanFinisher::Accept(Span& span, std::string_view repaired) {
  span.identity = IdentityOf(span, batch_, options_.hash_seed);
  batch_.spans.push_back(span);
  ++decoded_.accepted;
  if (!repaired.empty()) {
    decoded_.Repair(Named(decoded_, std::string(repaired) + " was repaired"));
  }
}

}  // namespace throughline::spans
