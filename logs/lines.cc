#include "logs/lines.h"

#include <cstring>
#include <string>
#include <utility>

#include "correlate/attribute.h"
#include "correlate/hash.h"
#include "correlate/identity.h"
#include "logs/json_line.h"
#include "logs/link_line.h"
#include "otlp/proto.h"
#include "wire/json_cursor.h"
#include "wire/json_writer.h"

namespace throughline::logs {
namespace {

// `text` with U+FFFD for what is no UTF-8. As a JSON string and back, since those are the rules.
std::string ReplaceInvalid(std::string_view text) {
  std::string json;
  wire::AppendJsonString(text, json);
  std::string replaced;
  wire::AppendUnescaped(std::string_view(json).substr(1, json.size() - 2), replaced);
  return replaced;
}

// Decodes the lines of one request, one after the other.
class LineDecoder {
 public:
  LineDecoder(std::string_view request, const DecodeOptions& options, Batch& batch)
      : request_(request),
        options_(options),
        batch_(batch),
        reader_(options, batch),
        is_utf8_(otlp::IsUtf8(request)) {}

  // A line of NDJSON that is not blank: an object, or text where it is none.
  Result<void> Line(std::string_view bytes) {
    const std::size_t first = bytes.find_first_not_of(" \t");
    return bytes[first] == '{' ? Object(bytes) : Text(bytes);
  }

  Result<void> Text(std::string_view bytes) {
    TL_TRY(Begin());
    LogLine line;
    line.body = IsUtf8(bytes) ? MakeStringValue(bytes, batch_.arena)
                              : MakeStringValue(ReplaceInvalid(bytes), batch_.arena);
    Finish(line);
    return {};
  }

  Result<void> Object(std::string_view bytes) {
    LogLine line;
    if (!IsUtf8(bytes) || !reader_.Read(bytes, line)) return Text(bytes);
    TL_TRY(Begin());
    if (reader_.over_attributes()) {
      batch_.attributes.resize(line.attributes.begin);
      Reject("more than " + std::to_string(options_.attributes_per_record) + " attributes");
    } else {
      Finish(line);
    }
    return {};
  }

  // An item of an array that is neither an object nor a string.
  Result<void> Refuse(std::string_view reason) {
    TL_TRY(Begin());
    Reject(reason);
    return {};
  }

  Decoded TakeDecoded() { return std::move(decoded_); }

 private:
  Result<void> Begin() {
    if (++decoded_.received <= options_.records_per_request) return {};
    return Error{.code = Errc::kTooLarge,
                 .message = "more than " + std::to_string(options_.records_per_request) +
                            " lines in one request"};
  }

  // The request as a whole is asked once; its lines one by one only if it is not.
  bool IsUtf8(std::string_view bytes) const { return is_utf8_ || otlp::IsUtf8(bytes); }

  std::string Place() const { return "line " + std::to_string(decoded_.received - 1) + ": "; }

  void Reject(std::string_view reason) { decoded_.Reject(Place().append(reason)); }

  void Finish(LogLine& line) {
    const Linked linked = LinkLine(line, batch_, FoundBy::kField);
    if (line.trace_id.IsValid()) {
      ++decoded_.accepted;
      if (linked.repaired) decoded_.Repair(Place() + "trace id was repaired");
    } else {
      ++decoded_.unlinked;
      if (!options_.keep_unlinked) {
        if (line.attributes.count > 0) batch_.attributes.resize(line.attributes.begin);
        return;
      }
    }
    line.identity = IdentityFor(line);
    batch_.logs.push_back(line);
  }

  // Without a time, equal lines of one request are still different lines.
  std::uint64_t IdentityFor(const LogLine& line) {
    if (line.time_unix_ns != 0) return IdentityOf(line, batch_, options_.hash_seed);
    if (!request_hashed_) {
      request_hash_ = HashBytes(request_, options_.hash_seed);
      request_hashed_ = true;
    }
    return IdentityOfPlainLine(line, request_hash_, decoded_.received - 1);
  }

  std::string_view request_;
  const DecodeOptions& options_;
  Batch& batch_;
  JsonLineReader reader_;
  Decoded decoded_;
  std::uint64_t request_hash_ = 0;
  bool request_hashed_ = false;
  bool is_utf8_;
};

Error NotJson(const wire::JsonCursor& json) {
  return InvalidArgument("json: " + std::string(json.error()) + " at byte " +
                         std::to_string(json.offset()));
}

Result<void> DecodeItem(wire::JsonCursor& json, LineDecoder& decoder) {
  switch (json.Peek()) {
    case wire::JsonCursor::Type::kObject: {
      const std::string_view object = json.Skip();
      return json.ok() ? decoder.Object(object) : Result<void>();
    }
    case wire::JsonCursor::Type::kString: {
      std::string scratch;
      const std::string_view text = json.String().Text(scratch);
      return json.ok() ? decoder.Text(text) : Result<void>();
    }
    default:
      json.Skip();
      return json.ok() ? decoder.Refuse("neither an object nor a string") : Result<void>();
  }
}

// An array of records; or objects with nothing or white space between them, which is what several
// shippers call JSON.
Result<void> DecodeArray(std::string_view bytes, LineDecoder& decoder) {
  wire::JsonCursor json(bytes);
  if (json.Peek() == wire::JsonCursor::Type::kObject) {
    while (json.Peek() == wire::JsonCursor::Type::kObject) TL_TRY(DecodeItem(json, decoder));
  } else {
    for (json.BeginArray(); json.NextItem();) TL_TRY(DecodeItem(json, decoder));
  }
  if (!json.AtEnd()) return NotJson(json);
  return {};
}

Result<void> DecodeEachLine(std::string_view bytes, bool is_json, LineDecoder& decoder) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    std::string_view line = bytes.substr(0, newline);
    bytes.remove_prefix(newline == std::string_view::npos ? bytes.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    TL_TRY(is_json ? decoder.Line(line) : decoder.Text(line));
  }
  return {};
}

}  // namespace

Result<Decoded> DecodeLines(std::string_view bytes, LineFormat format, const DecodeOptions& options,
                            Batch& batch) {
  LineDecoder decoder(bytes, options, batch);
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  TL_TRY(format == LineFormat::kJsonArray
             ? DecodeArray(bytes, decoder)
             : DecodeEachLine(bytes, format == LineFormat::kNdjson, decoder));
  return decoder.TakeDecoded();
}

}  // namespace throughline::logs
