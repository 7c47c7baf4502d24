// Takes the exemplars of one request into a batch, or refuses them one by one: what the encodings
// of OTLP share once an exemplar's fields are read.
//
// Exemplars of one data point share its attributes as their labels: append those first, then call
// Begin for each exemplar. Not thread-safe; the batch, the options and `decoded` must outlive it.
#pragma once

#include <cstddef>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::exemplars {

class ExemplarFinisher {
 public:
  ExemplarFinisher(const DecodeOptions& options, Batch& batch, Decoded& decoded)
      : options_(options), batch_(batch), decoded_(decoded) {}

  // Counts one more exemplar received. False: over options.records_per_request.
  bool Begin() {
    attributes_ = batch_.attributes.size();
    return ++decoded_.received <= options_.records_per_request;
  }
  Error TooMany() const;

  // Counts the exemplar rejected and removes the attributes appended since Begin. The reason
  // becomes "exemplar 3: trace_id has 7 bytes, want 16", counted from 0.
  void Reject(std::string_view problem);

  // Appends the exemplar with its service (the resource's) and identity; one without a trace id is
  // counted unlinked, and appended only with options.keep_unlinked.
  void Accept(Exemplar& exemplar, std::string_view repaired);

 private:
  const DecodeOptions& options_;
  Batch& batch_;
  Decoded& decoded_;
  std::size_t attributes_ = 0;
};

}  // namespace throughline::exemplars
