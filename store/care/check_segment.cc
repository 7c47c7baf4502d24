#include "store/care/check_segment.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>

#include "correlate/record_time.h"
#include "store/care/integrity.h"
#include "store/care/segment_file.h"
#include "store/segment/block_reader.h"
#include "store/segment/bloom.h"
#include "store/segment/gauge_part.h"
#include "store/segment/search_columns.h"
#include "store/segment/segment_schema.h"
#include "store/sqlite/file_hash.h"
#include "store/sqlite/files.h"
#include "store/sqlite/page_check.h"

namespace throughline::store::care {
namespace {

using segment::BlockReader;
using segment::SegmentInfo;
using sqlite::RecordKind;

constexpr RecordKind kKinds[] = {RecordKind::kSpan, RecordKind::kLine, RecordKind::kExemplar};
constexpr const char* kKindNames[] = {"spans", "lines", "exemplars"};

std::string Number(std::uint64_t number) { return std::to_string(number); }

std::uint64_t RecordsOf(const Batch& batch, RecordKind kind) {
  return kind == RecordKind::kSpan   ? batch.spans.size()
         : kind == RecordKind::kLine ? batch.logs.size()
                                     : batch.exemplars.size();
}

class SegmentCheck {
 public:
  SegmentCheck(SegmentFile& file, std::string name, const Work& work, SegmentFacts& facts,
               std::vector<Finding>& findings)
      : file_(file), name_(std::move(name)), work_(work), facts_(facts), findings_(findings) {}

  Result<void> Run() {
    for (const std::string& problem : file_.problems()) Say(problem, "", Cure::kWhole);
    TL_TRY(CheckBlocks());
    TL_TRY(CheckSearch());
    CheckFilters("SELECT first_block, data FROM tag ORDER BY first_block", 0, "attributes");
    if (segment::HasTextFilters(file_.format())) {
      CheckFilters("SELECT first_block, data FROM text ORDER BY first_block", 1, "text");
    }
    CheckCounters();
    TL_TRY(CheckGauges());
    return {};
  }

 private:
  void Say(std::string hurt, std::string lost, Cure cure) {
    findings_.push_back({name_, std::move(hurt), std::move(lost), cure});
  }
  SegmentInfo& info() { return facts_.info; }
  std::uint64_t& CountOf(RecordKind kind) {
    return kind == RecordKind::kSpan   ? info().spans
           : kind == RecordKind::kLine ? info().logs
                                       : info().exemplars;
  }

  Result<void> CheckBlocks();
  void CheckBlock(std::uint64_t number, std::string_view bytes);
  bool ReadBlock(const BlockReader& reader, std::uint64_t number);
  void CheckTraces(const BlockReader& reader, std::uint64_t number);
  void Note(const Batch& batch);
  void Note(std::uint64_t time, std::uint64_t arrival);
  Result<void> CheckSearch();
  void CheckPart(sqlite::Rows& row);
  // `odd`: bytes of a filter that is not empty, beyond a multiple of eight.
  void CheckFilters(const char* select, std::uint64_t odd, const char* of);
  void CheckCounters();
  Result<void> CheckGauges();

