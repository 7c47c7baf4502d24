#include "store/segment/segment_writer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "correlate/record_time.h"
#include "store/segment/block_writer.h"
#include "store/segment/bloom.h"
#include "store/segment/gauge_writer.h"
#include "store/segment/search_columns.h"
#include "store/segment/segment_schema.h"
#include "store/sqlite/database.h"

namespace throughline::store::segment {
namespace {

using sqlite::Memtable;
using sqlite::RecordKind;
using sqlite::RecordView;

constexpr std::size_t kBloomBitsPerTrace = 16;

// A trace of the memtable, or the unlinked records of a tenant, whose id is invalid.
struct TraceRef {
  std::uint32_t tenant = 0;
  Memtable::Snapshot::Trace trace;
};

bool StandsBefore(const TraceRef& a, const TraceRef& b) {
  return std::tie(a.tenant, a.trace.id.low, a.trace.id.high) <
         std::tie(b.tenant, b.trace.id.low, b.trace.id.high);
}

class SegmentWriter {
 public:
  SegmentWriter(const Memtable& table, sqlite::Database db)
      : table_(table),
        snapshot_(table.Read()),
        db_(std::move(db)),
        strings_(snapshot_.dictionary(), snapshot_.seed()),
        tags_(snapshot_.dictionary(), snapshot_.dictionary().mark().count, snapshot_.seed()),
        block_(strings_, tags_, text_) {
    info_.format = kSegmentFormat;
  }

  Result<SegmentInfo> Write() {
    TL_TRY(db_.Run("BEGIN"));
    TL_TRY(db_.Run(kSegmentSchema));
    TL_TRY_ASSIGN(auto insert, db_.Prepare("INSERT INTO block (id, data) VALUES (?, ?)"));
    insert_.emplace(std::move(insert));
    Collect();
    for (std::size_t i = 0; i < traces_.size(); ++i) {
      if (i + 2 * kAhead < traces_.size()) PrefetchHeads(traces_[i + 2 * kAhead]);
      if (i + kAhead < traces_.size()) PrefetchNext(traces_[i + kAhead]);
      TL_TRY(WriteTrace(traces_[i]));
    }
    if (!block_.is_empty()) TL_TRY(EndBlock());
    TL_TRY(EndFilterRows());
    TL_TRY(WriteSearch());
    TL_TRY(WriteGauges(snapshot_, strings_, db_, info_));
    TL_TRY(strings_.Save(db_));
    TL_TRY(WriteMeta());
    insert_.reset();
    TL_TRY(db_.Run("COMMIT"));
    return info_;
  }

 private:
  static constexpr std::size_t kAhead = 8;
  static constexpr std::size_t kPage = 4096;

  void Collect();
  void CollectUnlinked();
  void IndexBlocks();
  std::uint64_t ArrivalOf(std::uint32_t reference) const;
  // Chains lead through memory at random: their beginnings are fetched while others are written.
  void PrefetchHeads(const TraceRef& ref) const {
    for (const std::uint32_t head : {ref.trace.spans, ref.trace.lines, ref.trace.exemplars}) {
      if (head != 0) __builtin_prefetch(snapshot_.At(head).data());
    }
  }
  void PrefetchNext(const TraceRef& ref) const {
    for (const std::uint32_t head : {ref.trace.spans, ref.trace.lines, ref.trace.exemplars}) {
      if (head != 0) __builtin_prefetch(snapshot_.At(snapshot_.At(head).next()).data());
    }
  }
  Result<void> WriteTrace(const TraceRef& ref);
  Result<void> WriteChain(const TraceRef& ref, std::uint32_t newest);
  void Add(const TraceRef& ref, RecordView record, std::uint64_t arrival);
  Result<void> EndBlock();
  Result<void> EndFilterRows();
  void Note(std::uint64_t time, std::uint64_t arrival);
  // Where the entries of a service, or of a metric, are gathered.
  std::vector<SearchEntry>& EntriesOf(RecordKind kind, std::uint32_t tenant, std::uint64_t name,
                                      std::uint64_t unit, unsigned type);

