// Lines of NDJSON as import reads them: a line is a record or leaves the batch as it was, memory
// stays in proportion to the line, and what was read is written and read again unchanged.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/check.h"
#include "store/transfer/ndjson_line.h"
#include "store/transfer/ndjson_record.h"

namespace {

using namespace throughline;
using store::transfer::NdjsonLines;
using store::transfer::NdjsonRecords;

constexpr std::size_t kMostLines = 100;

const DecodeOptions kOptions = {.hash_seed = 7, .attributes_per_record = 50};

struct Sizes {
  explicit Sizes(const Batch& batch)
      : records(batch.record_count()),
        parts(batch.attributes.size() + batch.events.size() + batch.span_links.size() +
              batch.related.size() + batch.resources.size() + batch.scopes.size()) {}
  bool operator==(const Sizes&) const = default;
  std::size_t records;
  std::size_t parts;
};

// Each line by itself, so that `place` is the same the second time.
std::string Written(const Batch& batch, std::string_view tenant) {
  NdjsonRecords records(tenant, batch);
  std::string text;
  for (const Span& span : batch.spans) records.Append(span, text);
  for (const LogLine& line : batch.logs) records.Append(line, text);
  for (const Exemplar& exemplar : batch.exemplars) records.Append(exemplar, text);
  for (const GaugePoint& point : batch.gauges) records.Append(point, text);
  return text;
}

void CheckAgain(const Batch& batch, const std::string& tenant) {
  std::string text = Written(batch, tenant);
  Batch again;
  NdjsonLines lines(kOptions, again);
  std::string same;
  std::string_view rest = text;
  while (!rest.empty()) {
    const Body line = Body::Of(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(line.size() + 1);
    const auto read = lines.Append(line.view(), 0, same);
    TL_CHECK(read && *read && same == tenant);
  }
  TL_CHECK(Written(again, tenant) == text);
  TL_CHECK(again.resources.size() <= batch.resources.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Batch batch;
  NdjsonLines lines(kOptions, batch);
  std::string tenant;
  for (std::size_t i = 0; i < kMostLines && !rest.empty(); ++i) {
    const Body line = Body::Of(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const Sizes before(batch);
    const std::size_t arena = batch.arena.size_bytes();
    const auto read = lines.Append(line.view(), i, tenant);
    TL_CHECK(batch.arena.size_bytes() - arena <= 16 * line.size() + 64);
    if (read && *read) {
      TL_CHECK(batch.record_count() == before.records + 1 && !tenant.empty());
    } else {
      TL_CHECK(Sizes(batch) == before);
      TL_CHECK(read || !read.error().message.empty());
    }
  }
  if (batch.record_count() > 0) CheckAgain(batch, tenant);
  return 0;
}