  SegmentFile& file_;
  const std::string name_;
  const Work& work_;
  SegmentFacts& facts_;
  std::vector<Finding>& findings_;
  std::uint64_t blocks_ = 0;
  std::uint64_t hurt_blocks_ = 0;
  std::uint64_t not_in_filter_ = 0;
  std::uint64_t entries_[3] = {};
  struct Place {
    std::uint32_t tenant = 0;
    TraceId id;
  };
  std::optional<Place> last_;
};

Result<void> SegmentCheck::CheckBlocks() {
  std::uint64_t next = 0;
  std::optional<Error> stopped;
  const auto read =
      file_.EachBlock([&](std::uint64_t number, std::string_view bytes) -> Result<void> {
        for (; next < number && next < file_.firsts().size(); ++next) {
          Say("block " + Number(next) + " is missing", "its records", Cure::kWithLoss);
          ++hurt_blocks_;
        }
        next = number + 1;
        CheckBlock(number, bytes);
        const auto step = work_.Step(name_, bytes.size());
        if (!step) stopped = step.error();
        return step;
      });
  if (stopped) return *stopped;
  blocks_ = next;
  const bool is_all_told = hurt_blocks_ > 0 && next == file_.firsts().size();
  if ((!read && !is_all_told) || next < file_.firsts().size()) {
    Say("of its " + Number(file_.firsts().size()) + " blocks only those up to " + Number(next) +
            " can be read" + (read ? "" : ": " + read.error().message),
        "the records of the others", Cure::kWithLoss);
    ++hurt_blocks_;
  } else if (next > file_.firsts().size()) {
    Say("it has " + Number(next) + " blocks, and a list of " + Number(file_.firsts().size()), "",
        Cure::kWhole);
  }
  if (not_in_filter_ > 0) {
    Say("its filter does not know " + Number(not_in_filter_) + " of its traces: lookups miss them",
        "", Cure::kWhole);
  }
  return {};
}

void SegmentCheck::CheckBlock(std::uint64_t number, std::string_view bytes) {
  const auto reader = BlockReader::Open(bytes, file_.strings());
  if (!reader) {
    Say("block " + Number(number) + " cannot be read: " + reader.error().message, "its records",
        Cure::kWithLoss);
    ++hurt_blocks_;
    return;
  }
  if (!ReadBlock(*reader, number)) ++hurt_blocks_;
  CheckTraces(*reader, number);
}

// All records of it, kind by kind, tenant by tenant. False: there are fewer than it says.
bool SegmentCheck::ReadBlock(const BlockReader& reader, std::uint64_t number) {
  bool good = true;
  const std::uint64_t missing = file_.missing_strings();
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    Batch batch;
    const auto read = reader.Read(kKinds[i], 0, reader.trace_count(), false, batch);
    const std::uint64_t found = RecordsOf(batch, kKinds[i]);
    const std::uint64_t wanted = reader.record_count(kKinds[i]);
    CountOf(kKinds[i]) += found;
    Note(batch);
    if (read && found == wanted) continue;
    Say("block " + Number(number) + ": " + Number(found) + " of its " + Number(wanted) + ' ' +
            kKindNames[i] + " can be read",
        Number(wanted - std::min(found, wanted)) + ' ' + kKindNames[i], Cure::kWithLoss);
    good = false;
  }
  if (file_.missing_strings() > missing) {
    Say("block " + Number(number) + " names strings that are not there", "parts of its records",
        Cure::kWithLoss);
    good = false;
  }
  return good;
}

void SegmentCheck::CheckTraces(const BlockReader& reader, std::uint64_t number) {
  bool in_order = true;
  for (std::size_t i = 0; i < reader.trace_count(); ++i) {
    const Place at{reader.TenantOf(i), reader.IdOf(i)};
    const bool is_new = !last_ || last_->tenant != at.tenant || last_->id != at.id;
    if (last_ && is_new) {
      in_order = in_order && std::tie(last_->tenant, last_->id.low, last_->id.high) <
                                 std::tie(at.tenant, at.id.low, at.id.high);
    }
    last_ = at;
    facts_.most_tenant = std::max(facts_.most_tenant, at.tenant);
    if (!is_new) continue;
    if (at.id.IsValid()) ++info().traces;
    const std::uint64_t key = segment::TraceKey(at.tenant, at.id, file_.seed());
    if (!segment::Bloom::MayHold(key, file_.traces())) ++not_in_filter_;
  }
  if (!in_order) {
    Say("block " + Number(number) + ": its traces are not in order: lookups may miss them", "",
        Cure::kWhole);
  }
  if (number >= file_.firsts().size() || reader.trace_count() == 0) return;
  const SegmentFile::First& first = file_.firsts()[number];
  if (first.tenant != reader.TenantOf(0) || first.id != reader.IdOf(0)) {
    Say("block " + Number(number) + " does not begin with the trace that the list of blocks says",
        "", Cure::kWhole);
  }
}

void SegmentCheck::Note(std::uint64_t time, std::uint64_t arrival) {
  info().time.start_unix_ns = std::min(info().time.start_unix_ns, time);
  info().time.end_unix_ns = std::max(info().time.end_unix_ns, time);
  info().first_arrival_unix_ns = std::min(info().first_arrival_unix_ns, arrival);
  info().last_arrival_unix_ns = std::max(info().last_arrival_unix_ns, arrival);
}

void SegmentCheck::Note(const Batch& batch) {
  for (const Span& span : batch.spans) Note(TimeOf(span), span.arrival_unix_ns);
  for (const LogLine& line : batch.logs) Note(TimeOf(line), line.arrival_unix_ns);
  for (const Exemplar& exemplar : batch.exemplars) Note(TimeOf(exemplar), exemplar.arrival_unix_ns);
}

void SegmentCheck::CheckPart(sqlite::Rows& row) {
  const std::int64_t kind = row.Integer(0);
  const std::string what = "search part " + std::to_string(row.Integer(2)) + " of " +
                           (kind == 3 ? "metric " : "service ") + std::to_string(row.Integer(1));
  const auto entries = segment::ReadPart(row.Bytes(5));
  if (!entries || kind < 1 || kind > 3) {
    return Say(what + " cannot be read: searches miss its records", "", Cure::kWhole);
  }
  entries_[kind - 1] += entries->size();
  bool good = true;
  std::uint64_t last = 0;
  for (const segment::SearchEntry& entry : *entries) {
    good = good && entry.block < blocks_ && entry.time_unix_ns >= last &&
           entry.time_unix_ns >= static_cast<std::uint64_t>(row.Integer(3)) &&
           entry.time_unix_ns <= static_cast<std::uint64_t>(row.Integer(4));
    last = entry.time_unix_ns;
  }
  if (!good) Say(what + " does not say what its records are: searches miss them", "", Cure::kWhole);
}

Result<void> SegmentCheck::CheckSearch() {
  std::optional<Error> stopped;
  const auto read = file_.EachRow("SELECT kind, of, part, first_ns, last_ns, data FROM search",
                                  [&](sqlite::Rows& row) -> Result<void> {
                                    CheckPart(row);
                                    const auto step = work_.Step(name_, row.Bytes(5).size());
                                    if (!step) stopped = step.error();
                                    return step;
                                  });
  if (stopped) return *stopped;
  if (!read) Say("its search cannot be read: " + read.error().message, "", Cure::kWhole);
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    // Where blocks are hurt it is them that are short.
    if (entries_[i] == CountOf(kKinds[i]) || hurt_blocks_ > 0) continue;
    Say("its search knows " + Number(entries_[i]) + " of " + Number(CountOf(kKinds[i])) + ' ' +
            kKindNames[i],
        "", Cure::kWhole);
  }
  return {};
}

