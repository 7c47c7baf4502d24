#include "wire/json_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace throughline::wire {
namespace {

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

// A parser holds at most 14 bytes for each byte of the longest text it has seen. Those that saw
// longer texts than this are not kept for the next document of the thread.
constexpr std::size_t kKeptCapacityBytes = 4U << 20U;
// Room is made in powers of two from here on, so that slowly growing texts do not allocate each.
constexpr std::size_t kFirstCapacityBytes = 16U << 10U;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

Error Malformed(std::size_t offset, std::string_view reason) {
  return Error{.kind = Error::Kind::kMalformed,
               .message = "json: byte " + std::to_string(offset) + ": " + std::string(reason),
               .offset = offset};
}

Error OutOfMemory(std::size_t size) {
  return Error{.kind = Error::Kind::kTooLarge,
               .message = "json: no memory to parse " + std::to_string(size) + " bytes"};
}

// The text with an exponent at each integer that does not fit 64 bits, padded. simdjson refuses
// such integers, but senders write large doubles without an exponent: JavaScript below 1e21, Go
// too.
std::string WithExponents(std::string_view text, const std::vector<JsonDouble>& doubles) {
  std::string out;
  out.reserve(text.size() + 2 * doubles.size() + kJsonPadding);
  std::size_t done = 0;
  for (const JsonDouble& number : doubles) {
    out.append(text.substr(done, number.end - done));
    done = number.end;
    const std::string_view written = text.substr(number.begin, number.end - number.begin);
    if (written.find_first_of(".eE") == std::string_view::npos) out.append("e0");
  }
  out.append(text.substr(done));
  return out;  // Itself, not the reference that append gives: a copy would lose the padding.
}

// The places of the doubles on a tape, in order.
std::vector<std::uint32_t> DoublesOnTape(const std::uint64_t* tape) {
  std::vector<std::uint32_t> places;
  const std::uint64_t end = tape[0] & 0xffffffffU;  // The root's word has the place past the end.
  for (std::uint32_t i = 1; i < end; ++i) {
    const std::uint64_t tag = tape[i] >> 56U;
    if (tag == 'd') places.push_back(i);
    if (tag == 'd' || tag == 'l' || tag == 'u') ++i;
  }
  return places;
}

}  // namespace

struct JsonDocument::Parser {
  simdjson::dom::parser parser;

  // The parser that the last document of this thread left.
  static std::unique_ptr<Parser>& Kept() {
    static thread_local std::unique_ptr<Parser> kept;
    return kept;
  }

  simdjson::error_code Parse(std::string_view bytes) {
    if (parser.capacity() < bytes.size() || parser.capacity() == 0) {
      const std::size_t capacity = std::bit_ceil(std::max(bytes.size(), kFirstCapacityBytes));
      // Past what is kept the exact size, since it serves this text only.
      const auto error =
          parser.allocate(capacity > kKeptCapacityBytes ? bytes.size() : capacity, kMaxJsonDepth);
      if (error != simdjson::SUCCESS) return error;
    }
    return parser.parse(bytes.data(), bytes.size(), false).error();
  }
};

JsonDocument::JsonDocument() : parser_(std::move(Parser::Kept())) {
  if (parser_ == nullptr) parser_ = std::make_unique<Parser>();
}

JsonDocument::~JsonDocument() {
  if (parser_->parser.capacity() <= kKeptCapacityBytes) Parser::Kept() = std::move(parser_);
}

Result<JsonValue> JsonDocument::Parse(std::string_view bytes) {
  doubles_.clear();
  tape_doubles_.clear();
  const std::size_t skipped = bytes.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  text_ = bytes.substr(skipped);
  simdjson::error_code code = parser_->Parse(text_);
  if (code != simdjson::SUCCESS && code != simdjson::MEMALLOC && code != simdjson::CAPACITY) {
    const auto fault = FindJsonFault(text_, kMaxJsonDepth, doubles_);
    if (fault) return Malformed(skipped + fault->offset, fault->reason);
    const std::string again = WithExponents(text_, doubles_);
    code = parser_->Parse(again);
  }
  if (code == simdjson::MEMALLOC || code == simdjson::CAPACITY) return OutOfMemory(bytes.size());
  if (code != simdjson::SUCCESS) return Malformed(0, simdjson::error_message(code));
  const auto& document = parser_->parser.doc;
  return JsonValue(document.tape.get(), document.tape.get() + 1,
                   reinterpret_cast<const char*>(document.string_buf.get()));
}

std::string_view JsonDocument::TextOf(JsonValue number) {
  if (number.type() != JsonType::kDouble) return {};
  if (tape_doubles_.empty()) {
    tape_doubles_ = DoublesOnTape(number.base_);
    doubles_.clear();
    FindJsonFault(text_, kMaxJsonDepth, doubles_);
  }
  // Text and tape have the doubles in the same order.
  const auto place = static_cast<std::uint32_t>(number.tape_ - number.base_);
  const auto found = std::lower_bound(tape_doubles_.begin(), tape_doubles_.end(), place);
  const auto rank = static_cast<std::size_t>(found - tape_doubles_.begin());
  if (rank >= doubles_.size()) return {};
  return text_.substr(doubles_[rank].begin, doubles_[rank].end - doubles_[rank].begin);
}

}  // namespace throughline::wire
