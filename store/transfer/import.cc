#include "store/transfer/import.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "store/copy.h"

namespace throughline::store::transfer {
namespace {

std::uint64_t SentTime(const Span& span) { return span.start_unix_ns; }
template <typename Record>
std::uint64_t SentTime(const Record& record) {
  return record.time_unix_ns;
}
std::uint64_t ObservedTime(const LogLine& line) { return line.observed_unix_ns; }
template <typename Record>
std::uint64_t ObservedTime(const Record&) {
  return 0;
}

template <typename Visit>
void ForEachRecord(const Batch& batch, Visit visit) {
  for (const Span& span : batch.spans) visit(span);
  for (const LogLine& line : batch.logs) visit(line);
  for (const Exemplar& exemplar : batch.exemplars) visit(exemplar);
  for (const GaugePoint& point : batch.gauges) visit(point);
}

// An appending has one arrival: batches are taken apart by it, and by the time asked for.
class Splitter {
 public:
  Splitter(const ImportRequest& request, std::string tenant, std::shared_ptr<const Batch> batch)
      : request_(request), tenant_(std::move(tenant)), batch_(std::move(batch)) {}

  std::vector<Appending> Split(std::uint64_t& left_out) {
    std::uint64_t only = 0;
    bool whole = true;
    std::size_t seen = 0;
    ForEachRecord(*batch_, [&](const auto& record) {
      const std::uint64_t arrival = ArrivalOf(record);
      if (seen++ == 0) only = arrival;
      whole = whole && arrival == only && IsWanted(record, arrival);
    });
    if (whole) return {Of(batch_, only)};
    ForEachRecord(*batch_, [&](const auto& record) {
      const std::uint64_t arrival = ArrivalOf(record);
      if (IsWanted(record, arrival)) {
        PartOf(arrival).copier.Copy(record);
      } else {
        ++left_out;
      }
    });
    std::vector<Appending> appendings;
    for (auto& [arrival, part] : parts_) appendings.push_back(Of(part->batch, arrival));
    return appendings;
  }

 private:
  struct Part {
    explicit Part(const Batch& from) : batch(std::make_shared<Batch>()), copier(from, *batch) {}
    std::shared_ptr<Batch> batch;
    RecordCopier copier;
  };

  template <typename Record>
  std::uint64_t ArrivalOf(const Record& record) const {
    return record.arrival_unix_ns != 0 ? record.arrival_unix_ns : request_.arrival_unix_ns;
  }
  template <typename Record>
  bool IsWanted(const Record& record, std::uint64_t arrival) const {
    return request_.time.Contains(
        EffectiveTimeOf(SentTime(record), ObservedTime(record), arrival).unix_ns);
  }
  Part& PartOf(std::uint64_t arrival) {
    std::unique_ptr<Part>& part = parts_[arrival];
    if (part == nullptr) part = std::make_unique<Part>(*batch_);
    return *part;
  }
  Appending Of(std::shared_ptr<const Batch> batch, std::uint64_t arrival) const {
    return {.tenant = tenant_, .batch = std::move(batch), .arrival_unix_ns = arrival};
  }

  const ImportRequest& request_;
  const std::string tenant_;
  const std::shared_ptr<const Batch> batch_;
  std::map<std::uint64_t, std::unique_ptr<Part>> parts_;
};

void Add(const Appended& more, Appended& sum) {
  sum.spans += more.spans;
  sum.logs += more.logs;
  sum.exemplars += more.exemplars;
  sum.gauges += more.gauges;
  sum.deduplicated_spans += more.deduplicated_spans;
  sum.deduplicated_logs += more.deduplicated_logs;
  sum.deduplicated_exemplars += more.deduplicated_exemplars;
  sum.deduplicated_gauges += more.deduplicated_gauges;
}

Result<void> Append(Incoming incoming, const ImportRequest& request, Store& store,
                    Imported& imported) {
  std::string tenant = std::move(incoming.tenant);
  if (tenant.empty()) tenant = request.tenant.empty() ? kDefaultTenant : request.tenant;
  if (!request.tenant.empty() && tenant != request.tenant) {
    imported.left_out += incoming.batch->record_count();
    return {};
  }
  Splitter splitter(request, std::move(tenant), std::move(incoming.batch));
  const std::vector<Appending> appendings = splitter.Split(imported.left_out);
  if (appendings.empty()) return {};
  TL_TRY_ASSIGN(const std::vector<Appended> appended, store.Append(appendings));
  for (const Appended& counts : appended) Add(counts, imported.appended);
  return {};
}

}  // namespace

Result<Imported> Import(Input& input, const ImportRequest& request, Store& store,
                        const ImportHooks& hooks) {
  Imported imported;
  while (!hooks.stop()) {
    TL_TRY_ASSIGN(Incoming incoming, input.Next());
    if (incoming.batch == nullptr) {
      imported.complete = true;
      return imported;
    }
    TL_TRY(Append(std::move(incoming), request, store, imported));
    TL_TRY(hooks.note());
    hooks.progress(imported);
  }
  return imported;
}

}  // namespace throughline::store::transfer
