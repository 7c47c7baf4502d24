#include "store/sqlite/found_trace.h"

#include <algorithm>
#include <unordered_map>

namespace throughline::store::sqlite {
namespace {

// Deadlines are looked at once in this many records.
constexpr std::size_t kRecordsPerDeadlineCheck = 1024;

// Reads the chains of traces into a batch, up to a limit and the deadline.
class ChainReader {
 public:
  ChainReader(const View& view, const Memtable::Snapshot& snapshot, std::size_t limit, Batch& batch)
      : view_(view),
        snapshot_(snapshot),
        limit_(limit),
        batch_(batch),
        reader_(snapshot.dictionary(), batch) {}

  void Read(std::uint32_t newest, std::string& reason) {
    for (std::uint32_t at = newest; at != 0 && reason.empty(); at = snapshot_.At(at).next()) {
      if (batch_.record_count() == limit_) {
        reason = kLimitReason;
      } else if (count_++ % kRecordsPerDeadlineCheck == 0 && view_.scope.Expired()) {
        reason = kDeadlineReason;
      } else {
        reader_.Read(snapshot_.At(at), snapshot_.ArrivalOf(at));
      }
    }
  }

 private:
  const View& view_;
  const Memtable::Snapshot& snapshot_;
  const std::size_t limit_;
  Batch& batch_;
  RecordReader reader_;
  std::size_t count_ = 0;
};

// Of equal records the one stays that came first.
template <typename Record>
void DropRepeats(std::vector<Record>& records) {
  std::unordered_map<std::uint64_t, std::size_t> places;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto [place, is_new] = places.try_emplace(records[i].identity, kept);
    Record& same = records[place->second];
    if (is_new) {
      records[kept++] = records[i];
    } else if (records[i].arrival_unix_ns < same.arrival_unix_ns) {
      same = records[i];
    }
  }
  records.resize(kept);
}

}  // namespace

FoundTrace::FoundTrace(const View& view, TraceId id) : view_(view) {
  std::vector<TraceId> stored;
  for (const Memtable::Snapshot& snapshot : view.hot) {
    auto traces = snapshot.TracesOf(view.tenant, id);
    if (traces.empty()) continue;
    for (const auto& trace : traces) stored.push_back(trace.id);
    hot_.push_back({&snapshot, std::move(traces)});
  }
  for (const auto& segment : view.sealed) {
    auto found = segment->Find(view.tenant, id);
    if (!found) {
      damaged_ = true;
    } else if (*found != nullptr) {
      stored.insert(stored.end(), (*found)->ids().begin(), (*found)->ids().end());
      sealed_.push_back(std::move(*found));
    }
  }
  for (const TraceId trace : stored) {
    if (trace.high_known()) matches_.push_back(trace);
  }
  std::sort(matches_.begin(), matches_.end());
  matches_.erase(std::unique(matches_.begin(), matches_.end()), matches_.end());
  if (matches_.size() > kMaxMatches) matches_.resize(kMaxMatches);
  if (matches_.empty() && !stored.empty()) matches_.push_back(stored[0]);
}

std::string FoundTrace::Read(TraceId match, Kinds kinds, std::size_t limit, Batch& to) const {
  std::string reason;
  for (const Hot& hot : hot_) {
    ChainReader reader(view_, *hot.snapshot, limit, to);
    for (const auto& trace : hot.traces) {
      // What carries only the low half belongs to each of them.
      if (!SameTrace(trace.id, match)) continue;
      if (kinds.spans) reader.Read(trace.spans, reason);
      if (kinds.logs) reader.Read(trace.lines, reason);
      if (kinds.exemplars) reader.Read(trace.exemplars, reason);
    }
  }
  bool damaged = damaged_;
  const auto read = [&](const segment::SealedTrace& trace, RecordKind kind) {
    if (!reason.empty()) return;
    if (view_.scope.Expired()) {
      reason = kDeadlineReason;
    } else if (!trace.Read(kind, match, limit, to)) {
      damaged = true;  // What the other segments hold is read all the same.
    }
  };
  for (const auto& trace : sealed_) {
    if (kinds.spans) read(*trace, RecordKind::kSpan);
    if (kinds.logs) read(*trace, RecordKind::kLine);
    if (kinds.exemplars) read(*trace, RecordKind::kExemplar);
  }
  // A retry may have been stored in another part than its first copy.
  if (hot_.size() + sealed_.size() > 1) {
    DropRepeats(to.spans);
    DropRepeats(to.logs);
    DropRepeats(to.exemplars);
  }
  if (to.record_count() > limit) {
    const auto cut = [&](auto& records) {
      const std::size_t over = to.record_count() - std::min(limit, to.record_count());
      records.resize(records.size() - std::min(records.size(), over));
    };
    cut(to.exemplars);
    cut(to.logs);
    cut(to.spans);
    if (reason.empty()) reason = kLimitReason;
  }
  if (reason.empty() && damaged) reason = kDamagedReason;
  return reason;
}

}  // namespace throughline::store::sqlite
