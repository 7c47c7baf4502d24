// Blocks, and parts of searches and of series, with anything in their columns: nothing is read
// outside them, and what is read can be written (correlate's readers take it).
//
// Input: varint size and bytes of each piece: what stands before the groups, for each group a byte
// of how many records it claims and its frame's content, a row of strings, one of heads; then the
// content of a frame that is read as a part. The frames are compressed here: a fuzzer would not
// find out how.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <zstd.h>

#include "correlate/attribute.h"
#include "store/segment/block_reader.h"
#include "store/segment/gauge_part.h"
#include "store/segment/search_columns.h"

namespace throughline::store::segment {
namespace {

class FixedStrings final : public Strings {
 public:
  FixedStrings(std::string_view strings, std::string_view heads)
      : rows_{StringRow(0, strings), StringRow(0, heads)} {}

  StringRow RowOf(StringSpace space, std::uint32_t) override {
    return rows_[static_cast<std::size_t>(space)];
  }
  const Key* KeyAt(std::uint32_t key) override { return key < kKeys ? &keys_[key] : nullptr; }
  std::uint64_t hash_seed() const override { return 7; }

 private:
  static constexpr std::uint32_t kKeys = 4;
  StringRow rows_[2];
  Key keys_[kKeys] = {{}, {"k", 0, 3}, {"zone", 3, 1}, {"inline only", 0, 0}};
};

void AppendFrame(std::string_view content, std::string& out) {
  std::string compressed(ZSTD_compressBound(content.size()), '\0');
  const std::size_t size =
      ZSTD_compress(compressed.data(), compressed.size(), content.data(), content.size(), 1);
  AppendVarint(content.size(), out);
  AppendVarint(size, out);
  out.append(compressed.data(), size);
}

void ReadAll(const Batch& batch) {
  for (const Attribute& attribute : batch.attributes) {
    if (attribute.data != nullptr && ValueText(attribute.value()).size() > SIZE_MAX / 2) abort();
  }
  for (const LogLine& line : batch.logs) {
    if (ValueText(line.body).size() > SIZE_MAX / 2) abort();
  }
}

void Fuzz(std::string_view input) {
  Cursor pieces(input);
  std::string block(pieces.Bytes());
  for (int group = 0; group < 3; ++group) {
    const auto records = static_cast<unsigned char>(pieces.Fixed<char>());
    const std::string_view content = pieces.Bytes();
    AppendVarint(records, block);
    if (records == 0) continue;
    if (group == 0) block.append(std::size_t{8} * records, '\x11');
    AppendFrame(content, block);
  }
  const std::string_view string_row = pieces.Bytes();
  const std::string_view head_row = pieces.Bytes();
  FixedStrings strings(string_row, head_row);
  if (auto reader = BlockReader::Open(block, strings)) {
    for (const auto kind :
         {sqlite::RecordKind::kSpan, sqlite::RecordKind::kLine, sqlite::RecordKind::kExemplar}) {
      Batch all;
      (void)reader->Read(kind, 0, reader->trace_count(), true, all);
      ReadAll(all);
      Batch last;
      (void)reader->Read(kind, reader->trace_count() - 1, reader->trace_count(), false, last);
      if (last.record_count() > all.record_count()) abort();
    }
    (void)reader->WithLow(reader->TenantOf(0), reader->IdOf(0).low);
  }
  std::string part;
  AppendVarint(static_cast<unsigned char>(pieces.Fixed<char>()), part);
  AppendFrame(pieces.Bytes(), part);
  (void)ReadPart(part);
  (void)ReadGaugePart(part);
  (void)ReadPart(input);
  (void)ReadGaugePart(input);
}

}  // namespace
}  // namespace throughline::store::segment

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  throughline::store::segment::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
