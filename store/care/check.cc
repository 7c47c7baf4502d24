#include "store/care/check.h"

#include <algorithm>
#include <set>

#include "store/sqlite/file_names.h"
#include "store/sqlite/files.h"
#include "store/sqlite/hash_set.h"
#include "store/sqlite/seen.h"

namespace throughline::store::care {
namespace {

using segment::SegmentInfo;
using sqlite::NumberIn;

// It is hashed, and then read.
constexpr std::uint64_t kReadsOfSegment = 2;

// What others than the store keep here.
bool IsKnown(const std::string& name) {
  return name == "LOCK" || name == "follow.json" || name == kCheckedFile ||
         name.ends_with("-shm") || name == sqlite::kCatalogFile ||
         name == std::string(sqlite::kCatalogFile) + "-wal";
}

class DirectoryCheck {
 public:
  DirectoryCheck(const std::string& directory, std::vector<std::string> names, const Work& work,
                 Checked* checked)
      : directory_(directory), names_(std::move(names)), work_(work), checked_(checked) {}

  Result<Report> Run() {
    report_.catalog = CheckCatalog(directory_, report_.findings);
    for (const SegmentInfo& info : content().segments) {
      listed_[info.file] = &info;
    }
    TL_TRY(CheckSegments());
    LookForSeed();
    TL_TRY(CheckTails());
    CheckOthers();
    CheckCatalogIsThere();
    CheckTenants();
    return std::move(report_);
  }

 private:
  const sqlite::CatalogContent& content() const { return report_.catalog.content; }
  bool catalog_is_lost() const { return !report_.catalog.is_there || report_.catalog.is_hurt; }
  void Say(const std::string& file, std::string hurt, std::string lost, Cure cure) {
    report_.findings.push_back({file, std::move(hurt), std::move(lost), cure});
  }
  Result<void> CheckSegments();
  // What is in one; `row` as in care::CheckSegment.
  Result<SegmentFacts> FactsOf(const std::string& name, const SegmentInfo* row);
  void LookForSeed();
  Result<void> CheckTails();
  void CheckOthers();
  void CheckCatalogIsThere();
  void CheckTenants();

