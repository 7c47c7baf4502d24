#include "store/sqlite/memtable.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <type_traits>

#include "correlate/hash.h"
#include "correlate/identity.h"
#include "store/sqlite/record_check.h"

namespace throughline::store::sqlite {
namespace {

// Offset 0 means "none", so records start behind it.
constexpr std::size_t kFirstRecord = 8;
constexpr std::size_t kBytesPerBucket = 1024;   // Of capacity: about one trace of a few spans.
constexpr std::uint32_t kRereadTogether = 512;  // Records, when a tail is read.

std::uint32_t KindOf(const Span& span) { return span.kind; }
std::uint32_t KindOf(const LogLine&) { return Counter::kLines; }
std::uint32_t KindOf(const Exemplar&) { return Counter::kExemplars; }

template <typename Record>
constexpr RecordKind RecordKindOf() {
  if constexpr (std::is_same_v<Record, Span>) return RecordKind::kSpan;
  if constexpr (std::is_same_v<Record, LogLine>) return RecordKind::kLine;
  return RecordKind::kExemplar;
}

// Equal identities of two tenants or of two kinds are not the same record.
std::uint64_t IdentityKey(std::uint64_t identity, RecordKind kind, std::uint64_t tenant_mix) {
  return identity ^ (tenant_mix * (2 * static_cast<std::uint64_t>(kind) + 1));
}

// What a row holds.
struct RecordCounts {
  std::size_t records = 0;
  std::size_t gauges = 0;  // Points; a record of them is none of the above.
};

// nullopt: the sizes of the records do not add up, or one is of no kind that is known.
std::optional<RecordCounts> CountRecords(std::string_view bytes) {
  RecordCounts counts;
  while (!bytes.empty()) {
    if (bytes.size() < kGaugeFixedBytes) return std::nullopt;
    const RecordView record(bytes.data());
    if (record.kind() < RecordKind::kSpan || record.kind() > RecordKind::kGauges)
      return std::nullopt;
    const bool is_gauges = record.kind() == RecordKind::kGauges;
    const std::size_t least = is_gauges ? kGaugeFixedBytes : kFixedBytes;
    if (record.size() < least || record.size() > bytes.size()) return std::nullopt;
    if (is_gauges) {
      const std::size_t points = GaugeRecordView(bytes.data()).count();
      if (points > record.size() / kLeastGaugePointBytes) return std::nullopt;
      counts.gauges += points;
    } else {
      ++counts.records;
    }
    bytes.remove_prefix(record.size());
  }
  return counts;
}

}  // namespace

Memtable::Memtable(std::size_t capacity_bytes, std::uint64_t seed, Earlier earlier,
                   const std::shared_ptr<RegionPool>& pool)
    : capacity_bytes_(std::min<std::size_t>(capacity_bytes, UINT32_MAX - 4095)),
      seed_(seed),
      records_(capacity_bytes_, pool),
      dictionary_(capacity_bytes_, seed),
      traces_(capacity_bytes_ / sizeof(TraceEntry) + 1, pool),
      blocks_(capacity_bytes_ / sizeof(Block) + 1),
      counters_(capacity_bytes_ / sizeof(Counter) + 1),
      gauge_index_(capacity_bytes_, seed),
      buckets_(std::bit_ceil(std::max<std::size_t>(capacity_bytes_ / kBytesPerBucket, 1024))),
      identities_(std::make_shared<IdentitySet>()),
      earlier_(std::move(earlier)) {
  records_.Extend(kFirstRecord);
}

void Memtable::NoteTimes(Block& block) const {
  for (std::uint32_t at = block.begin; at < block.end;) {
    const RecordView record(records_.data() + at);
    if (record.kind() != RecordKind::kGauges) block.Note(record);
    at += record.size();
  }
}

bool Memtable::InsertIdentity(std::uint64_t identity) {
  for (const auto& earlier : earlier_) {
    if (earlier->Contains(identity)) return false;
  }
  return identities_->Insert(identity);
}

std::uint64_t Memtable::TenantMix(std::uint32_t tenant) const {
  return HashMix(seed_ ^ 0xa0761d6478bd642fULL, tenant + 0x9e3779b97f4a7c15ULL);
}

std::size_t Memtable::BucketOf(std::uint32_t tenant, TraceId id) const {
  const std::uint64_t key = id.low != 0 ? id.low : HashMix(id.high, ~seed_);
  return HashCombine(TenantMix(tenant), key) & (buckets_.size() - 1);
}

std::size_t Memtable::used_bytes() const {
  return records_.size() + dictionary_.size_bytes() + traces_.size_bytes() + blocks_.size_bytes() +
         counters_.size_bytes() + counter_table_.size_bytes() + trace_table_.size_bytes() +
         gauge_index_.size_bytes() + identities_->size_bytes() +
         buckets_.size() * sizeof(buckets_[0]);
}

bool Memtable::HasRoomFor(std::size_t record_bytes, std::size_t dictionary_bytes,
                          std::size_t records, std::size_t gauges) const {
  // Each record may be the first of a trace and of an operation, each point that of a series.
  const std::size_t index_bytes =
      identities_->size_bytes_with(records + gauges) - identities_->size_bytes() +
      records * (sizeof(TraceEntry) + sizeof(Counter) + 2 * HashTable::kSlotBytes) +
      gauges * GaugeIndex::kEntryBytes;
  const std::size_t more = record_bytes + dictionary_bytes + index_bytes;
  return used_bytes() + more <= capacity_bytes_ && record_bytes + 64 <= records_.left() &&
         dictionary_bytes + 64 <= dictionary_.left_bytes();
}

Result<Memtable::Staged> Memtable::Stage(std::uint32_t tenant, std::uint64_t arrival_unix_ns,
                                         const Batch& batch) {
  // Attributes that were hashed with another seed would never be found again.
  TL_CHECK(batch.attributes.empty() ||
           batch.attributes[0].hash == HashBytes(batch.attributes[0].bytes(), seed_));
  if (pending_.empty() && staged_blocks_.empty()) staged_dictionary_ = dictionary_.mark();
  RecordWriter writer(dictionary_, batch);
  std::size_t bound = 0;
  for (const Span& span : batch.spans) bound += writer.Bound(span);
  for (const LogLine& line : batch.logs) bound += writer.Bound(line);
  for (const Exemplar& exemplar : batch.exemplars) bound += writer.Bound(exemplar);
  const std::size_t gauges = batch.gauges.size();
  if (gauges > 0) bound += kGaugeFixedBytes + gauges * kGaugePointBytes;
  if (!HasRoomFor(bound, writer.DictionaryBound(), batch.record_count() - gauges, gauges)) {
    return Error{Errc::kUnavailable, "the store is full: " + std::to_string(used_bytes()) +
                                         " bytes of store.hot_bytes " +
                                         std::to_string(capacity_bytes_) + " are in use"};
  }
  const Dictionary::Mark dictionary_mark = dictionary_.mark();
  const std::uint64_t mix = TenantMix(tenant);
  Block block{.begin = static_cast<std::uint32_t>(records_.size()),
              .tenant = tenant,
              .arrival_unix_ns = arrival_unix_ns};
  block.spans = StageRecords(batch.spans, tenant, mix, writer);
  block.lines = StageRecords(batch.logs, tenant, mix, writer);
  block.exemplars = StageRecords(batch.exemplars, tenant, mix, writer);
  StageGauges(batch.gauges, mix, writer, block);
  block.end = static_cast<std::uint32_t>(records_.size());
  NoteTimes(block);
  staged_blocks_.push_back(block);

  Staged staged;
  staged.records = {records_.data() + block.begin, block.end - block.begin};
  staged.dictionary = dictionary_.Since(dictionary_mark);
  if (block.gauges > 0) staged.format = kFormatWithGauges;
  staged.counts = {.spans = block.spans,
                   .logs = block.lines,
                   .exemplars = block.exemplars,
                   .gauges = block.gauges,
                   .deduplicated_spans = batch.spans.size() - block.spans,
                   .deduplicated_logs = batch.logs.size() - block.lines,
                   .deduplicated_exemplars = batch.exemplars.size() - block.exemplars,
                   .deduplicated_gauges = gauges - block.gauges};
  return staged;
}

template <typename Record>
std::uint32_t Memtable::StageRecords(const std::vector<Record>& records, std::uint32_t tenant,
                                     std::uint64_t tenant_mix, RecordWriter& writer) {
  // Identities fall on random cache lines: those of the next few records are fetched meanwhile.
  constexpr std::size_t kAhead = 8;
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i + kAhead < records.size()) {
      const std::uint64_t ahead =
          IdentityKey(records[i + kAhead].identity, RecordKindOf<Record>(), tenant_mix);
      identities_->Prefetch(ahead);
      for (const auto& earlier : earlier_) earlier->Prefetch(ahead);
    }
    if (StageRecord(records[i], tenant, tenant_mix, writer)) ++stored;
  }
  return stored;
}

