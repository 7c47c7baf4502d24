#include "store/care/salvage.h"

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "correlate/identity.h"
#include "store/care/segment_file.h"
#include "store/copy.h"
#include "store/segment/block_reader.h"
#include "store/segment/segment.h"
#include "store/segment/segment_writer.h"
#include "store/sqlite/file_hash.h"
#include "store/sqlite/file_names.h"
#include "store/sqlite/files.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::care {
namespace {

using segment::BlockReader;
using segment::SegmentInfo;
using sqlite::Memtable;
using sqlite::RecordKind;

Result<void> WriteFile(const std::string& directory, const Memtable& memtable, SegmentInfo& to) {
  if (memtable.is_empty()) return {};
  sqlite::Files& files = sqlite::SystemFiles();
  const std::string path = directory + '/' + to.file;
  const std::string aside = path + std::string(sqlite::kAside);
  TL_TRY(files.Remove(aside));
  TL_TRY_ASSIGN(SegmentInfo written, segment::WriteSegment(memtable, aside, nullptr));
  TL_TRY(files.SyncFile(aside));
  TL_TRY(files.Rename(aside, path));
  TL_TRY(files.SyncDirectory(directory));
  written.id = to.id;
  written.tail = to.tail;
  written.file = to.file;
  TL_TRY_ASSIGN(written.bytes, files.SizeOf(path));
  TL_TRY_ASSIGN(written.hash, sqlite::HashOfFile(path));
  to = std::move(written);
  return {};
}

// The records of a segment by request: a memtable takes them as they came.
class Gatherer {
 public:
  explicit Gatherer(std::uint64_t seed) : seed_(seed) {}

  void Add(std::uint32_t tenant, const Batch& from) {
    std::map<std::uint64_t, RecordCopier> copiers;
    const auto each = [&](const auto& records) {
      for (const auto& record : records) {
        auto copier = copiers.find(record.arrival_unix_ns);
        if (copier == copiers.end()) {
          auto& request = requests_[{record.arrival_unix_ns, tenant}];
          if (request == nullptr) request = std::make_shared<Batch>();
          copier = copiers.try_emplace(record.arrival_unix_ns, from, *request).first;
        }
        copier->second.Copy(record);
      }
    };
    each(from.spans);
    each(from.logs);
    each(from.exemplars);
    each(from.gauges);
  }

  Result<void> StageInto(Memtable& memtable) {
    for (const auto& [key, request] : requests_) {
      for (Attribute& attribute : request->attributes) {
        attribute.hash = HashBytes(attribute.bytes(), seed_);
      }
      for (GaugePoint& point : request->gauges) point.identity = IdentityOf(point, *request, seed_);
      TL_TRY(memtable.Stage(key.second, key.first, *request));
      memtable.Publish([] { return false; }, {});
    }
    return {};
  }

 private:
  const std::uint64_t seed_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::shared_ptr<Batch>> requests_;
};

void ReadBlock(std::string_view bytes, SegmentFile& file, Gatherer& to) {
  const auto reader = BlockReader::Open(bytes, file.strings());
  if (!reader) return;
  for (std::size_t first = 0; first < reader->trace_count();) {
    const std::uint32_t tenant = reader->TenantOf(first);
    std::size_t last = first;
    while (last < reader->trace_count() && reader->TenantOf(last) == tenant) ++last;
    Batch batch;
    for (const RecordKind kind : {RecordKind::kSpan, RecordKind::kLine, RecordKind::kExemplar}) {
      // What a damaged group gave before it ended is good.
      (void)reader->Read(kind, first, last, true, batch);
    }
    if (tenant > 0) to.Add(tenant, batch);
    first = last;
  }
}

// Metric by metric: one that is damaged costs no other.
void ReadGauges(SegmentFile& file, Gatherer& to) {
  std::set<std::pair<std::uint32_t, std::string>> metrics;
  (void)file.EachRow("SELECT tenant, metric FROM series", [&](sqlite::Rows& row) -> Result<void> {
    metrics.emplace(static_cast<std::uint32_t>(row.Integer(0)), row.Text(1));
    return {};
  });
  SegmentInfo info;
  info.format = file.format();
  info.gauges = 1;  // There may be some.
  const segment::Segment segment(
      info, file.path(), std::make_shared<segment::SegmentPool>(segment::SegmentPool::Limits()));
  for (const auto& [tenant, metric] : metrics) {
    (void)segment.EachGauge(
        tenant, {0, UINT64_MAX},
        [&wanted = metric](std::string_view name, std::string_view) { return name == wanted; },
        [&, of = tenant](const Batch& points) {
          to.Add(of, points);
          return true;
        });
  }
}

}  // namespace

Result<void> SalvageSegment(const std::string& directory, const std::string& name,
                            std::uint64_t hash_seed, const Work& work, SegmentInfo& to) {
  const std::string path = directory + '/' + name;
  auto file = SegmentFile::Open(path);
  if (!file) return {};
  (*file)->SetSeed(hash_seed);
  Gatherer gatherer(hash_seed);
  Result<void> stopped;
  (void)(*file)->EachBlock([&](std::uint64_t, std::string_view bytes) -> Result<void> {
    ReadBlock(bytes, **file, gatherer);
    stopped = work.Step(name, bytes.size());
    return stopped;
  });
  TL_TRY(stopped);
  ReadGauges(**file, gatherer);
  TL_TRY_ASSIGN(const std::uint64_t bytes, sqlite::SystemFiles().SizeOf(path));
  Memtable memtable(MemtableBytesFor(bytes * 4), hash_seed);
  TL_TRY(gatherer.StageInto(memtable));
  return WriteFile(directory, memtable, to);
}

Result<void> SalvageTail(const std::string& directory, const TailFacts& tail,
                         std::uint64_t hash_seed, SegmentInfo& to) {
  const std::string path = directory + '/' + sqlite::NameOf(sqlite::kTailPrefix, tail.number);
  Memtable memtable(MemtableBytesFor(TailBytes(path)), hash_seed);
  TL_TRY(ReplayRows(path, tail.good_rows, memtable));
  return WriteFile(directory, memtable, to);
}

}  // namespace throughline::store::care
