// Elasticsearch's bulk: the counts add up, every item has a status, and the answer is JSON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "logs/elastic_bulk.h"
#include "tests/fuzz/check_lines.h"
#include "wire/json_cursor.h"

using throughline::Batch;
using throughline::Body;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using throughline::logs::DecodeBulk;
  const throughline::DecodeOptions options{
      .hash_seed = 7, .keep_unlinked = (data[0] & 1U) != 0, .attributes_per_record = 8};
  const std::string_view index = (data[0] & 2U) != 0 ? "logs" : "";
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Batch batch;
  batch.body = Body::Of(bytes);
  const auto bulk = DecodeBulk(batch.body.view(), index, options, batch);
  if (!bulk) {
    TL_CHECK(!bulk.error().message.empty());
    return 0;
  }
  TL_CHECK(!bulk->items.empty());
  throughline::fuzz::CheckLines(bulk->lines, options, batch);
  std::size_t done = 0;
  for (const auto& item : bulk->items) {
    TL_CHECK(item.status == 200 || item.status == 201 || item.status == 400 || item.status == 404);
    TL_CHECK((item.status == 400) == !item.error_type.empty());
    done += item.status < 300 ? 1 : 0;
  }
  TL_CHECK(done == bulk->lines.accepted + bulk->lines.unlinked);
  const std::string answer = BulkAnswer(*bulk, 1);
  TL_CHECK(throughline::otlp::IsUtf8(answer));
  throughline::wire::JsonCursor json(answer);
  json.Skip();
  TL_CHECK(json.AtEnd());
  Batch again;
  again.body = Body::Of(bytes);
  TL_CHECK(DecodeBulk(again.body.view(), index, options, again));
  throughline::fuzz::CheckSame(batch, again);
  return 0;
}
