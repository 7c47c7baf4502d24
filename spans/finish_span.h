// Takes the spans of one request into a batch, or refuses them one by one: what the encodings of
// OTLP share once a span's fields are read.
//
//   if (!finisher.Begin()) return finisher.TooMany();
//   ... read fields, append attributes, events and links to the batch ...
//   if (id is broken) finisher.Reject("trace_id has 15 bytes, want 16");
//   else finisher.Accept(span, repaired);
//
// Not thread-safe; the batch, the options and `decoded` must outlive it.
#pragma once

#include <cstddef>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::spans {

class SpanFinisher {
 public:
  SpanFinisher(const DecodeOptions& options, Batch& batch, Decoded& decoded)
      : options_(options), batch_(batch), decoded_(decoded) {}

  // Counts one more span received, and remembers where the batch stood. False: over
  // options.records_per_request.
  bool Begin() {
    attributes_ = batch_.attributes.size();
    events_ = batch_.events.size();
    links_ = batch_.span_links.size();
    return ++decoded_.received <= options_.records_per_request;
  }
  Error TooMany() const;

  // Counts the span rejected and removes what it appended since Begin. `problem` starts with the
  // field's name; the reason becomes "span 3: trace_id has 15 bytes, want 16", counted from 0.
  void Reject(std::string_view problem);

  // Appends the span, whose ids are valid, with its identity. `repaired` names the id field that
  // had to be repaired; empty: none.
  void Accept(Span& span, std::string_view repaired);

 private:
  const DecodeOptions& options_;
  Batch& batch_;
  Decoded& decoded_;
  std::size_t attributes_ = 0;
  std::size_t events_ = 0;
  std::size_t links_ = 0;
};

}  // namespace throughline::spans