template <typename Record>
bool Memtable::StageRecord(const Record& record, std::uint32_t tenant, std::uint64_t tenant_mix,
                           RecordWriter& writer) {
  const std::uint64_t identity = IdentityKey(record.identity, RecordKindOf<Record>(), tenant_mix);
  if (!InsertIdentity(identity)) return false;
  staged_identities_.push_back(identity);
  Written written;
  const auto reference = static_cast<std::uint32_t>(records_.size());
  records_.Extend(writer.Write(record, records_.end(), written));
  Pending pending{.reference = reference, .counter = CounterOf(tenant, written, KindOf(record))};
  if constexpr (std::is_same_v<Record, Span>) pending.error = record.is_error();
  pending_.push_back(pending);
  return true;
}

void Memtable::StageGauges(const std::vector<GaugePoint>& points, std::uint64_t tenant_mix,
                           RecordWriter& writer, Block& block) {
  new_gauges_.clear();
  std::uint64_t earliest = UINT64_MAX;
  std::uint64_t latest = 0;
  for (std::uint32_t i = 0; i < points.size(); ++i) {
    const GaugePoint& point = points[i];
    const std::uint64_t identity = IdentityKey(point.identity, RecordKind::kGauges, tenant_mix);
    if (!InsertIdentity(identity)) continue;
    staged_identities_.push_back(identity);
    new_gauges_.push_back(i);
    earliest = std::min(earliest, point.time_unix_ns);
    latest = std::max(latest, point.time_unix_ns);
  }
  if (new_gauges_.empty()) return;
  GaugeRecordWriter record(earliest, latest, records_.end());
  for (const std::uint32_t index : new_gauges_) {
    const GaugePoint& point = points[index];
    const GaugeSeries series = InternSeries(point, seed_, writer);
    gauge_index_.Note(block.tenant, series);
    record.Add({.series = series.id, .time_unix_ns = point.time_unix_ns, .value = point.value});
  }
  block.gauges = static_cast<std::uint32_t>(new_gauges_.size());
  block.gauge_record = static_cast<std::uint32_t>(records_.size());
  records_.Extend(record.Finish());
}

