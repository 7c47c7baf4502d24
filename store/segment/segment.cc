#include "store/segment/segment.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "correlate/identity.h"
#include "store/segment/bloom.h"
#include "store/segment/gauge_part.h"
#include "store/segment/segment_schema.h"
#include "store/segment/tag_filter.h"
#include "store/segment/text_filter.h"
#include "store/sqlite/batch_parts.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::segment {
namespace {

using sqlite::RecordKind;

// Reading a block costs about as much as the entries of so many in the parts of a search.
constexpr std::size_t kBlocksWorthAPart = 20;

Error Damaged(const std::string& path, const char* what) {
  return {Errc::kDataLoss, path + ": " + what + " is damaged"};
}

}  // namespace

// What is kept of a segment.
struct Segment::Index {
  std::uint64_t seed = 0;
  std::string traces;  // bloom.h
  struct First {
    std::uint32_t tenant = 0;
    TraceId id;
  };
  std::vector<First> blocks;
  std::string key_bytes;
  std::vector<Strings::Key> keys;
  std::vector<std::uint32_t> firsts[2];  // By StringSpace.
  std::uint32_t ends[2] = {};

  // The blocks that traces with this low half may stand in: [first, last).
  std::pair<std::uint32_t, std::uint32_t> BlocksOf(std::uint32_t tenant, std::uint64_t low) const {
    const auto before = [](const First& block, const std::pair<std::uint32_t, std::uint64_t>& key) {
      return std::tie(block.tenant, block.id.low) < std::tie(key.first, key.second);
    };
    const auto key = std::make_pair(tenant, low);
    const auto first = std::lower_bound(blocks.begin(), blocks.end(), key, before);
    auto last = first;
    while (last != blocks.end() && last->tenant == tenant && last->id.low == low) ++last;
    // The block before may end with such a trace.
    const auto begin = first == blocks.begin() ? first : std::prev(first);
    return {static_cast<std::uint32_t>(begin - blocks.begin()),
            static_cast<std::uint32_t>(last - blocks.begin())};
  }
};

struct Segment::Open {
  explicit Open(sqlite::Database opened, sqlite::Statement block_, sqlite::Statement string_)
      : db(std::move(opened)), block(std::move(block_)), string(std::move(string_)) {}
  sqlite::Database db;
  sqlite::Statement block;
  sqlite::Statement string;
};

// The strings as one lookup needs them; it keeps the rows that it has seen.
class Segment::Lookup final : public Strings {
 public:
  Lookup(const Segment& segment, std::shared_ptr<const Index> index)
      : segment_(segment), index_(std::move(index)) {}

  StringRow RowOf(StringSpace space, std::uint32_t id) override {
    const auto& firsts = index_->firsts[static_cast<std::size_t>(space)];
    const auto after = std::upper_bound(firsts.begin(), firsts.end(), id);
    if (id >= index_->ends[static_cast<std::size_t>(space)] || after == firsts.begin()) {
      NoteDamage();
      return {};
    }
    const std::uint32_t first = *std::prev(after);
    const std::uint64_t row = (static_cast<std::uint64_t>(space) << 32U) | first;
    RowCache::Row& bytes = rows_[row];
    if (bytes == nullptr) bytes = Fetch(row);
    const StringRow read(first, *bytes);
    if (!read.Holds(id)) NoteDamage();
    return read;
  }
  const Key* KeyAt(std::uint32_t key) override {
    return key < index_->keys.size() ? &index_->keys[key] : nullptr;
  }
  std::uint64_t hash_seed() const override { return index_->seed; }

 private:
  RowCache::Row Fetch(std::uint64_t row) const {
    RowCache& cache = segment_.pool_->rows();
    const RowCache::Key key{.segment = segment_.info_.id, .row = row};
    if (auto known = cache.Find(key)) return known;
    auto read = segment_.ReadRow(&Open::string, static_cast<std::int64_t>(row));
    auto bytes = std::make_shared<const std::string>(read ? std::move(*read) : std::string());
    if (read) cache.Put(key, bytes);
    return bytes;
  }

  const Segment& segment_;
  const std::shared_ptr<const Index> index_;
  std::unordered_map<std::uint64_t, RowCache::Row> rows_;
};

Segment::Segment(SegmentInfo info, std::string path, std::shared_ptr<SegmentPool> pool)
    : info_(std::move(info)), path_(std::move(path)), pool_(std::move(pool)) {}

Segment::~Segment() { pool_->Forget(*this); }