void SegmentCheck::CheckFilters(const char* select, std::uint64_t odd, const char* of) {
  std::uint64_t next = 0;
  bool good = true;
  const auto read = file_.EachRow(select, [&](sqlite::Rows& row) -> Result<void> {
    good = good && static_cast<std::uint64_t>(row.Integer(0)) == next;
    sqlite::Cursor cursor(row.Bytes(1));
    std::uint64_t filters = 0;
    for (; !cursor.done(); ++filters) {
      const std::uint64_t size = cursor.Varint();
      good = good && (size == 0 || size % 8 == odd) && cursor.Take(size).size() == size;
    }
    good = good && filters <= segment::kBlocksPerTagRow;
    next += filters;
    return {};
  });
  // A file that was written again may have none of text; searches read more blocks then.
  const bool has_none = odd != 0 && next == 0;
  if (!read || !good || (next != file_.firsts().size() && !has_none)) {
    Say(std::string("the filters of its ") + of + " are damaged: searches may miss records", "",
        Cure::kWhole);
  }
}

void SegmentCheck::CheckCounters() {
  std::uint64_t counts[3] = {};
  const auto read = file_.EachRow("SELECT spans, logs, exemplars, name FROM service",
                                  [&](sqlite::Rows& row) -> Result<void> {
                                    for (int i = 0; i < 3; ++i)
                                      counts[i] += static_cast<std::uint64_t>(row.Integer(i));
                                    return {};
                                  });
  const auto others = {file_.EachRow("SELECT service, name, kind, spans, errors FROM operation",
                                     [](sqlite::Rows&) -> Result<void> { return {}; }),
                       file_.EachRow("SELECT id, tenant, name, unit, type FROM metric",
                                     [](sqlite::Rows&) -> Result<void> { return {}; })};
  bool good = read.has_value();
  for (const auto& other : others) good = good && other.has_value();
  if (!good) return Say("its services cannot be read", "", Cure::kWhole);
  if (hurt_blocks_ > 0) return;
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    if (counts[i] == CountOf(kKinds[i])) continue;
    Say("its services count " + Number(counts[i]) + ' ' + kKindNames[i] + ", there are " +
            Number(CountOf(kKinds[i])),
        "", Cure::kWhole);
  }
}