std::uint64_t Memtable::HashOf(const Counter& counter) const {
  const std::uint64_t names = (std::uint64_t{counter.service} << 32U) | counter.name;
  return HashCombine(HashCombine(seed_ ^ counter.kind, names), counter.tenant);
}

std::uint32_t Memtable::CounterOf(std::uint32_t tenant, const Written& written,
                                  std::uint32_t kind) {
  Counter wanted{.tenant = tenant, .service = written.service, .name = written.name, .kind = kind};
  const std::uint64_t hash = HashOf(wanted);
  const std::uint32_t found = counter_table_.Find(hash, [&](std::uint32_t reference) {
    const Counter& counter = counters_[reference - 1];
    return counter.tenant == tenant && counter.service == written.service &&
           counter.name == written.name && counter.kind == kind;
  });
  if (found != 0) return found;
  const auto reference = static_cast<std::uint32_t>(counters_.size() + 1);
  counters_.Append(tenant, written.service, written.name, kind);
  counter_table_.Insert(hash, reference,
                        [this](std::uint32_t index) { return HashOf(counters_[index - 1]); });
  return reference;
}

std::uint64_t Memtable::HashOf(std::uint32_t tenant, TraceId id) const {
  return HashCombine(TenantMix(tenant) ^ id.high, id.low ^ seed_);
}

