#include "store/care/repair.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <utility>

#include "store/care/salvage.h"
#include "store/sqlite/file_names.h"
#include "store/sqlite/files.h"

namespace throughline::store::care {
namespace {

using segment::SegmentInfo;

std::string Records(const SegmentInfo& info) {
  return std::to_string(info.spans) + " spans, " + std::to_string(info.logs) + " lines, " +
         std::to_string(info.exemplars) + " exemplars, " + std::to_string(info.gauges) +
         " gauge points";
}

// What retention took stays away: the row says what the file alone cannot.
void KeepExpired(const SegmentInfo& row, SegmentInfo& info) {
  info.expired = row.expired;
  info.removed = row.removed;
  if (row.removed == 0) return;
  if (row.removed & segment::kSpanBit) info.spans = row.spans;
  if (row.removed & segment::kLineBit) info.logs = row.logs;
  if (row.removed & segment::kExemplarBit) info.exemplars = row.exemplars;
  if (row.removed & segment::kGaugeBit) info.gauges = row.gauges;
  info.time = row.time;
  info.first_arrival_unix_ns = row.first_arrival_unix_ns;
  info.last_arrival_unix_ns = row.last_arrival_unix_ns;
}

class Repairer {
 public:
  Repairer(const std::string& directory, const Report& report, const Work& work)
      : directory_(directory), report_(report), work_(work), content_(report.catalog.content) {}

  Result<std::vector<std::string>> Run() {
    content_.segments.clear();
    Number();
    TL_TRY(files_.CreateDirectories(directory_ + "/hurt"));
    TL_TRY(TakeSegments());
    TL_TRY(TakeTails());
    for (const std::string& name : report_.missing) {
      Did(name, "is no longer in the catalog");
      changed_ = true;
    }
    CompleteCatalog();
    if (changed_) TL_TRY(InstallCatalog());
    TL_TRY(TakeStraysAway());
    TL_TRY(files_.SyncDirectory(directory_));
    std::error_code ignored;
    std::filesystem::remove(directory_ + "/hurt", ignored);  // Where it stayed empty.
    return std::move(done_);
  }

 private:
  void Did(const std::string& file, const std::string& what) {
    done_.push_back(file + ": " + what);
  }
  std::string PathOf(const std::string& name) const { return directory_ + '/' + name; }

  void Number();
  Result<void> TakeSegments();
  Result<void> TakeSegment(const std::string& name, const SegmentFacts& facts);
  Result<void> TakeTails();
  void CompleteCatalog();
  Result<void> InstallCatalog();
  Result<void> TakeStraysAway();
  // In hurt/, where a file of the same name may be already.
  std::string PlaceFor(const std::string& name) const;
  Result<void> MoveAside(const std::string& name);
  // A second name: the first can go in one step with what replaces it.
  Result<void> LinkAside(const std::string& name);

