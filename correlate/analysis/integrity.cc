#include "correlate/analysis/integrity.h"

namespace throughline {

TraceIntegrity IntegrityOf(const Batch& batch, const TraceTree& tree) {
  TraceIntegrity integrity{.roots = tree.roots,
                           .missing_parents = tree.missing_parents,
                           .duplicates = tree.duplicates,
                           .loops = tree.loops};
  for (std::uint32_t place = 0; place < tree.order.size(); ++place) {
    const Span& span = tree.At(batch, place);
    if (span.end_unix_ns < span.start_unix_ns) {
      ++integrity.end_before_start;
      continue;
    }
    if (tree.parent[place] == kNoIndex) continue;
    const Span& parent = tree.At(batch, tree.parent[place]);
    if (span.start_unix_ns >= parent.end_unix_ns && span.end_unix_ns > parent.end_unix_ns) {
      ++integrity.after_parent;
    } else if (span.start_unix_ns < parent.start_unix_ns) {
      ++integrity.before_parent;
    } else if (span.end_unix_ns > parent.end_unix_ns) {
      ++integrity.outlives_parent;
    }
  }
  return integrity;
}

}  // namespace throughline