std::shared_ptr<const Segment> Segment::With(SegmentInfo info) const {
  auto same = std::make_shared<Segment>(std::move(info), path_, pool_);
  const std::lock_guard<std::mutex> lock(mutex_);
  same->index_ = index_;
  return same;
}

void Segment::Close() const {
  // Who uses it will close it another time.
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) open_.reset();
}

Result<Segment::Open*> Segment::GetOpen() const {
  if (open_ != nullptr) return open_.get();
  TL_TRY_ASSIGN(auto db,
                sqlite::Database::Open(path_, {.vfs = pool_->vfs(),
                                               .immutable = true,
                                               .checked_pages = HasPageChecks(info_.format),
                                               .cache_kib = 64}));
  TL_TRY_ASSIGN(const std::int64_t application, db.Pragma("application_id"));
  TL_TRY_ASSIGN(const std::int64_t format, db.Pragma("user_version"));
  if (application != kSegmentId) {
    return Error{Errc::kDataLoss,
                 path_ + ": not a segment (application_id " + std::to_string(application) + ")"};
  }
  if (format > kSegmentFormat) {
    return Error{Errc::kDataLoss, path_ + ": written by a newer version (format " +
                                      std::to_string(format) + ", this one reads up to " +
                                      std::to_string(kSegmentFormat) + ")"};
  }
  TL_TRY_ASSIGN(auto block, db.Prepare("SELECT data FROM block WHERE id = ?"));
  TL_TRY_ASSIGN(auto string, db.Prepare("SELECT data FROM string WHERE id = ?"));
  open_ = std::make_unique<Open>(std::move(db), std::move(block), std::move(string));
  return open_.get();
}

Result<std::string> Segment::ReadRow(sqlite::Statement Open::*statement, std::int64_t id) const {
  pool_->Touch(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(Open* const open, GetOpen());
  auto row = (open->*statement).Use(id);
  if (row.Next()) return std::string(row.Bytes(0));
  TL_TRY(row.Finish());
  return Damaged(path_, "a row that is missing");
}

Result<std::shared_ptr<const Segment::Index>> Segment::GetIndex() const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (index_ != nullptr) return index_;
  }
  pool_->Touch(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (index_ != nullptr) return index_;
  TL_TRY_ASSIGN(Open* const open, GetOpen());
  TL_TRY_ASSIGN(auto select, open->db.Prepare("SELECT name, value FROM meta"));
  auto index = std::make_shared<Index>();
  auto row = select.Use();
  while (row.Next()) {
    const std::string_view name = row.Text(0);
    const std::string_view value = row.Bytes(1);
    Cursor cursor(value);
    if (name == "seed") {
      index->seed = cursor.Fixed<std::uint64_t>();
    } else if (name == "traces") {
      index->traces = value;
    } else if (name == "blocks") {
      while (!cursor.done()) {
        Index::First first;
        first.tenant = cursor.Fixed<std::uint32_t>();
        first.id.low = cursor.Fixed<std::uint64_t>();
        first.id.high = cursor.Fixed<std::uint64_t>();
        index->blocks.push_back(first);
      }
    } else if (name == "keys") {
      index->key_bytes = value;
    } else if (name == "strings" || name == "heads") {
      const std::size_t space = name == "strings" ? 0 : 1;
      index->ends[space] = static_cast<std::uint32_t>(cursor.Varint());
      std::uint32_t first = 0;
      for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
        first += static_cast<std::uint32_t>(cursor.Varint());
        index->firsts[space].push_back(first);
      }
    }
  }
  TL_TRY(row.Finish());
  Cursor keys(index->key_bytes);
  for (std::uint64_t left = keys.Varint(); left > 0 && !keys.done(); --left) {
    Strings::Key key;
    key.text = keys.Bytes();
    key.base = static_cast<std::uint32_t>(keys.Varint());
    key.count = static_cast<std::uint32_t>(keys.Varint());
    index->keys.push_back(key);
  }
  index_ = std::move(index);
  return index_;
}

Result<bool> Segment::MayHold(std::uint32_t tenant, TraceId id) const {
  TL_TRY_ASSIGN(const auto index, GetIndex());
  return Bloom::MayHold(TraceKey(tenant, id, index->seed), index->traces);
}

Result<std::string> Segment::TraceFilter() const {
  TL_TRY_ASSIGN(const auto index, GetIndex());
  return index->traces;
}

std::uint32_t Segment::block_count() const {
  const auto index = GetIndex();
  return index ? static_cast<std::uint32_t>((*index)->blocks.size()) : 0;
}