  Result<void> WriteSearch();
  Result<void> WriteParts(std::int64_t kind, std::int64_t of, std::uint32_t tenant,
                          std::vector<SearchEntry>& entries);
  Result<std::int64_t> ServiceOf(std::uint32_t tenant, std::uint32_t hot);
  Result<void> WriteCounters();
  Result<void> WriteMeta();

  const Memtable& table_;
  const Memtable::Snapshot snapshot_;
  sqlite::Database db_;
  std::optional<sqlite::Statement> insert_;
  DictionaryWriter strings_;
  TagGatherer tags_;
  TextGatherer text_;
  BlockWriter block_;
  std::string tag_row_;
  std::string text_row_;
  FrameWriter frame_;
  std::vector<TraceRef> traces_;
  // Of tenants that have some, in the order of arrival.
  std::map<std::uint32_t, std::vector<std::uint32_t>> unlinked_;
  std::vector<std::uint32_t> chain_;
  std::string firsts_;  // The first trace of each block.
  std::uint32_t blocks_ = 0;

  struct NameKey {
    RecordKind kind = RecordKind::kSpan;
    std::uint32_t tenant = 0;
    std::uint64_t name = 0;  // Of the memtable: id + 1.
    std::uint64_t unit = 0;
    unsigned type = 0;
    bool operator==(const NameKey&) const = default;
    auto operator<=>(const NameKey&) const = default;
  };
  std::map<NameKey, std::vector<SearchEntry>> entries_;
  // Of each page of the memtable's records, the block that its first byte is in.
  std::vector<std::uint32_t> block_of_page_;
  // The last of each kind, which the next record often has too.
  struct LastEntries {
    NameKey key;
    std::vector<SearchEntry>* entries = nullptr;
  };
  LastEntries last_[4];
  struct ServiceKey {
    std::uint32_t tenant = 0;
    std::uint32_t hot = 0;
    auto operator<=>(const ServiceKey&) const = default;
  };
  std::map<ServiceKey, std::int64_t> services_;
  SegmentInfo info_;
};

// Arrivals are asked for in the order of traces, so at random: a search a record would be slow.
void SegmentWriter::IndexBlocks() {
  const auto blocks = snapshot_.blocks();
  for (std::uint32_t i = 0; i < blocks.size(); ++i) {
    while (block_of_page_.size() * kPage < blocks[i].end) block_of_page_.push_back(i);
  }
}

std::uint64_t SegmentWriter::ArrivalOf(std::uint32_t reference) const {
  const auto blocks = snapshot_.blocks();
  std::uint32_t block = block_of_page_[reference / kPage];
  while (blocks[block].end <= reference) ++block;
  return blocks[block].arrival_unix_ns;
}

void SegmentWriter::Collect() {
  IndexBlocks();
  std::uint64_t linked = 0;
  table_.EachTrace([&](std::uint32_t tenant, const Memtable::Snapshot::Trace& trace) {
    traces_.push_back({.tenant = tenant, .trace = trace});
    ++linked;
  });
  info_.traces = linked;
  CollectUnlinked();
  std::sort(traces_.begin(), traces_.end(), StandsBefore);
}

void SegmentWriter::CollectUnlinked() {
  for (const sqlite::Block& block : snapshot_.blocks()) {
    if (block.lines + block.exemplars == 0) continue;
    for (std::uint32_t at = block.begin; at < block.end;) {
      const RecordView record = snapshot_.At(at);
      if (record.kind() != RecordKind::kGauges && !record.trace_id().IsValid()) {
        unlinked_[block.tenant].push_back(at);
      }
      at += record.size();
    }
  }
  for (const auto& [tenant, references] : unlinked_)
    traces_.push_back({.tenant = tenant, .trace = {}});
}

Result<void> SegmentWriter::WriteTrace(const TraceRef& ref) {
  block_.BeginTrace(ref.tenant, ref.trace.id);
  if (!ref.trace.id.IsValid()) {
    for (const std::uint32_t at : unlinked_[ref.tenant]) {
      if (block_.is_over()) {
        TL_TRY(EndBlock());
        block_.BeginTrace(ref.tenant, ref.trace.id);
      }
      Add(ref, snapshot_.At(at), ArrivalOf(at));
    }
  } else {
    // Lines and exemplars name spans by their place, so spans come first.
    TL_TRY(WriteChain(ref, ref.trace.spans));
    TL_TRY(WriteChain(ref, ref.trace.lines));
    TL_TRY(WriteChain(ref, ref.trace.exemplars));
  }
  return block_.is_full() ? EndBlock() : Result<void>();
}

Result<void> SegmentWriter::WriteChain(const TraceRef& ref, std::uint32_t newest) {
  chain_.clear();
  for (std::uint32_t at = newest; at != 0; at = snapshot_.At(at).next()) chain_.push_back(at);
  for (auto at = chain_.rbegin(); at != chain_.rend(); ++at) {
    if (block_.is_over()) {
      TL_TRY(EndBlock());
      block_.BeginTrace(ref.tenant, ref.trace.id);
    }
    Add(ref, snapshot_.At(*at), ArrivalOf(*at));
  }
  return {};
}

void SegmentWriter::Note(std::uint64_t time, std::uint64_t arrival) {
  info_.time.start_unix_ns = std::min(info_.time.start_unix_ns, time);
  info_.time.end_unix_ns = std::max(info_.time.end_unix_ns, time);
  info_.first_arrival_unix_ns = std::min(info_.first_arrival_unix_ns, arrival);
  info_.last_arrival_unix_ns = std::max(info_.last_arrival_unix_ns, arrival);
}

std::vector<SearchEntry>& SegmentWriter::EntriesOf(RecordKind kind, std::uint32_t tenant,
                                                   std::uint64_t name, std::uint64_t unit,
                                                   unsigned type) {
  const NameKey key{.kind = kind, .tenant = tenant, .name = name, .unit = unit, .type = type};
  LastEntries& last = last_[static_cast<std::size_t>(kind)];
  if (last.entries == nullptr || last.key != key) last = {key, &entries_[key]};
  return *last.entries;
}

void SegmentWriter::Add(const TraceRef& ref, RecordView record, std::uint64_t arrival) {
  const bool is_line = record.kind() == RecordKind::kLine;
  const auto time =
      EffectiveTimeOf(record.time_unix_ns(), is_line ? record.observed_unix_ns() : 0, arrival);
  Note(time.unix_ns, arrival);
  SearchEntry entry{.time_unix_ns = time.unix_ns, .block = blocks_};
  if (record.kind() == RecordKind::kSpan) {
    const SpanKeys keys = block_.AddSpan(record, arrival);
    entry.duration_ns = keys.duration_ns;
    const std::uint32_t name = strings_.StringOf(keys.name);
    entry.name = name == sqlite::kNotInterned ? 0 : name + 1;
    entry.kind = keys.kind;
    entry.status = keys.status_code;
    EntriesOf(RecordKind::kSpan, ref.tenant, keys.service + std::uint64_t{1}, 0, 0)
        .push_back(entry);
    ++info_.spans;
  } else if (is_line) {
    const LineKeys keys = block_.AddLine(record, arrival);
    entry.status = keys.severity_number;
    EntriesOf(RecordKind::kLine, ref.tenant, keys.service + std::uint64_t{1}, 0, 0)
        .push_back(entry);
    ++info_.logs;
  } else {
    const ExemplarKeys keys = block_.AddExemplar(record, arrival);
    entry.value = keys.value;
    EntriesOf(RecordKind::kExemplar, ref.tenant, keys.metric + std::uint64_t{1},
              keys.unit + std::uint64_t{1}, keys.type)
        .push_back(entry);
    ++info_.exemplars;
  }
}

Result<void> SegmentWriter::EndBlock() {
  const std::string bytes = block_.Finish();
  // The header begins with the ids; the first is what leads to the block.
  TL_TRY(insert_->Run(std::int64_t{blocks_}, sqlite::Blob{bytes}));
  const BlockWriter::First first = block_.first();
  char fixed[20];
  sqlite::Put(first.id.high, sqlite::Put(first.id.low, sqlite::Put(first.tenant, fixed)));
  firsts_.append(fixed, sizeof fixed);
  const auto add = [](const std::string& filter, std::string& row) {
    AppendVarint(filter.size(), row);
    row += filter;
  };
  add(tags_.TakeFilter(), tag_row_);
  add(text_.TakeFilter(), text_row_);
  ++blocks_;
  return blocks_ % kBlocksPerTagRow == 0 ? EndFilterRows() : Result<void>();
}

Result<void> SegmentWriter::EndFilterRows() {
  if (tag_row_.empty()) return {};
  const std::uint32_t first = (blocks_ - 1) / kBlocksPerTagRow * kBlocksPerTagRow;
  TL_TRY_ASSIGN(auto tag, db_.Prepare("INSERT INTO tag (first_block, data) VALUES (?, ?)"));
  TL_TRY(tag.Run(std::int64_t{first}, sqlite::Blob{tag_row_}));
  TL_TRY_ASSIGN(auto text, db_.Prepare("INSERT INTO text (first_block, data) VALUES (?, ?)"));
  TL_TRY(text.Run(std::int64_t{first}, sqlite::Blob{text_row_}));
  tag_row_.clear();
  text_row_.clear();
  return {};
}

Result<std::int64_t> SegmentWriter::ServiceOf(std::uint32_t tenant, std::uint32_t hot) {
  const auto [found, is_new] =
      services_.try_emplace({tenant, hot}, static_cast<std::int64_t>(services_.size() + 1));
  if (!is_new) return found->second;
  TL_TRY_ASSIGN(auto insert,
                db_.Prepare("INSERT INTO service (id, tenant, name, spans, errors, logs, exemplars)"
                            " VALUES (?, ?, ?, 0, 0, 0, 0)"));
  const std::string_view name =
      hot == sqlite::kNotInterned ? std::string_view() : snapshot_.dictionary().At(hot);
  TL_TRY(insert.Run(found->second, std::int64_t{tenant}, name));
  return found->second;
}

Result<void> SegmentWriter::WriteSearch() {
  TL_TRY_ASSIGN(auto metric,
                db_.Prepare("INSERT INTO metric (id, tenant, name, unit, type) VALUES (?, ?, ?, ?,"
                            " ?)"));
  std::int64_t metrics = 0;
  const auto text = [&](std::uint64_t name) {
    const auto hot = static_cast<std::uint32_t>(name - 1);
    return hot == sqlite::kNotInterned ? std::string_view() : snapshot_.dictionary().At(hot);
  };
  for (auto& [key, entries] : entries_) {
    std::int64_t of = 0;
    if (key.kind == RecordKind::kExemplar) {
      of = ++metrics;
      TL_TRY(metric.Run(of, std::int64_t{key.tenant}, text(key.name), text(key.unit),
                        std::int64_t{key.type}));
    } else {
      TL_TRY_ASSIGN(of, ServiceOf(key.tenant, static_cast<std::uint32_t>(key.name - 1)));
    }
    TL_TRY(WriteParts(static_cast<std::int64_t>(key.kind), of, key.tenant, entries));
    entries = {};
  }
  return WriteCounters();
}

Result<void> SegmentWriter::WriteParts(std::int64_t kind, std::int64_t of, std::uint32_t tenant,
                                       std::vector<SearchEntry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const SearchEntry& a, const SearchEntry& b) {
    return a.time_unix_ns < b.time_unix_ns;
  });
  TL_TRY_ASSIGN(auto insert, db_.Prepare("INSERT INTO search (kind, of, part, tenant, first_ns,"
                                         " last_ns, least, most, data) VALUES (?, ?, ?, ?, ?, ?,"
                                         " ?, ?, ?)"));
  std::string data;
  for (std::size_t begin = 0; begin < entries.size(); begin += kPartRecords) {
    const std::size_t count = std::min(kPartRecords, entries.size() - begin);
    const SearchEntry* const part = &entries[begin];
    const SearchBounds bounds = BoundsOf(part, count, static_cast<std::uint32_t>(kind));
    data.clear();
    PutPart(part, count, frame_, data);
    TL_TRY(insert.Run(kind, of, static_cast<std::int64_t>(begin / kPartRecords),
                      std::int64_t{tenant}, static_cast<std::int64_t>(bounds.first_unix_ns),
                      static_cast<std::int64_t>(bounds.last_unix_ns), bounds.least, bounds.most,
                      sqlite::Blob{data}));
  }
  return {};
}

