#include "logs/lines.h"

#include <string>
#include <utility>

#include "correlate/attribute.h"
#include "correlate/hash.h"
#include "logs/finish_line.h"
#include "logs/json_line.h"
#include "otlp/utf8.h"
#include "wire/json_cursor.h"

namespace throughline::logs {
namespace {

constexpr LineStyle kTextLine{.name = "line", .plural = "lines"};

// Decodes the lines of one request, one after the other.
class LineDecoder {
 public:
  LineDecoder(std::string_view request, const LineSource& source, const DecodeOptions& options,
              Batch& batch)
      : request_(request),
        source_(source),
        options_(options),
        batch_(batch),
        reader_(options, batch),
        finisher_(request, options, batch, decoded_, kTextLine),
        is_utf8_(otlp::IsUtf8(request)) {}

  // A line of NDJSON that is not blank: an object, or text where it is none.
  Result<void> Line(std::string_view bytes) {
    const std::size_t first = bytes.find_first_not_of(" \t");
    return bytes[first] == '{' ? Object(bytes) : Text(bytes);
  }

  Result<void> Text(std::string_view bytes) {
    if (!finisher_.Begin()) return finisher_.TooMany();
    TakeText(bytes);
    return {};
  }

  Result<void> Object(std::string_view bytes) {
    if (!finisher_.Begin()) return finisher_.TooMany();
    LogLine line;
    if (!IsUtf8(bytes) || !reader_.Read(bytes, line)) {
      TakeText(bytes);
    } else if (reader_.over_attributes()) {
      finisher_.Reject("more than " + std::to_string(options_.attributes_per_record) +
                       " attributes");
    } else {
      Accept(line, bytes);
    }
    return {};
  }

  // An item of an array that is neither an object nor a string.
  Result<void> Refuse(std::string_view reason) {
    if (!finisher_.Begin()) return finisher_.TooMany();
    finisher_.Reject(reason);
    return {};
  }

  Decoded TakeDecoded() { return std::move(decoded_); }

 private:
  // The request as a whole is asked once; its lines one by one only if it is not.
  bool IsUtf8(std::string_view bytes) const { return is_utf8_ || otlp::IsUtf8(bytes); }

  void TakeText(std::string_view bytes) {
    LogLine line;
    line.body = IsUtf8(bytes) ? MakeStringValue(bytes, batch_.arena)
                              : MakeStringValue(otlp::ReplaceInvalidUtf8(bytes), batch_.arena);
    Accept(line, bytes);
  }

  void Accept(LogLine& line, std::string_view bytes) {
    if (source_.id == 0) {
      finisher_.Accept(line, {});
    } else {
      const auto place = static_cast<std::uint64_t>(bytes.data() - request_.data());
      finisher_.AcceptNamed(line, HashCombine(source_.id, source_.offset + place));
    }
  }

  std::string_view request_;
  LineSource source_;
  const DecodeOptions& options_;
  Batch& batch_;
  JsonLineReader reader_;
  Decoded decoded_;
  LineFinisher finisher_;
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

// What copytruncate leaves in front of a line when the writer goes on at its old offset.
std::string_view WithoutPadding(std::string_view line) {
  while (!line.empty() && line.front() == '\0') line.remove_prefix(1);
  return line;
}

Result<void> DecodeEachLine(std::string_view bytes, bool is_json, LineDecoder& decoder) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    std::string_view line = bytes.substr(0, newline);
    bytes.remove_prefix(newline == std::string_view::npos ? bytes.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('\0')) line = WithoutPadding(line);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    TL_TRY(is_json ? decoder.Line(line) : decoder.Text(line));
  }
  return {};
}

}  // namespace

Result<Decoded> DecodeLines(std::string_view bytes, LineFormat format, const DecodeOptions& options,
                            Batch& batch, const LineSource& source) {
  LineDecoder decoder(bytes, source, options, batch);
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  TL_TRY(format == LineFormat::kJsonArray
             ? DecodeArray(bytes, decoder)
             : DecodeEachLine(bytes, format == LineFormat::kNdjson, decoder));
  return decoder.TakeDecoded();
}

}  // namespace throughline::logs