  const std::string& directory_;
  const Report& report_;
  const Work& work_;
  sqlite::Files& files_ = sqlite::SystemFiles();
  sqlite::CatalogContent content_;
  std::uint64_t next_segment_ = 1;
  bool changed_ = false;
  std::vector<std::string> aside_;  // Once the catalog no longer lists them.
  std::set<std::string> linked_;    // Names that are in hurt/ already.
  std::vector<std::string> done_;
};

void Repairer::Number() {
  const auto note_segment = [this](std::uint64_t id) {
    next_segment_ = std::max(next_segment_, id + 1);
  };
  for (const SegmentInfo& info : report_.catalog.content.segments) {
    note_segment(info.id);
  }
  for (const auto& expired : content_.expired) note_segment(expired.segment);
  for (const auto& [name, facts] : report_.segments) {
    note_segment(sqlite::NumberIn(name, sqlite::kSegmentPrefix));
  }
  for (const std::string& name : report_.strays) {
    note_segment(sqlite::NumberIn(name, sqlite::kSegmentPrefix));
  }
  // Without the catalog's word, no tail that is there has been sealed: a record that has is twice
  // there, and answers show it once.
  content_.sealed_tail = report_.catalog.content.sealed_tail;
  if (content_.sealed_tail != 0 || report_.tails.empty()) return;
  const auto first =
      std::min_element(report_.tails.begin(), report_.tails.end(),
                       [](const TailFacts& a, const TailFacts& b) { return a.number < b.number; });
  content_.sealed_tail = first->number - 1;
}

Result<void> Repairer::TakeSegments() {
  for (const auto& [name, facts] : report_.segments) TL_TRY(TakeSegment(name, facts));
  std::sort(content_.segments.begin(), content_.segments.end(),
            [](const SegmentInfo& a, const SegmentInfo& b) { return a.id < b.id; });
  return {};
}

Result<void> Repairer::TakeSegment(const std::string& name, const SegmentFacts& facts) {
  const auto& rows = report_.catalog.content.segments;
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const SegmentInfo& info) { return info.file == name; });
  const bool is_listed = row != rows.end();
  SegmentInfo info = facts.info;
  info.id = sqlite::NumberIn(name, sqlite::kSegmentPrefix);
  // Which tail it was is not known: a number that no tail will ever have.
  constexpr std::uint64_t kUnknownTails = std::uint64_t{1} << 40U;
  info.tail = is_listed ? row->tail : kUnknownTails + info.id;
  if (is_listed) KeepExpired(*row, info);
  if (!facts.is_hurt) {
    if (!is_listed) Did(name, "is in the catalog again, with " + Records(info));
    changed_ = changed_ || !is_listed || row->hash != info.hash || row->bytes != info.bytes ||
               row->spans != info.spans || row->logs != info.logs ||
               row->exemplars != info.exemplars || row->gauges != info.gauges ||
               row->traces != info.traces || row->time.start_unix_ns != info.time.start_unix_ns ||
               row->time.end_unix_ns != info.time.end_unix_ns ||
               row->first_arrival_unix_ns != info.first_arrival_unix_ns ||
               row->last_arrival_unix_ns != info.last_arrival_unix_ns;
    content_.segments.push_back(std::move(info));
    return {};
  }
  SegmentInfo saved;
  saved.id = next_segment_;
  saved.tail = info.tail;
  saved.file = sqlite::NameOf(sqlite::kSegmentPrefix, saved.id);
  TL_TRY(SalvageSegment(directory_, name, content_.hash_seed, work_, saved));
  saved.expired = info.expired;
  changed_ = true;
  aside_.push_back(name);
  if (saved.bytes == 0) {
    Did(name, "nothing of it can be read; it is in hurt/");
    return {};
  }
  ++next_segment_;
  Did(name, "what can be read of it is " + saved.file + ", with " + Records(saved) +
                "; the file is in hurt/");
  content_.segments.push_back(std::move(saved));
  return {};
}

Result<void> Repairer::TakeTails() {
  for (const TailFacts& tail : report_.tails) {
    if (!tail.is_hurt) continue;
    const std::string name = sqlite::NameOf(sqlite::kTailPrefix, tail.number);
    SegmentInfo saved;
    saved.id = next_segment_;
    saved.tail = tail.number;
    saved.file = sqlite::NameOf(sqlite::kSegmentPrefix, saved.id);
    TL_TRY(SalvageTail(directory_, tail, content_.hash_seed, saved));
    TL_TRY(work_.Step(name, 0));
    aside_.push_back(name);
    aside_.push_back(name + "-wal");
    if (saved.bytes == 0) {
      Did(name, "nothing of it can be read; it is in hurt/");
      continue;
    }
    // From here on a crash leaves the tail as one that was sealed: to be removed at the next start.
    for (const char* const suffix : {"", "-wal"}) TL_TRY(LinkAside(name + suffix));
    ++next_segment_;
    changed_ = true;
    Did(name, "its first " + std::to_string(tail.good_rows) + " requests are " + saved.file +
                  ", with " + Records(saved) + "; the file is in hurt/");
    content_.segments.push_back(std::move(saved));
  }
  return {};
}

