// How much a batch held, to go back to when a record turns out to be none.
#pragma once

#include <cstddef>

#include "correlate/batch.h"

namespace throughline::store::transfer {

class BatchMark {
 public:
  explicit BatchMark(const Batch& batch)
      : resources_(batch.resources.size()),
        scopes_(batch.scopes.size()),
        attributes_(batch.attributes.size()),
        events_(batch.events.size()),
        span_links_(batch.span_links.size()),
        related_(batch.related.size()) {}

  // Records themselves are appended last, and so never taken back. The arena keeps what it has.
  void Restore(Batch& batch) const {
    batch.resources.resize(resources_);
    batch.scopes.resize(scopes_);
    batch.attributes.resize(attributes_);
    batch.events.resize(events_);
    batch.span_links.resize(span_links_);
    batch.related.resize(related_);
  }

 private:
  std::size_t resources_;
  std::size_t scopes_;
  std::size_t attributes_;
  std::size_t events_;
  std::size_t span_links_;
  std::size_t related_;
};

}  // namespace throughline::store::transfer
