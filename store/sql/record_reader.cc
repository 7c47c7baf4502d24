#include "store/sql/record_reader.h"

#include <algorithm>
#include <type_traits>

#include "store/sqlite/found_trace.h"

namespace throughline::store::sql {
namespace {

template <typename Record>
constexpr sqlite::RecordKind kKindOf =
    std::is_same_v<Record, Span>      ? sqlite::RecordKind::kSpan
    : std::is_same_v<Record, LogLine> ? sqlite::RecordKind::kLine
                                      : sqlite::RecordKind::kExemplar;

template <typename Record>
sqlite::ScanFilter FilterOf(const Wanted& wanted) {
  return {.kind = kKindOf<Record>,
          .sent = wanted.time,
          .service = wanted.service,
          .name = wanted.name,
          .status_code = wanted.status_code,
          .min_duration_ns = wanted.min_duration_ns,
          .min_severity_number = wanted.min_severity_number};
}

}  // namespace

template <typename Record>
const std::vector<Record>& RecordReader<Record>::records() const {
  if constexpr (std::is_same_v<Record, Span>) {
    return batch_.spans;
  } else if constexpr (std::is_same_v<Record, LogLine>) {
    return batch_.logs;
  } else {
    return batch_.exemplars;
  }
}

template <typename Record>
Result<void> RecordReader<Record>::Begin(const Wanted& wanted) {
  const bool is_same = is_whole_trace_ && !wanted.nothing && wanted.tenant == wanted_.tenant &&
                       wanted.trace_id == wanted_.trace_id;
  wanted_ = wanted;
  at_ = 0;
  at_end_ = false;
  if (is_same) return Settle();
  is_whole_trace_ = false;
  scan_.reset();
  batch_ = Batch();
  tenant_.clear();
  tenants_.clear();
  if (!wanted.nothing) tenants_ = source_.Tenants(wanted);
  std::reverse(tenants_.begin(), tenants_.end());
  return Settle();
}

template <typename Record>
Result<void> RecordReader<Record>::Next() {
  ++at_;
  return Settle();
}

template <typename Record>
Result<void> RecordReader<Record>::Settle() {
  for (;;) {
    for (; at_ < records().size(); ++at_) {
      if (!wanted_.trace_id || records()[at_].trace_id == *wanted_.trace_id) return {};
    }
    if (is_whole_trace_) {
      at_end_ = true;
      return {};
    }
    batch_ = Batch();
    at_ = 0;
    TL_TRY_ASSIGN(const bool more, ReadBatch());
    if (!more) {
      at_end_ = true;
      return {};
    }
  }
}

template <typename Record>
Result<bool> RecordReader<Record>::ReadBatch() {
  for (;;) {
    if (scan_ != nullptr) {
      TL_TRY_ASSIGN(const bool more, scan_->Next(batch_));
      if (more) return true;
      if (scan_->was_damaged()) source_.NoteDamage();
      scan_.reset();
    }
    if (tenants_.empty()) return false;
    const bool is_only = tenant_.empty() && tenants_.size() == 1;
    tenant_ = std::move(tenants_.back());
    tenants_.pop_back();
    if (wanted_.trace_id) {
      TL_TRY(ReadTrace());
      is_whole_trace_ = is_only;
      return true;
    }
    scan_ = source_.store->Scan(source_.ScopeOf(tenant_), FilterOf<Record>(wanted_));
  }
}

template <typename Record>
Result<void> RecordReader<Record>::ReadTrace() {
  FindOptions options;
  options.spans = std::is_same_v<Record, Span>;
  options.logs = std::is_same_v<Record, LogLine>;
  options.exemplars = std::is_same_v<Record, Exemplar>;
  options.record_limit = kTraceRecords;
  const Scope scope = source_.ScopeOf(tenant_);
  TL_TRY_ASSIGN(TraceRecords found, source_.store->FindTrace(scope, *wanted_.trace_id, options));
  // A 64-bit id with several traces behind it: what has no more than that id is in each of them.
  if (found.matches.size() > 1) {
    TL_TRY_ASSIGN(found, source_.store->FindTrace(scope, found.matches.front(), options));
  }
  if (found.incomplete_reason == sqlite::kDeadlineReason) {
    return Error{Errc::kUnavailable, sqlite::kStopped};
  }
  if (found.incomplete_reason == sqlite::kLimitReason) {
    return Error{Errc::kTooLarge, "trace " + ToHex(*wanted_.trace_id) + " has more than " +
                                      std::to_string(kTraceRecords) + " records"};
  }
  if (!found.complete) source_.NoteDamage();
  batch_ = std::move(found.records);
  return {};
}

template class RecordReader<Span>;
template class RecordReader<LogLine>;
template class RecordReader<Exemplar>;

}  // namespace throughline::store::sql