Memtable::TraceEntry* Memtable::FindOrAddTrace(std::uint32_t tenant, TraceId id) {
  const std::uint64_t hash = HashOf(tenant, id);
  const std::uint32_t known = trace_table_.Find(hash, [&](std::uint32_t reference) {
    const TraceEntry& entry = traces_[reference - 1];
    return entry.id == id && entry.tenant == tenant;
  });
  if (known != 0) return &traces_[known - 1];
  std::atomic<std::uint32_t>& bucket = buckets_[BucketOf(tenant, id)];
  TraceEntry& entry = traces_.Append(id, tenant, bucket.load(std::memory_order_relaxed));
  const auto reference = static_cast<std::uint32_t>(traces_.size());
  trace_table_.Insert(hash, reference, [this](std::uint32_t index) {
    return HashOf(traces_[index - 1].tenant, traces_[index - 1].id);
  });
  bucket.store(reference, std::memory_order_release);
  trace_count_.fetch_add(1, std::memory_order_relaxed);
  return &entry;
}

void Memtable::Link(const Block& block, const Pending& pending) {
  char* const at = records_.data() + pending.reference;
  const RecordView record(at);
  Counter& counter = counters_[pending.counter - 1];
  counter.count.fetch_add(1, std::memory_order_relaxed);
  if (pending.error) counter.errors.fetch_add(1, std::memory_order_relaxed);
  const TraceId id = record.trace_id();
  if (!id.IsValid()) return;  // Unlinked: found by scans alone.
  TraceEntry* const entry = FindOrAddTrace(block.tenant, id);
  std::atomic<std::uint32_t>& head = record.kind() == RecordKind::kSpan   ? entry->spans
                                     : record.kind() == RecordKind::kLine ? entry->lines
                                                                          : entry->exemplars;
  const std::uint32_t next = head.load(std::memory_order_relaxed);
  std::memcpy(at + 4, &next, sizeof next);
  head.store(pending.reference, std::memory_order_release);
}

void Memtable::Publish(const std::function<bool()>& anyone_waits,
                       const std::function<void(std::uint32_t tenant, TraceId id)>& linked) {
  std::size_t next = 0;
  for (const Block& block : staged_blocks_) {
    for (; next < pending_.size() && pending_[next].reference < block.end; ++next) {
      // The slot of a record's trace a little ahead is fetched while this one is linked.
      constexpr std::size_t kAhead = 6;
      if (next + kAhead < pending_.size()) {
        const RecordView ahead(records_.data() + pending_[next + kAhead].reference);
        trace_table_.Prefetch(HashOf(block.tenant, ahead.trace_id()));
      }
      Link(block, pending_[next]);
    }
    if (block.begin == block.end) continue;
    blocks_.Append(block);
    spans_.fetch_add(block.spans, std::memory_order_relaxed);
    lines_.fetch_add(block.lines, std::memory_order_relaxed);
    exemplars_.fetch_add(block.exemplars, std::memory_order_relaxed);
    gauges_.fetch_add(block.gauges, std::memory_order_relaxed);
  }
  gauge_index_.Publish();
  visible_blocks_.store(blocks_.size(), std::memory_order_release);
  visible_strings_.store(dictionary_.mark().count, std::memory_order_release);
  visible_counters_.store(counters_.size(), std::memory_order_release);
  memory_bytes_.store(used_bytes(), std::memory_order_relaxed);
  if (anyone_waits()) TellLinked(linked);
  pending_.clear();
  staged_identities_.clear();
  staged_blocks_.clear();
}

void Memtable::TellLinked(const std::function<void(std::uint32_t, TraceId)>& linked) const {
  TraceId last;
  auto pending = pending_.begin();
  for (const Block& block : staged_blocks_) {
    for (; pending != pending_.end() && pending->reference < block.end; ++pending) {
      const TraceId id = RecordView(records_.data() + pending->reference).trace_id();
      if (id.IsValid() && id != last) linked(block.tenant, id);
      last = id;
    }
    last = {};
  }
}