Result<void> SegmentCheck::CheckGauges() {
  std::optional<Error> stopped;
  std::uint64_t last = 0;
  const auto read = file_.EachRow(
      "SELECT g.series, g.part, g.data, s.tenant FROM gauge AS g LEFT JOIN series AS s ON s.id ="
      " g.series ORDER BY g.series, g.part",
      [&](sqlite::Rows& row) -> Result<void> {
        const std::string what = "part " + std::to_string(row.Integer(1)) + " of series " +
                                 std::to_string(row.Integer(0));
        const auto points = segment::ReadGaugePart(row.Bytes(2));
        const auto tenant = static_cast<std::uint32_t>(row.Integer(3));
        if (!points || tenant == 0) {
          Say(what + (points ? ": its series is missing" : " cannot be read"), "its gauge points",
              Cure::kWithLoss);
        } else {
          info().gauges += points->size();
          facts_.most_tenant = std::max(facts_.most_tenant, tenant);
          for (const auto& point : *points) Note(point.EffectiveUnixNs(), point.arrival_unix_ns);
        }
        last = static_cast<std::uint64_t>(row.Integer(0));
        const auto step = work_.Step(name_, row.Bytes(2).size());
        if (!step) stopped = step.error();
        return step;
      });
  if (stopped) return *stopped;
  if (!read) {
    Say("its gauges cannot be read behind series " + Number(last) + ": " + read.error().message,
        "the gauge points of the others", Cure::kWithLoss);
  }
  return {};
}

// What the catalog must find, where the file does not hold all that was sealed any more.
SegmentInfo Expected(const SegmentInfo& row, const SegmentInfo& found) {
  SegmentInfo expected = Left(row);
  if (row.removed == 0) return expected;
  // Of what is left the times are within those of all.
  expected.time = found.time;
  expected.first_arrival_unix_ns = found.first_arrival_unix_ns;
  expected.last_arrival_unix_ns = found.last_arrival_unix_ns;
  return expected;
}

