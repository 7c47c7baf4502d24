// Fluent Forward: framing finds the same messages however the bytes come; decoding counts right,
// stores only what is canonical, and leaves the batch alone where it refuses.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "correlate/attribute.h"
#include "correlate/check.h"
#include "logs/fluent.h"
#include "logs/fluent_handshake.h"
#include "otlp/utf8.h"

namespace throughline {
namespace {

using State = logs::FluentFramer::State;

std::vector<std::string_view> Messages(std::string_view bytes, std::size_t piece) {
  std::vector<std::string_view> messages;
  logs::FluentFramer framer(1U << 16U);
  std::size_t begin = 0;
  for (std::size_t end = 0; begin < bytes.size();) {
    const auto frame = framer.Next(bytes.substr(begin, end - begin));
    if (frame.state == State::kMalformed || frame.state == State::kTooLarge) break;
    if (frame.state == State::kNeedMore) {
      if (end == bytes.size()) break;
      end = std::min(end + piece, bytes.size());
      continue;
    }
    TL_CHECK(frame.size > 0 && begin + frame.size <= end);
    if (frame.state == State::kMessage) messages.push_back(bytes.substr(begin, frame.size));
    begin += frame.size;
  }
  return messages;
}

void CheckBatch(const Batch& batch, bool keep_unlinked) {
  for (const LogLine& line : batch.logs) {
    TL_CHECK(keep_unlinked || line.trace_id.IsValid());
    TL_CHECK(ReadValue(line.body).type == ValueType::kString);
    TL_CHECK(otlp::IsUtf8(StringOf(line.body)));
    TL_CHECK(line.attributes.begin + line.attributes.count <= batch.attributes.size());
    TL_CHECK(line.related.begin + line.related.count <= batch.related.size());
  }
}

void DecodeInto(std::string_view message, bool keep_unlinked, Batch& batch) {
  const DecodeOptions options{.hash_seed = 7, .keep_unlinked = keep_unlinked};
  const std::size_t before = batch.logs.size();
  const auto decoded = logs::DecodeFluent(message, 1U << 18U, options, batch);
  if (!decoded) {
    TL_CHECK(batch.logs.size() == before);
    return;
  }
  const Decoded& counts = decoded->decoded;
  TL_CHECK(counts.received == counts.accepted + counts.rejected + counts.unlinked);
  TL_CHECK(batch.logs.size() - before == counts.accepted + (keep_unlinked ? counts.unlinked : 0));
}

std::string Echo(std::string_view bytes) { return std::string(bytes); }

}  // namespace
}  // namespace throughline

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace throughline;
  if (size < 2) return 0;
  const bool keep_unlinked = (data[0] & 1U) != 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto messages = Messages(bytes, std::size_t{1} + data[1]);
  const auto at_once = Messages(bytes, bytes.size() + 1);
  TL_CHECK(messages == at_once);
  Batch batch;
  Batch again;
  for (const std::string_view message : messages) {
    DecodeInto(message, keep_unlinked, batch);
    DecodeInto(message, keep_unlinked, again);
    const logs::FluentSecrets secrets{.shared_key = "k", .users = {{"u", "p"}}, .hostname = "h"};
    logs::AnswerFluentPing(message, secrets, {.nonce = "n", .auth_salt = "s"}, Echo);
  }
  CheckBatch(batch, keep_unlinked);
  TL_CHECK(again.logs.size() == batch.logs.size());
  for (std::size_t i = 0; i < batch.logs.size(); ++i) {
    TL_CHECK(again.logs[i].identity == batch.logs[i].identity);
  }
  return 0;
}