  const std::string& directory_;
  const std::vector<std::string> names_;
  const Work& work_;
  Checked* const checked_;
  Report report_;
  std::map<std::string, const SegmentInfo*> listed_;
};

Result<SegmentFacts> DirectoryCheck::FactsOf(const std::string& name, const SegmentInfo* row) {
  const bool may_be_known = row != nullptr && checked_ != nullptr;
  if (may_be_known) {
    if (const auto known = checked_->FactsOf(name, *row)) {
      ++report_.known_segments;
      TL_TRY(work_.Step(name, kReadsOfSegment * row->bytes));
      return *known;
    }
  }
  const std::size_t before = report_.findings.size();
  TL_TRY_ASSIGN(const SegmentFacts facts,
                CheckSegment(directory_, name, row, work_, report_.findings));
  if (may_be_known && report_.findings.size() == before) checked_->Add(name, *row, facts);
  return facts;
}

Result<void> DirectoryCheck::CheckSegments() {
  for (const std::string& name : names_) {
    if (NumberIn(name, sqlite::kSegmentPrefix) == 0) continue;
    const auto row = listed_.find(name);
    const bool is_listed = row != listed_.end();
    if (!is_listed && !catalog_is_lost()) {
      // Left by a crash; or its row is lost, which nobody can tell.
      Say(name, "the catalog does not list it: the next start removes it", "", Cure::kWhole);
      report_.strays.push_back(name);
      continue;
    }
    TL_TRY_ASSIGN(const SegmentFacts facts, FactsOf(name, is_listed ? row->second : nullptr));
    const SegmentInfo& info = facts.info;
    report_.records += info.spans + info.logs + info.exemplars + info.gauges;
    report_.bytes += info.bytes;
    report_.most_tenant = std::max(report_.most_tenant, facts.most_tenant);
    if (report_.catalog.has_seed && facts.has_seed && facts.hash_seed != content().hash_seed) {
      Say(name, "its hash seed is not the catalog's: retries of its records are not recognised", "",
          Cure::kWhole);
    }
    if (!is_listed && facts.is_readable) {
      Say(name,
          "the catalog has lost it, with " + std::to_string(info.spans) + " spans, " +
              std::to_string(info.logs) + " lines, " + std::to_string(info.exemplars) +
              " exemplars, " + std::to_string(info.gauges) + " gauge points",
          "", Cure::kWhole);
    }
    report_.segments.emplace(name, facts);
  }
  for (const auto& [name, row] : listed_) {
    if (report_.segments.contains(name)) continue;
    Say(name, "the catalog lists it, and it is not there",
        std::to_string(row->spans) + " spans, " + std::to_string(row->logs) + " lines, " +
            std::to_string(row->exemplars) + " exemplars, " + std::to_string(row->gauges) +
            " gauge points",
        Cure::kWithLoss);
    report_.missing.push_back(name);
  }
  return {};
}

// Each segment has the seed too.
void DirectoryCheck::LookForSeed() {
  if (report_.catalog.has_seed) return;
  for (const auto& [name, facts] : report_.segments) {
    if (!facts.has_seed) continue;
    report_.catalog.content.hash_seed = facts.hash_seed;
    report_.catalog.has_seed = true;
    return;
  }
}

Result<void> DirectoryCheck::CheckTails() {
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names_) {
    const std::uint64_t number = NumberIn(name, sqlite::kTailPrefix);
    if (number == 0) continue;
    if (number <= content().sealed_tail) {
      Say(name, "its records were sealed already: the next start removes it", "", Cure::kWhole);
      report_.strays.push_back(name);
    } else {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint64_t number : numbers) {
    const std::string name = sqlite::NameOf(sqlite::kTailPrefix, number);
    TL_TRY_ASSIGN(TailFacts facts,
                  CheckTail(directory_, name, content().hash_seed, work_, report_.findings));
    facts.number = number;
    report_.bytes += TailBytes(directory_ + '/' + name);
    report_.most_tenant = std::max(report_.most_tenant, facts.most_tenant);
    report_.tails.push_back(facts);
  }
  return {};
}

void DirectoryCheck::CheckOthers() {
  const auto is_there = [this](const std::string& name) {
    return std::binary_search(names_.begin(), names_.end(), name);
  };
  for (const std::string& name : names_) {
    if (name == sqlite::kRestoringFile) {
      Say(name, "a restore into this directory has not ended: `throughline restore` goes on", "",
          Cure::kNone);
      continue;
    }
    const bool is_wal = name.ends_with("-wal");
    const std::string of = is_wal ? name.substr(0, name.size() - 4) : name;
    if (IsKnown(name) || NumberIn(name, sqlite::kSegmentPrefix) != 0) continue;
    if (NumberIn(of, sqlite::kTailPrefix) != 0) {
      const auto size = sqlite::SystemFiles().SizeOf(directory_ + '/' + name);
      if (is_wal && !is_there(of) && size && *size > 0) {
        Say(name, "the tail that it belongs to is missing", "all its requests", Cure::kWithLoss);
        report_.strays.push_back(name);
      }
      continue;
    }
    if (NumberIn(name, sqlite::kSeenPrefix) != 0) {
      sqlite::IdentitySet identities;
      const auto read = sqlite::ReadSeen(directory_ + '/' + name, nullptr, identities);
      if (read) continue;
      Say(name, "it cannot be read: retries are stored once more", "", Cure::kWhole);
    } else if (name.ends_with(sqlite::kAside)) {
      Say(name, "left over by what was cut off", "", Cure::kWhole);
    } else {
      Say(name, "it is not a file of a data directory", "", Cure::kWhole);
    }
    report_.strays.push_back(name);
  }
}

void DirectoryCheck::CheckCatalogIsThere() {
  const bool has_records = !report_.segments.empty() || !report_.tails.empty();
  if (report_.catalog.is_there || !has_records) return;
  Say(std::string(sqlite::kCatalogFile), "it is missing; the segments say what it said of them",
      report_.most_tenant > 0 ? "the names of " + std::to_string(report_.most_tenant) +
                                    " tenants, which become tenant-1 and so on"
                              : "",
      Cure::kWithLoss);
  if (!report_.catalog.has_seed) {
    Say(std::string(sqlite::kCatalogFile),
        "no file has the hash seed: with a new one, retries of what is stored are not recognised",
        "", Cure::kWhole);
  }
}

void DirectoryCheck::CheckTenants() {
  if (!report_.catalog.is_there || report_.most_tenant <= content().tenants.size()) return;
  Say(std::string(sqlite::kCatalogFile),
      "it has " + std::to_string(content().tenants.size()) + " tenants, and there are records of " +
          std::to_string(report_.most_tenant),
      "the names of the others, which become tenant-N", Cure::kWithLoss);
}

}  // namespace

Result<Report> Check(const std::string& directory, const Work& work, Checked* checked) {
  TL_TRY_ASSIGN(auto names, sqlite::SystemFiles().List(directory));
  return DirectoryCheck(directory, std::move(names), work, checked).Run();
}

std::uint64_t BytesToCheck(const std::string& directory) {
  std::uint64_t bytes = 0;
  const auto names = sqlite::SystemFiles().List(directory);
  if (!names) return 0;
  for (const std::string& name : *names) {
    const auto size = sqlite::SystemFiles().SizeOf(directory + '/' + name);
    if (!size) continue;
    bytes += NumberIn(name, sqlite::kSegmentPrefix) != 0 ? kReadsOfSegment * *size : *size;
  }
  return bytes;
}

}  // namespace throughline::store::care