Result<void> SealedTrace::Add(std::string bytes, std::uint32_t tenant) {
  auto owned = std::make_unique<const std::string>(std::move(bytes));
  TL_TRY_ASSIGN(BlockReader reader, BlockReader::Open(*owned, *strings_));
  const auto [first, last] = reader.WithLow(tenant, id_.low);
  bool found = false;
  for (std::size_t trace = first; trace < last; ++trace) {
    const TraceId stored = reader.IdOf(trace);
    if (!SameTrace(stored, id_)) continue;
    TL_TRY_ASSIGN(const bool has_records, HasRecords(reader, trace));
    if (!has_records) continue;
    found = true;
    if (ids_.empty() || ids_.back() != stored) ids_.push_back(stored);
  }
  if (found) blocks_.push_back({std::move(owned), std::move(reader), first, last});
  return {};
}

Result<bool> SealedTrace::HasRecords(const BlockReader& reader, std::size_t trace) const {
  if (expired_ == 0) return true;
  for (const RecordKind kind : {RecordKind::kSpan, RecordKind::kLine, RecordKind::kExemplar}) {
    if ((expired_ & KindBit(kind)) != 0) continue;
    TL_TRY_ASSIGN(const std::uint64_t records, reader.CountOf(kind, trace));
    if (records > 0) return true;
  }
  return false;
}

Result<void> SealedTrace::Read(RecordKind kind, TraceId match, std::size_t limit, Batch& to) const {
  if ((expired_ & KindBit(kind)) != 0) return {};
  for (const Block& block : blocks_) {
    for (std::size_t trace = block.first; trace < block.last; ++trace) {
      const TraceId stored = block.reader.IdOf(trace);
      if (!SameTrace(stored, id_) || !SameTrace(stored, match)) continue;
      TL_TRY(block.reader.Read(kind, trace, trace + 1, true, to));
      if (to.record_count() > limit) return {};
    }
  }
  return {};
}

Result<std::unique_ptr<SealedTrace>> Segment::Find(std::uint32_t tenant, TraceId id) const {
  std::unique_ptr<SealedTrace> found;
  TL_TRY_ASSIGN(const auto index, GetIndex());
  if (!Bloom::MayHold(TraceKey(tenant, id, index->seed), index->traces)) return found;
  const auto [first, last] = index->BlocksOf(tenant, id.low);
  found = std::make_unique<SealedTrace>(id, info_.expired, std::make_unique<Lookup>(*this, index));
  for (std::uint32_t at = first; at < last; ++at) {
    TL_TRY_ASSIGN(std::string bytes, ReadRow(&Open::block, at));
    TL_TRY(found->Add(std::move(bytes), tenant));
  }
  if (found->ids().empty()) found.reset();
  return found;
}

Result<void> Segment::ReadBlock(std::uint32_t block, RecordKind kind, std::uint32_t tenant,
                                Batch& to) const {
  if (Expired(kind)) return {};
  TL_TRY_ASSIGN(const auto index, GetIndex());
  TL_TRY_ASSIGN(const std::string bytes, ReadRow(&Open::block, block));
  Lookup lookup(*this, index);
  TL_TRY_ASSIGN(const BlockReader reader, BlockReader::Open(bytes, lookup));
  std::size_t first = 0;
  while (first < reader.trace_count() && reader.TenantOf(first) != tenant) ++first;
  std::size_t last = first;
  while (last < reader.trace_count() && reader.TenantOf(last) == tenant) ++last;
  // Of spans nobody asks for it here.
  return reader.Read(kind, first, last, kind != RecordKind::kSpan, to);
}