void Repairer::CompleteCatalog() {
  while (content_.tenants.size() < report_.most_tenant) {
    content_.tenants.push_back("tenant-" + std::to_string(content_.tenants.size() + 1));
    Did(std::string(sqlite::kCatalogFile), "tenant " + std::to_string(content_.tenants.size()) +
                                               " is now called " + content_.tenants.back());
    changed_ = true;
  }
  const bool has_records = !report_.segments.empty() || !report_.tails.empty();
  changed_ = changed_ || report_.catalog.is_hurt || (!report_.catalog.is_there && has_records);
  if (!report_.catalog.has_seed && changed_) {
    std::random_device random;
    content_.hash_seed = (std::uint64_t{random()} << 32U) | random();
  }
}

Result<void> Repairer::InstallCatalog() {
  const std::string name(sqlite::kCatalogFile);
  const std::string aside = PathOf(name + std::string(sqlite::kAside));
  TL_TRY(files_.Remove(aside));
  TL_TRY(sqlite::WriteCatalog(aside, content_));
  TL_TRY(files_.SyncFile(aside));
  if (report_.catalog.is_there && !report_.catalog.is_hurt) {
    // Its log folds back, so that none is left beside the new one.
    TL_TRY(sqlite::Database::Open(PathOf(name), {.full_durability = true}));
  } else if (report_.catalog.is_there) {
    for (const char* const suffix : {"", "-wal"}) TL_TRY(LinkAside(name + suffix));
    TL_TRY(files_.SyncDirectory(directory_ + "/hurt"));
    Did(name, "written anew, with " + std::to_string(content_.segments.size()) + " segments and " +
                  std::to_string(content_.tenants.size()) + " tenants; the old one is in hurt/");
  } else {
    Did(name, "written anew, with " + std::to_string(content_.segments.size()) + " segments and " +
                  std::to_string(content_.tenants.size()) + " tenants");
  }
  for (const char* const suffix : {"-wal", "-shm"}) TL_TRY(files_.Remove(PathOf(name + suffix)));
  TL_TRY(files_.Rename(aside, PathOf(name)));
  return files_.SyncDirectory(directory_);
}

Result<void> Repairer::TakeStraysAway() {
  for (const std::string& name : aside_) TL_TRY(MoveAside(name));
  for (const std::string& name : report_.strays) {
    if (name.ends_with(sqlite::kAside)) {
      TL_TRY(files_.Remove(PathOf(name)));
      Did(name, "removed");
      continue;
    }
    TL_TRY(MoveAside(name));
    if (sqlite::NumberIn(name, sqlite::kTailPrefix) != 0) TL_TRY(MoveAside(name + "-wal"));
    Did(name, "moved to hurt/");
  }
  return files_.SyncDirectory(directory_ + "/hurt");
}

std::string Repairer::PlaceFor(const std::string& name) const {
  std::string place = directory_ + "/hurt/" + name;
  std::error_code error;
  for (int i = 1; std::filesystem::exists(place, error); ++i) {
    place = directory_ + "/hurt/" + name + '.' + std::to_string(i);
  }
  return place;
}

Result<void> Repairer::MoveAside(const std::string& name) {
  std::error_code error;
  if (!std::filesystem::exists(PathOf(name), error)) return {};
  if (linked_.contains(name)) return files_.Remove(PathOf(name));
  return files_.Rename(PathOf(name), PlaceFor(name));
}

Result<void> Repairer::LinkAside(const std::string& name) {
  std::error_code error;
  if (!std::filesystem::exists(PathOf(name), error)) return {};
  std::filesystem::create_hard_link(PathOf(name), PlaceFor(name), error);
  if (error) return sqlite::FileError("link", PathOf(name), error.value());
  linked_.insert(name);
  return {};
}

}  // namespace

Result<std::vector<std::string>> Repair(const std::string& directory, const Report& report,
                                        const Work& work) {
  for (const Finding& finding : report.findings) {
    if (finding.cure == Cure::kNone) return Error{Errc::kDataLoss, Line(finding)};
  }
  if (report.findings.empty()) return std::vector<std::string>();
  return Repairer(directory, report, work).Run();
}

}  // namespace throughline::store::care