void Compare(const SegmentInfo& row, const SegmentInfo& found, const std::string& name,
             std::vector<Finding>& findings) {
  const struct {
    const char* what;
    std::uint64_t wanted;
    std::uint64_t found;
    bool is_lost;
  } numbers[] = {{"spans", row.spans, found.spans, true},
                 {"lines", row.logs, found.logs, true},
                 {"exemplars", row.exemplars, found.exemplars, true},
                 {"gauge points", row.gauges, found.gauges, true},
                 {"traces", row.traces, found.traces, true},
                 {"bytes", row.bytes, found.bytes, false},
                 {"first time", row.time.start_unix_ns, found.time.start_unix_ns, false},
                 {"last time", row.time.end_unix_ns, found.time.end_unix_ns, false},
                 {"first arrival", row.first_arrival_unix_ns, found.first_arrival_unix_ns, false},
                 {"last arrival", row.last_arrival_unix_ns, found.last_arrival_unix_ns, false}};
  for (const auto& number : numbers) {
    if (number.wanted == number.found) continue;
    const bool lost = number.is_lost && number.found < number.wanted;
    findings.push_back({name,
                        std::string(number.what) + ": the catalog says " + Number(number.wanted) +
                            ", there are " + Number(number.found),
                        lost ? Number(number.wanted - number.found) + ' ' + number.what : "",
                        lost ? Cure::kWithLoss : Cure::kWhole});
  }
}

}  // namespace

SegmentInfo Left(const SegmentInfo& row) {
  SegmentInfo left = row;
  if (row.removed & segment::kSpanBit) left.spans = 0;
  if (row.removed & segment::kLineBit) left.logs = 0;
  if (row.removed & segment::kExemplarBit) left.exemplars = 0;
  if (row.removed & segment::kGaugeBit) left.gauges = 0;
  return left;
}

Result<SegmentFacts> CheckSegment(const std::string& directory, const std::string& name,
                                  const SegmentInfo* row, const Work& work,
                                  std::vector<Finding>& findings) {
  const std::string path = directory + '/' + name;
  SegmentFacts facts;
  facts.info.file = name;
  const std::string all = row == nullptr
                              ? "its records"
                              : Number(row->spans) + " spans, " + Number(row->logs) + " lines, " +
                                    Number(row->exemplars) + " exemplars, " + Number(row->gauges) +
                                    " gauge points";
  const auto say = [&](std::string hurt, std::string lost, Cure cure) {
    findings.push_back({name, std::move(hurt), std::move(lost), cure});
  };
  const std::size_t before = findings.size();
  if (const auto size = sqlite::SystemFiles().SizeOf(path)) facts.info.bytes = *size;
  const auto hash = sqlite::HashOfFile(path);
  if (hash) facts.info.hash = *hash;
  TL_TRY(work.Step(name, facts.info.bytes));
  auto file = SegmentFile::Open(path);
  facts.is_hurt = true;  // Until all was looked at.
  if (!file) {
    facts.is_newer = file.error().code == Errc::kUnsupported;
    say("it cannot be read: " + file.error().message, facts.is_newer ? "" : all,
        facts.is_newer ? Cure::kNone : Cure::kWithLoss);
    return facts;
  }
  facts.is_readable = true;
  facts.info.format = (*file)->format();
  facts.has_seed = (*file)->has_seed();
  facts.hash_seed = (*file)->seed();
  if (segment::HasPageChecks((*file)->format())) {
    TL_TRY_ASSIGN(const std::uint64_t damaged, sqlite::CountDamagedPages(path));
    if (damaged > 0) {
      say(Number(damaged) + " of its pages are not as they were written", "", Cure::kWhole);
    }
  }
  if (const std::string problem = IntegrityProblem((*file)->db()); !problem.empty()) {
    say("SQLite finds it damaged: " + problem, "", Cure::kWhole);
  }
  TL_TRY(SegmentCheck(**file, name, work, facts, findings).Run());
  facts.is_hurt = findings.size() > before;
  if (row == nullptr) return facts;
  Compare(Expected(*row, facts.info), facts.info, name, findings);
  // Told apart from what the other checks name: those say what it costs.
  if (findings.size() == before && row->hash != 0 && facts.info.hash != row->hash) {
    facts.is_hurt = true;
    say("its bytes are not those that were sealed, and nothing else shows it: a value may be wrong",
        "at most what one block holds, for each place", Cure::kWithLoss);
  }
  return facts;
}

}  // namespace throughline::store::care