void Memtable::DropStaged() {
  if (staged_blocks_.empty()) return;  // The mark of the dictionary is an earlier batch's.
  for (const std::uint64_t identity : staged_identities_) identities_->Erase(identity);
  records_.Shrink(staged_blocks_.front().begin);
  dictionary_.RollBack(staged_dictionary_);
  // Counters that only these records asked for stay, at zero: their names may be gone, so they
  // are taken out of the table and never shown.
  while (counters_.size() > visible_counters_.load(std::memory_order_relaxed)) {
    const auto reference = static_cast<std::uint32_t>(counters_.size());
    counter_table_.Erase(HashOf(counters_[reference - 1]), reference,
                         [this](std::uint32_t index) { return HashOf(counters_[index - 1]); });
    counters_.Shrink(counters_.size() - 1);
  }
  gauge_index_.DropStaged();
  pending_.clear();
  staged_identities_.clear();
  staged_blocks_.clear();
}

// Records of a tail row together, so that what they share is read once.
struct Memtable::Reread {
  explicit Reread(const Dictionary& dictionary) : reader(dictionary, batch) {}
  Batch batch;
  RecordReader reader;
};

Memtable::Pending Memtable::Recount(const Batch& batch, RecordView record, Block& block) {
  Written written;
  std::uint32_t kind = 0;
  bool error = false;
  const auto id_of = [this](std::string_view text) {
    return text.empty() ? kNotInterned : dictionary_.Intern(text);
  };
  if (record.kind() == RecordKind::kSpan) {
    const Span& span = batch.spans.back();
    written = {.service = id_of(batch.ServiceOf(span)), .name = id_of(span.name)};
    kind = KindOf(span);
    error = span.is_error();
    ++block.spans;
  } else if (record.kind() == RecordKind::kLine) {
    written.service = id_of(batch.logs.back().service);
    kind = Counter::kLines;
    ++block.lines;
  } else if (record.kind() == RecordKind::kExemplar) {
    written.service = id_of(batch.exemplars.back().service);
    kind = Counter::kExemplars;
    ++block.exemplars;
  }
  return {.reference = static_cast<std::uint32_t>(record.data() - records_.data()),
          .counter = CounterOf(block.tenant, written, kind),
          .error = error};
}

bool Memtable::ReplayGauges(std::uint32_t reference, std::uint64_t tenant_mix, Block& block) {
  const GaugeRecordView record(records_.data() + reference);
  const auto is_known = [this](std::uint32_t id) { return id < dictionary_.mark().count; };
  std::uint32_t read = 0;
  record.EachPoint([&](const StoredGauge& point, const char*) {
    if (!is_known(point.series)) return false;
    const GaugeSeries series = SeriesOf(point.series, dictionary_);
    if (series.metric != kNotInterned && !is_known(series.metric)) return false;
    if (series.service != kNotInterned && !is_known(series.service)) return false;
    gauge_index_.Note(block.tenant, series);
    const std::uint64_t hash = SeriesHash(dictionary_.At(point.series));
    const std::uint64_t identity = GaugeIdentityOf(hash, point.time_unix_ns, seed_);
    identities_->Insert(IdentityKey(identity, RecordKind::kGauges, tenant_mix));
    ++read;
    return true;
  });
  block.gauges = record.count();
  block.gauge_record = reference;
  return read == record.count();
}

Result<void> Memtable::Replay(std::uint32_t tenant, std::uint64_t arrival_unix_ns,
                              std::string_view records, std::string_view dictionary) {
  const auto damaged = [] { return Error{Errc::kDataLoss, "a tail row is damaged"}; };
  const auto found = CountRecords(records);
  if (!found) return damaged();
  if (!HasRoomFor(records.size(), dictionary.size() * 2, found->records, found->gauges)) {
    return Error{Errc::kUnavailable, "the tail does not fit into store.hot_bytes " +
                                         std::to_string(capacity_bytes_) + "; raise it"};
  }
  if (!dictionary_.Replay(dictionary) || !AreWhole(records, dictionary_)) return damaged();
  const auto begin = static_cast<std::uint32_t>(records_.size());
  std::memcpy(records_.end(), records.data(), records.size());
  records_.Extend(records.size());
  Block block{.begin = begin,
              .end = static_cast<std::uint32_t>(records_.size()),
              .tenant = tenant,
              .arrival_unix_ns = arrival_unix_ns};
  const std::uint64_t mix = TenantMix(tenant);
  std::optional<Reread> reread;
  std::uint32_t count = 0;
  for (std::uint32_t at = begin; at < block.end;) {
    const RecordView record(records_.data() + at);
    if (record.kind() == RecordKind::kGauges) {
      if (!ReplayGauges(at, mix, block)) return damaged();
    } else {
      identities_->Insert(IdentityKey(record.identity(), record.kind(), mix));
      if (count++ % kRereadTogether == 0) reread.emplace(dictionary_);
      reread->reader.Read(record, block.arrival_unix_ns);
      pending_.push_back(Recount(reread->batch, record, block));
    }
    at += record.size();
  }
  NoteTimes(block);
  staged_blocks_.push_back(block);
  Publish([] { return false; }, {});
  return {};
}

