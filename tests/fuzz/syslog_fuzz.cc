// Decoding syslog messages: every message that is not blank gives one line, the counts add up, what
// is stored is canonical, and the same bytes give the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "correlate/attribute.h"
#include "correlate/check.h"
#include "logs/syslog.h"
#include "otlp/utf8.h"

namespace throughline {
namespace {

Decoded Decode(std::string_view bytes, bool keep_unlinked, Batch& batch) {
  batch.body = Body::Of(bytes);
  std::vector<std::string_view> messages;
  for (std::string_view rest = batch.body.view(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\x1e'), rest.size() - 1);
    messages.push_back(rest.substr(0, end + 1));
    rest.remove_prefix(end + 1);
  }
  const DecodeOptions options{.hash_seed = 7, .keep_unlinked = keep_unlinked};
  auto decoded = logs::DecodeSyslog(messages, 1'795'382'164'000'000'000, options, batch);
  TL_CHECK(decoded);
  TL_CHECK(decoded->received <= messages.size());
  return *decoded;
}

}  // namespace
}  // namespace throughline

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace throughline;
  if (size == 0) return 0;
  const bool keep_unlinked = (data[0] & 1U) != 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Batch batch;
  const Decoded decoded = Decode(bytes, keep_unlinked, batch);
  TL_CHECK(decoded.rejected == 0);
  TL_CHECK(decoded.received == decoded.accepted + decoded.unlinked);
  TL_CHECK(batch.logs.size() == decoded.accepted + (keep_unlinked ? decoded.unlinked : 0));
  for (const LogLine& line : batch.logs) {
    TL_CHECK(line.trace_id.IsValid() == (line.found_by != FoundBy::kNone));
    TL_CHECK(ReadValue(line.body).type == ValueType::kString);
    TL_CHECK(otlp::IsUtf8(StringOf(line.body)));
    TL_CHECK(line.severity_number >= 5 && line.severity_number <= 21);
    TL_CHECK(line.attributes.begin + line.attributes.count <= batch.attributes.size());
    for (const Attribute& attribute : batch.Of(line.attributes)) {
      TL_CHECK(ReadValue(attribute.value()).type != ValueType::kEmpty);
    }
  }
  Batch again;
  Decode(bytes, keep_unlinked, again);
  TL_CHECK(again.logs.size() == batch.logs.size());
  for (std::size_t i = 0; i < batch.logs.size(); ++i) {
    TL_CHECK(again.logs[i].identity == batch.logs[i].identity);
  }
  return 0;
}