Result<void> SegmentWriter::WriteCounters() {
  TL_TRY_ASSIGN(auto service, db_.Prepare("UPDATE service SET spans = spans + ?, errors = errors +"
                                          " ?, logs = logs + ?, exemplars = exemplars + ? WHERE id"
                                          " = ?"));
  TL_TRY_ASSIGN(auto operation, db_.Prepare("INSERT INTO operation (service, name, kind, spans,"
                                            " errors) VALUES (?, ?, ?, ?, ?)"));
  Result<void> result;
  const auto add = [&](const sqlite::Counter& counter) -> Result<void> {
    const auto count = static_cast<std::int64_t>(counter.count.load(std::memory_order_relaxed));
    const auto errors = static_cast<std::int64_t>(counter.errors.load(std::memory_order_relaxed));
    TL_TRY_ASSIGN(const std::int64_t id, ServiceOf(counter.tenant, counter.service));
    const bool lines = counter.kind == sqlite::Counter::kLines;
    const bool exemplars = counter.kind == sqlite::Counter::kExemplars;
    const bool spans = !lines && !exemplars;
    TL_TRY(service.Run(spans ? count : 0, spans ? errors : 0, lines ? count : 0,
                       exemplars ? count : 0, id));
    if (!spans) return {};
    const std::string_view name = counter.name == sqlite::kNotInterned
                                      ? std::string_view()
                                      : snapshot_.dictionary().At(counter.name);
    return operation.Run(id, name, std::int64_t{counter.kind}, count, errors);
  };
  table_.EachCounter([&](const sqlite::Counter& counter) {
    if (result) result = add(counter);
  });
  return result;
}

