// Reads the records of one kind at the reader's pace: what SQL stands on.
//
// A step is a block of a segment or a hot request, so memory follows neither the number of records
// nor that of segments. The view is the one of the moment at which the scan was made. Of what the
// filter says only whole blocks are left out that cannot have it: more may come than was asked for,
// nothing less (but see `sent`). A record that a retry stored in two parts comes twice. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "correlate/scope.h"
#include "store/segment/segment.h"
#include "store/sqlite/search.h"

namespace throughline::store::sqlite {

struct ScanFilter {
  RecordKind kind = RecordKind::kSpan;
  TimeRange time = {};  // Effective.
  // As sent: a span's start, a line's or exemplar's time. A record that came more than a day before
  // its own time is missed where the range begins after it came (EffectiveRange).
  TimeRange sent = {};
  std::optional<std::string> service = {};        // Stated; of spans and lines.
  std::optional<std::string> name = {};           // Of spans; of exemplars the metric.
  std::optional<std::uint32_t> status_code = {};  // Of spans.
  // Of spans; only beside a `sent` that begins later than 0, since the duration of a span whose
  // start was not sent is none.
  std::uint64_t min_duration_ns = 0;
  std::uint32_t min_severity_number = 0;  // Of lines.
};

// Where the records that arrived within `arrivals` and were sent with a time in `sent` stand by
// effective time. Those that are more than a day ahead of their arrival are not counted where
// `sent` begins after all of `arrivals`: one wrong clock would make every search look at
// everything.
TimeRange EffectiveRange(TimeRange sent, TimeRange arrivals);

// Why a scan ends at the deadline of its scope, or when nobody wants it any more: kUnavailable.
inline constexpr const char* kStopped = "stopped";

class RecordScan {
 public:
  // `scope` is that of the view.
  RecordScan(View view, std::shared_ptr<const Scope> scope, ScanFilter filter);
  RecordScan(const RecordScan&) = delete;
  RecordScan& operator=(const RecordScan&) = delete;

  // Appends the records of the next step that has any; false: there are no more. The one error is
  // kStopped.
  Result<bool> Next(Batch& to);
  // Something could not be read, and was left out.
  bool was_damaged() const { return damaged_; }

  // Of what Next gave last: the place of its segment in the view, or the number of segments.
  std::size_t source() const { return source_; }
  const View& view() const { return view_; }

 private:
  segment::SearchFilter SearchFilterFor(TimeRange arrivals) const;
  // True: it has blocks that are to be read.
  bool BeginSegment(const segment::Segment& segment);

  const View view_;
  const std::shared_ptr<const Scope> scope_;
  const ScanFilter filter_;
  std::size_t source_ = 0;
  bool in_segment_ = false;
  std::vector<std::uint32_t> blocks_;  // Still to read of the segment, the next one last.
  std::size_t hot_ = 0;                // Of the view's.
  std::size_t request_ = 0;            // Of the hot part's.
  bool damaged_ = false;
};

}  // namespace throughline::store::sqlite
