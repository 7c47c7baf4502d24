// Searches of a segment: which blocks may hold what is wanted, and what its services and operations
// are.
#include <algorithm>

#include "store/segment/bloom.h"
#include "store/segment/search_columns.h"
#include "store/segment/segment_open.h"
#include "store/segment/segment_schema.h"
#include "store/segment/tag_filter.h"
#include "store/segment/text_filter.h"

namespace throughline::store::segment {
namespace {

using sqlite::RecordKind;

// Reading a block costs about as much as the entries of so many in the parts of a search.
constexpr std::size_t kBlocksWorthAPart = 20;

}  // namespace

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
  TL_TRY_ASSIGN(const Index* const index, GetIndex());
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
  Lookup lookup(*this, *index);
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
  if (lookup.TakeDamage()) return DamagedPart(path_, "a row of strings");
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

}  // namespace throughline::store::segment