Result<void> SegmentWriter::WriteMeta() {
  std::string bloom = Bloom::Make(traces_.size(), kBloomBitsPerTrace);
  for (const TraceRef& ref : traces_) {
    Bloom::Add(TraceKey(ref.tenant, ref.trace.id, snapshot_.seed()), bloom);
  }
  std::string seed(8, '\0');
  sqlite::Put(snapshot_.seed(), seed.data());
  TL_TRY_ASSIGN(auto meta, db_.Prepare("INSERT INTO meta (name, value) VALUES (?, ?)"));
  TL_TRY(meta.Run(std::string_view("seed"), sqlite::Blob{seed}));
  TL_TRY(meta.Run(std::string_view("traces"), sqlite::Blob{bloom}));
  return meta.Run(std::string_view("blocks"), sqlite::Blob{firsts_});
}

}  // namespace

Result<sqlite::Database> OpenNewSegment(const std::string& path, const char* vfs) {
  TL_TRY_ASSIGN(auto db, sqlite::Database::Open(path, {.vfs = vfs,
                                                       .written_once = true,
                                                       .checked_pages = true,
                                                       .page_bytes = kSegmentPageBytes,
                                                       .cache_kib = 512}));
  const std::string stamp = "PRAGMA application_id = " + std::to_string(kSegmentId) +
                            "; PRAGMA user_version = " + std::to_string(kSegmentFormat);
  TL_TRY(db.Run(stamp.c_str()));
  return db;
}

Result<SegmentInfo> WriteSegment(const sqlite::Memtable& table, const std::string& path,
                                 const char* vfs) {
  TL_TRY_ASSIGN(auto db, OpenNewSegment(path, vfs));
  SegmentWriter writer(table, std::move(db));
  return writer.Write();
}

}  // namespace throughline::store::segment