Memtable::Snapshot::Snapshot(const Memtable& table)
    : table_(&table), block_count_(table.visible_blocks_.load(std::memory_order_acquire)) {
  string_count_ = table.visible_strings_.load(std::memory_order_acquire);
  end_ = block_count_ == 0 ? kFirstRecord : table.blocks_[block_count_ - 1].end;
}

std::uint32_t Memtable::Snapshot::Visible(std::uint32_t reference) const {
  while (reference >= end_) reference = At(reference).next();
  return reference;
}

std::vector<Memtable::Snapshot::Trace> Memtable::Snapshot::TracesOf(std::uint32_t tenant,
                                                                    TraceId id) const {
  std::vector<Trace> traces;
  std::uint32_t at = table_->buckets_[table_->BucketOf(tenant, id)].load(std::memory_order_acquire);
  for (; at != 0; at = table_->traces_[at - 1].next) {
    const TraceEntry& entry = table_->traces_[at - 1];
    if (entry.tenant != tenant || !SameTrace(entry.id, id)) continue;
    const Trace trace{.id = entry.id,
                      .spans = Visible(entry.spans.load(std::memory_order_acquire)),
                      .lines = Visible(entry.lines.load(std::memory_order_acquire)),
                      .exemplars = Visible(entry.exemplars.load(std::memory_order_acquire))};
    if ((trace.spans | trace.lines | trace.exemplars) != 0) traces.push_back(trace);
  }
  return traces;
}

RecordView Memtable::Snapshot::At(std::uint32_t reference) const {
  return RecordView(table_->records_.data() + reference);
}

std::span<const Block> Memtable::Snapshot::blocks() const {
  return {&table_->blocks_[0], block_count_};
}

std::uint64_t Memtable::Snapshot::ArrivalOf(std::uint32_t reference) const {
  const Block* const block = BlockOf(reference);
  return block == nullptr ? 0 : block->arrival_unix_ns;
}

const Block* Memtable::Snapshot::BlockOf(std::uint32_t reference) const {
  const std::span<const Block> all = blocks();
  const auto after = std::upper_bound(
      all.begin(), all.end(), reference,
      [](std::uint32_t offset, const Block& block) { return offset < block.begin; });
  return after == all.begin() ? nullptr : &*std::prev(after);
}

void Memtable::EachTrace(
    const std::function<void(std::uint32_t tenant, const Snapshot::Trace&)>& visit) const {
  for (std::size_t i = 0; i < traces_.size(); ++i) {
    const TraceEntry& entry = traces_[i];
    visit(entry.tenant, {.id = entry.id,
                         .spans = entry.spans.load(std::memory_order_relaxed),
                         .lines = entry.lines.load(std::memory_order_relaxed),
                         .exemplars = entry.exemplars.load(std::memory_order_relaxed)});
  }
}

void Memtable::EachCounter(const std::function<void(const Counter&)>& visit) const {
  const std::size_t count = visible_counters_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    const Counter& counter = counters_[i];
    if (counter.count.load(std::memory_order_relaxed) > 0) visit(counter);
  }
}

StoreUsage Memtable::Usage() const {
  StoreUsage usage;
  usage.spans = spans_.load(std::memory_order_relaxed);
  usage.logs = lines_.load(std::memory_order_relaxed);
  usage.exemplars = exemplars_.load(std::memory_order_relaxed);
  usage.gauges = gauges_.load(std::memory_order_relaxed);
  usage.traces = trace_count_.load(std::memory_order_relaxed);
  usage.memory_bytes = memory_bytes_.load(std::memory_order_relaxed);
  usage.memory_limit_bytes = capacity_bytes_;
  return usage;
}

}  // namespace throughline::store::sqlite