Result<void> Segment::RuleOut(const char* select,
                              const std::function<bool(std::string_view filter)>& may_hold,
                              std::vector<bool>& blocks) const {
  pool_->Touch(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(Open* const open, GetOpen());
  TL_TRY_ASSIGN(auto filters, open->db.Prepare(select));
  auto row = filters.Use();
  while (row.Next()) {
    auto block = static_cast<std::size_t>(row.Integer(0));
    for (Cursor cursor(row.Bytes(1)); !cursor.done() && block < blocks.size(); ++block) {
      const std::string_view filter = cursor.Bytes();
      if (blocks[block] && !may_hold(filter)) blocks[block] = false;
    }
  }
  return row.Finish();
}

Result<std::vector<bool>> Segment::BlocksFor(const SearchFilter& filter, const Index& index) const {
  std::vector<bool> blocks;
  if (!filter.tags.empty()) {
    std::vector<std::uint64_t> wanted;
    for (const auto& [key, text] : filter.tags) {
      wanted.push_back(TagHash(filter.kind, key, text, index.seed));
    }
    blocks.resize(index.blocks.size(), true);
    const auto has_tags = [&wanted](std::string_view tags) {
      return !tags.empty() && std::all_of(wanted.begin(), wanted.end(), [tags](std::uint64_t tag) {
        return Bloom::MayHold(tag, tags);
      });
    };
    TL_TRY(RuleOut("SELECT first_block, data FROM tag", has_tags, blocks));
  }
  const TextNeedle needle(filter.text);
  if (needle.rules_out() && HasTextFilters(info_.format)) {
    blocks.resize(index.blocks.size(), true);
    TL_TRY(RuleOut(
        "SELECT first_block, data FROM text",
        [&needle](std::string_view text) { return needle.MayBeIn(text); }, blocks));
  }
  return blocks;
}

Result<std::vector<std::string>> Segment::PartsFor(const SearchFilter& filter) const {
  pool_->Touch(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(Open* const open, GetOpen());
  const bool is_metric = filter.kind == RecordKind::kExemplar;
  TL_TRY_ASSIGN(auto names, open->db.Prepare(is_metric ? "SELECT id, name, unit, type FROM metric"
                                                         " WHERE tenant = ?"
                                                       : "SELECT id, name, '', 0 FROM service WHERE"
                                                         " tenant = ?"));
  std::vector<std::int64_t> of;
  auto name = names.Use(std::int64_t{filter.tenant});
  while (name.Next()) {
    const std::string_view text = name.Text(1);
    if (is_metric && filter.metric &&
        !filter.metric(text, name.Text(2), static_cast<MetricType>(name.Integer(3)))) {
      continue;
    }
    const bool may_be_inferred = filter.kind == RecordKind::kLine && text.empty();
    if (!is_metric && filter.service && text != *filter.service && !may_be_inferred) continue;
    of.push_back(name.Integer(0));
  }
  TL_TRY(name.Finish());
  TL_TRY_ASSIGN(auto select,
                open->db.Prepare("SELECT first_ns, last_ns, least, most, data FROM search WHERE"
                                 " kind = ? AND of = ?"));
  std::vector<std::string> parts;
  for (const std::int64_t id : of) {
    auto part = select.Use(static_cast<std::int64_t>(filter.kind), id);
    while (part.Next()) {
      if (static_cast<std::uint64_t>(part.Integer(0)) > filter.time.end_unix_ns) continue;
      if (static_cast<std::uint64_t>(part.Integer(1)) < filter.time.start_unix_ns) continue;
      if (filter.has_bounds && (part.Number(2) > filter.most || part.Number(3) < filter.least)) {
        continue;
      }
      parts.emplace_back(part.Bytes(4));
    }
    TL_TRY(part.Finish());
  }
  return parts;
}

namespace {

// Whether an entry of a part may be of a record that the filter wants.
class EntryMatch {
 public:
  EntryMatch(const SearchFilter& filter, Strings& strings) : filter_(filter), strings_(strings) {}

  bool MayMatch(const SearchEntry& entry) {
    if (!filter_.time.Contains(entry.time_unix_ns)) return false;
    switch (filter_.kind) {
      case RecordKind::kSpan:
        if (filter_.status_code && entry.status != *filter_.status_code) return false;
        return InBounds(static_cast<double>(entry.duration_ns)) && HasName(entry.name);
      case RecordKind::kLine: return InBounds(entry.status);
      default: return InBounds(entry.value);
    }
  }

 private:
  bool InBounds(double value) const {
    return !filter_.has_bounds || (value >= filter_.least && value <= filter_.most);
  }
  bool HasName(std::uint32_t name) {
    if (!filter_.operation) return true;
    if (name != last_name_ || !looked_) {
      const std::string_view text = name == 0 ? std::string_view() : strings_.Text(name - 1);
      last_name_ = name;
      last_matches_ = text == *filter_.operation;
      looked_ = true;
    }
    return last_matches_;
  }

  const SearchFilter& filter_;
  Strings& strings_;
  std::uint32_t last_name_ = 0;
  bool last_matches_ = false;
  bool looked_ = false;
};

}  // namespace

Result<std::vector<BlockCandidate>> Segment::Search(const SearchFilter& filter) const {
  std::vector<BlockCandidate> found;
  if (Expired(filter.kind)) return found;
  TL_TRY_ASSIGN(const auto index, GetIndex());
  TL_TRY_ASSIGN(const auto blocks, BlocksFor(filter, *index));
  if (!blocks.empty()) {
    const auto count = static_cast<std::size_t>(std::count(blocks.begin(), blocks.end(), true));
    // Few blocks are read sooner than the parts that would say more of them.
    if (count * kBlocksWorthAPart < blocks.size()) {
      for (std::uint32_t block = 0; block < blocks.size(); ++block) {
        if (!blocks[block]) continue;
        found.push_back({.block = block,
                         .last_unix_ns = info_.time.end_unix_ns,
                         .first_unix_ns = info_.time.start_unix_ns});
      }
      return found;
    }
  }
  TL_TRY_ASSIGN(const auto parts, PartsFor(filter));
  Lookup lookup(*this, index);
  EntryMatch match(filter, lookup);
  std::vector<std::uint32_t> place_of(index->blocks.size(), 0);  // In `found`, and 1.
  for (const std::string& part : parts) {
    TL_TRY_ASSIGN(const auto entries, ReadPart(part));
    for (const SearchEntry& entry : entries) {
      if (entry.block >= place_of.size() || !match.MayMatch(entry)) continue;
      if (!blocks.empty() && !blocks[entry.block]) continue;
      std::uint32_t& place = place_of[entry.block];
      if (place == 0) {
        found.push_back({.block = entry.block});
        place = static_cast<std::uint32_t>(found.size());
      }
      BlockCandidate& candidate = found[place - 1];
      candidate.last_unix_ns = std::max(candidate.last_unix_ns, entry.time_unix_ns);
      candidate.first_unix_ns = std::min(candidate.first_unix_ns, entry.time_unix_ns);
    }
  }
  // An operation whose name cannot be read would match nothing.
  if (lookup.TakeDamage()) return Damaged(path_, "a row of strings");
  return found;
}

Result<std::vector<Segment::ServiceRow>> Segment::Services(std::uint32_t tenant) const {
  pool_->Touch(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(Open* const open, GetOpen());
  TL_TRY_ASSIGN(auto select, open->db.Prepare("SELECT id, name, spans, errors, logs, exemplars FROM"
                                              " service WHERE tenant = ?"));
  std::vector<ServiceRow> services;
  auto row = select.Use(std::int64_t{tenant});
  const auto count = [&](int column, RecordKind kind) {
    return Expired(kind) ? 0 : static_cast<std::uint64_t>(row.Integer(column));
  };
  while (row.Next()) {
    ServiceRow service{.id = row.Integer(0),
                       .name = std::string(row.Text(1)),
                       .spans = count(2, RecordKind::kSpan),
                       .errors = count(3, RecordKind::kSpan),
                       .logs = count(4, RecordKind::kLine),
                       .exemplars = count(5, RecordKind::kExemplar)};
    if (info_.expired != 0 && service.spans + service.logs + service.exemplars == 0) continue;
    services.push_back(std::move(service));
  }
  TL_TRY(row.Finish());
  return services;
}

Result<std::vector<Segment::OperationRow>> Segment::Operations(std::uint32_t tenant,
                                                               std::string_view service) const {
  if (Expired(RecordKind::kSpan)) return std::vector<OperationRow>();
  pool_->Touch(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(Open* const open, GetOpen());
  TL_TRY_ASSIGN(auto select,
                open->db.Prepare("SELECT o.name, o.kind, o.spans, o.errors FROM service AS s JOIN"
                                 " operation AS o ON o.service = s.id WHERE s.tenant = ? AND s.name"
                                 " = ?"));
  std::vector<OperationRow> operations;
  auto row = select.Use(std::int64_t{tenant}, service);
  while (row.Next()) {
    operations.push_back({.name = std::string(row.Text(0)),
                          .kind = static_cast<std::uint32_t>(row.Integer(1)),
                          .spans = static_cast<std::uint64_t>(row.Integer(2)),
                          .errors = static_cast<std::uint64_t>(row.Integer(3))});
  }
  TL_TRY(row.Finish());
  return operations;
}

namespace {

// The series of a row (store/sqlite/format.md, with the segment's strings) as a point of a batch.
class SeriesReader {
 public:
  SeriesReader(Strings& strings, Batch& to)
      : strings_(strings), to_(to), parts_(to, strings.hash_seed()) {}

  GaugePoint Read(std::string_view series, std::uint64_t& hash) {
    Cursor cursor(series);
    hash = cursor.Fixed<std::uint64_t>();
    const auto flags = static_cast<unsigned char>(cursor.Fixed<char>());
    GaugePoint point;
    point.metric_type = static_cast<MetricType>(flags & 15U);
    point.metric = Text(cursor.Varint());
    point.unit = Text(cursor.Varint());
    if (!(flags & sqlite::kNoResource)) {
      const std::uint64_t resource = cursor.Varint();
      const std::uint64_t service = cursor.Varint();
      point.resource =
          parts_.ResourceOf((resource << 32U) | service, [&] { return Text(resource); },
                            [&] { return Text(service); });
      point.service = to_.resources[point.resource].service;
    }
    point.labels.begin = static_cast<std::uint32_t>(to_.attributes.size());
    for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
      const std::uint64_t string = cursor.Varint();
      const Attribute label =
          parts_.Over(string == 0 ? to_.arena.Copy(cursor.Bytes()) : Text(string));
      if (label.data == nullptr) continue;
      to_.attributes.push_back(label);
      ++point.labels.count;
    }
    if (flags & sqlite::kSeriesOwnService) point.service = Text(cursor.Varint());
    return point;
  }

 private:
  std::string_view Text(std::uint64_t string) {
    if (string == 0) return {};
    return to_.arena.Copy(strings_.Text(static_cast<std::uint32_t>(string - 1)));
  }
  Strings& strings_;
  Batch& to_;
  sqlite::BatchParts parts_;
};

}  // namespace

Result<void> Segment::EachGauge(
    std::uint32_t tenant, TimeRange time,
    const std::function<bool(std::string_view metric, std::string_view service)>& wanted,
    const std::function<bool(Batch& points)>& visit) const {
  if (info_.gauges == 0 || Expired(RecordKind::kGauges)) return {};
  struct Part {
    std::string series;
    std::string data;
  };
  std::vector<Part> parts;
  TL_TRY_ASSIGN(const auto index, GetIndex());
  {
    pool_->Touch(*this);
    const std::lock_guard<std::mutex> lock(mutex_);
    TL_TRY_ASSIGN(Open* const open, GetOpen());
    TL_TRY_ASSIGN(auto all, open->db.Prepare("SELECT s.metric, s.service, s.data, g.data FROM"
                                             " series AS s JOIN gauge AS g ON g.series = s.id WHERE"
                                             " s.tenant = ?1 AND g.first_ns <= ?2 AND g.last_ns >="
                                             " ?3 ORDER BY s.id, g.part"));
    constexpr std::uint64_t kLatest = INT64_MAX;
    auto row = all.Use(std::int64_t{tenant},
                       static_cast<std::int64_t>(std::min(time.end_unix_ns, kLatest)),
                       static_cast<std::int64_t>(std::min(time.start_unix_ns, kLatest)));
    while (row.Next()) {
      if (!wanted(row.Text(0), row.Text(1))) continue;
      parts.push_back({std::string(row.Bytes(2)), std::string(row.Bytes(3))});
    }
    TL_TRY(row.Finish());
  }
  Lookup lookup(*this, index);
  for (const Part& part : parts) {
    Batch points;
    std::uint64_t hash = 0;
    const GaugePoint series = SeriesReader(lookup, points).Read(part.series, hash);
    if (lookup.TakeDamage()) return Damaged(path_, "a row of strings");
    TL_TRY_ASSIGN(const auto entries, ReadGaugePart(part.data));
    for (const GaugeEntry& entry : entries) {
      if (!time.Contains(entry.EffectiveUnixNs())) continue;
      GaugePoint point = series;
      point.time_unix_ns = entry.time_unix_ns;
      point.arrival_unix_ns = entry.arrival_unix_ns;
      point.value = entry.value;
      point.identity = GaugeIdentityOf(hash, entry.time_unix_ns, index->seed);
      points.gauges.push_back(point);
    }
    if (!visit(points)) break;
  }
  return {};
}

void SegmentPool::Touch(const Segment& segment) {
  const Segment* least_used = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!used_.empty() && used_.front() == &segment) return;
    used_.remove(&segment);
    used_.push_front(&segment);
    if (used_.size() <= limits_.open_files) return;
    least_used = used_.back();
    used_.pop_back();
    // Under the lock: the segment cannot be destroyed meanwhile (see Forget).
    least_used->Close();
  }
}

void SegmentPool::Forget(const Segment& segment) {
  const std::lock_guard<std::mutex> lock(mutex_);
  used_.remove(&segment);
}

}  // namespace throughline::store::segment
