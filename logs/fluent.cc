#include "logs/fluent.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "correlate/attribute.h"
#include "logs/finish_line.h"
#include "logs/json_line.h"
#include "otlp/utf8.h"
#include "wire/compress.h"
#include "wire/json_writer.h"

namespace throughline::logs {
namespace {

using wire::MsgpackReader;
using wire::MsgpackType;
using wire::MsgpackValue;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::int8_t kEventTime = 0;

bool IsText(const MsgpackValue& value) {
  return value.type == MsgpackType::kString || value.type == MsgpackType::kBytes;
}

Error NotMsgpack(const MsgpackReader& reader) {
  return InvalidArgument("msgpack: " + std::string(reader.error()) + " at byte " +
                         std::to_string(reader.offset()));
}

// Writes MessagePack values as JSON.
class JsonOfMsgpack {
 public:
  explicit JsonOfMsgpack(std::string& out) : json_(out) {}

  // Writes the value whose head was read last, with all that is in it. False: nested too deep, a
  // key that is a container, or broken bytes.
  bool Write(const MsgpackValue& value, MsgpackReader& reader, int depth) {
    switch (value.type) {
      case MsgpackType::kNil: json_.Null(); return true;
      case MsgpackType::kBool: json_.Bool(value.boolean); return true;
      case MsgpackType::kInt: json_.Int(value.integer); return true;
      case MsgpackType::kUint: json_.Uint(value.unsigned_integer); return true;
      case MsgpackType::kDouble: Double(value.number); return true;
      case MsgpackType::kString:
      case MsgpackType::kBytes:
      case MsgpackType::kExt: json_.String(value.bytes); return true;
      case MsgpackType::kArray:
      case MsgpackType::kMap: break;
    }
    if (depth >= kMaxValueDepth) return false;
    const bool is_map = value.type == MsgpackType::kMap;
    is_map ? json_.BeginObject() : json_.BeginArray();
    if (!Items(value.count, is_map, reader, depth + 1)) return false;
    is_map ? json_.EndObject() : json_.EndArray();
    return true;
  }

  // `count` values, or pairs of a key and a value, inside of `depth` containers.
  bool Items(std::uint32_t count, bool is_map, MsgpackReader& reader, int depth) {
    MsgpackValue item;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (is_map && (!reader.Next(item) || !Key(item))) return false;
      if (!reader.Next(item) || !Write(item, reader, depth)) return false;
    }
    return true;
  }

  wire::JsonWriter& writer() { return json_; }

 private:
  bool Key(const MsgpackValue& key) {
    switch (key.type) {
      case MsgpackType::kString:
      case MsgpackType::kBytes: json_.Key(key.bytes); return true;
      case MsgpackType::kInt: json_.Key(std::to_string(key.integer)); return true;
      case MsgpackType::kUint: json_.Key(std::to_string(key.unsigned_integer)); return true;
      case MsgpackType::kBool: json_.Key(key.boolean ? "true" : "false"); return true;
      case MsgpackType::kNil: json_.Key("null"); return true;
      default: return false;
    }
  }

  // With a point, so that a double stays one.
  void Double(double number) {
    if (!std::isfinite(number) || number != std::trunc(number) || std::fabs(number) >= 1e15) {
      json_.Double(number);
      return;
    }
    char text[24];
    char* end = std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(number)).ptr;
    *end++ = '.';
    *end++ = '0';
    json_.Raw({text, static_cast<std::size_t>(end - text)});
  }

  wire::JsonWriter json_;
};

// Nanoseconds of an event's time, 0 for nil; nullopt: it is none.
std::optional<std::uint64_t> TimeOf(const MsgpackValue& time) {
  switch (time.type) {
    case MsgpackType::kNil: return 0;
    case MsgpackType::kInt: {
      const auto seconds = static_cast<std::uint64_t>(time.integer);
      if (time.integer < 0 || seconds > UINT64_MAX / kSecond) return std::nullopt;
      return seconds * kSecond;
    }
    case MsgpackType::kDouble: {
      if (!(time.number >= 0 && time.number < 1.8e10)) return std::nullopt;
      const double whole = std::floor(time.number);
      return static_cast<std::uint64_t>(whole) * kSecond +
             static_cast<std::uint64_t>((time.number - whole) * static_cast<double>(kSecond));
    }
    case MsgpackType::kExt: {
      if (time.ext_type != kEventTime || time.bytes.size() != 8) return std::nullopt;
      std::uint64_t bits = 0;
      for (const char c : time.bytes) bits = (bits << 8U) | static_cast<unsigned char>(c);
      const std::uint64_t nanoseconds = bits & UINT32_MAX;
      if (nanoseconds >= kSecond) return std::nullopt;
      return (bits >> 32U) * kSecond + nanoseconds;
    }
    default: return std::nullopt;
  }
}

struct Options {
  std::string_view chunk;
  std::string_view compressed;
  std::int64_t signal = 0;  // Fluent Bit's fluent_signal: 0 logs, 1 metrics, 2 traces.
};

bool ReadOptions(MsgpackReader& reader, Options& options) {
  MsgpackValue map;
  if (!reader.Next(map)) return false;
  if (map.type != MsgpackType::kMap) return map.type == MsgpackType::kNil;
  for (std::uint32_t i = 0; i < map.count; ++i) {
    MsgpackValue key;
    if (!reader.Next(key)) return false;
    if (key.type == MsgpackType::kArray || key.type == MsgpackType::kMap) return false;
    MsgpackReader rest = reader;
    const std::string_view bytes = reader.Skip();
    MsgpackValue value;
    if (bytes.empty() || !rest.Next(value)) return false;
    if (key.bytes == "chunk" && IsText(value)) options.chunk = value.bytes;
    if (key.bytes == "compressed" && IsText(value)) options.compressed = value.bytes;
    if (key.bytes == "fluent_signal" && value.type == MsgpackType::kInt) {
      options.signal = value.integer;
    }
  }
  return true;
}

constexpr LineStyle kRecord{.name = "record", .plural = "records"};

class FluentDecoder {
 public:
  FluentDecoder(std::string_view message, std::size_t inflated_bytes, const DecodeOptions& options,
                Batch& batch)
      : reader_(message),
        inflated_bytes_(inflated_bytes),
        options_(options),
        batch_(batch),
        line_reader_(options, batch),
        finisher_(message, options, batch, message_.decoded, kRecord) {}

  Result<FluentMessage> Decode() {
    MsgpackValue head;
    MsgpackValue tag;
    MsgpackValue second;
    if (!reader_.Next(head)) return NotMsgpack(reader_);
    if (head.type != MsgpackType::kArray || head.count < 2 || head.count > 4) {
      return InvalidArgument("want an array of 2 to 4 items");
    }
    if (!reader_.Next(tag)) return NotMsgpack(reader_);
    if (!IsText(tag)) return InvalidArgument("tag is no string");
    tag_ = MakeStringAttribute(
        "fluent.tag",
        otlp::IsUtf8(tag.bytes) ? std::string(tag.bytes) : otlp::ReplaceInvalidUtf8(tag.bytes),
        options_.hash_seed, batch_.arena);
    const MsgpackReader before = reader_;
    if (!reader_.Next(second)) return NotMsgpack(reader_);
    const bool single = !IsText(second) && second.type != MsgpackType::kArray;
    const std::uint32_t items = single ? 3 : 2;  // Without the option.
    if (head.count < items || head.count > items + 1) {
      return InvalidArgument("array of " + std::to_string(head.count) + " items is of no mode");
    }
    reader_ = before;
    const MsgpackReader payload = reader_;
    for (std::uint32_t i = 1; i < items; ++i) reader_.Skip();
    if (head.count > items && !ReadOptions(reader_, option_)) {
      return reader_.ok() ? InvalidArgument("option is no map") : NotMsgpack(reader_);
    }
    if (!reader_.AtEnd()) {
      return reader_.ok() ? InvalidArgument("bytes after the message") : NotMsgpack(reader_);
    }
    message_.chunk = option_.chunk;
    if (option_.signal != 0) {
      finisher_.Begin();
      finisher_.Reject("fluent_signal is " + std::to_string(option_.signal) + ", want 0 (logs)");
      return std::move(message_);
    }
    if (single) {
      MsgpackReader event = payload;
      TL_TRY(Event(event));
    } else if (IsText(second)) {
      TL_TRY(Packed(second.bytes));
    } else {
      MsgpackReader entries = payload;
      entries.Next(second);
      for (std::uint32_t i = 0; i < second.count; ++i) TL_TRY(Entry(entries));
    }
    return std::move(message_);
  }

 private:
  Result<void> Packed(std::string_view bytes) {
    if (option_.compressed.empty() || option_.compressed == "text") return Entries(bytes);
    const bool gzip = option_.compressed == "gzip";
    if (!gzip && option_.compressed != "zstd") {
      return Error{Errc::kUnsupported, "compressed is \"" + std::string(option_.compressed) +
                                           "\", want gzip, zstd or text"};
    }
    const auto inflated = wire::Inflate(gzip ? wire::Encoding::kGzip : wire::Encoding::kZstd, bytes,
                                        inflated_bytes_, 0);
    if (!inflated) {
      const bool too_large = inflated.error().kind == wire::Error::Kind::kTooLarge;
      return Error{too_large ? Errc::kTooLarge : Errc::kInvalidArgument, inflated.error().message};
    }
    return Entries({inflated->data.get(), inflated->size});
  }

  // Entries one after the other.
  Result<void> Entries(std::string_view bytes) {
    for (MsgpackReader entries(bytes); !entries.AtEnd();) TL_TRY(Entry(entries));
    return {};
  }

  // [time, record]; anything else costs only itself.
  Result<void> Entry(MsgpackReader& entries) {
    MsgpackReader entry = entries;
    entries.Skip();
    if (!entries.ok()) return NotMsgpack(entries);
    MsgpackValue head;
    entry.Next(head);
    if (head.type == MsgpackType::kArray && head.count == 2) return Event(entry);
    if (!finisher_.Begin()) return finisher_.TooMany();
    finisher_.Reject("entry is no array of time and record");
    return {};
  }

  // A time and a record, which are known to be whole.
  Result<void> Event(MsgpackReader& event) {
    if (!finisher_.Begin()) return finisher_.TooMany();
    MsgpackValue time;
    MsgpackReader metadata(std::string_view{});
    MsgpackValue metadata_head;
    event.Next(time);
    if (time.type == MsgpackType::kArray && time.count == 2) {
      event.Next(time);
      metadata = event;
      event.Skip();
      metadata.Next(metadata_head);
    }
    const auto unix_ns = TimeOf(time);
    MsgpackValue record;
    event.Next(record);
    if (record.type != MsgpackType::kMap) {
      finisher_.Reject("record is no map");
      return {};
    }
    if (!unix_ns) {
      finisher_.Reject("time is neither seconds nor an EventTime");
      return {};
    }
    TakeRecord(record, event, metadata_head, metadata, *unix_ns);
    return {};
  }

  void TakeRecord(const MsgpackValue& record, MsgpackReader& event,
                  const MsgpackValue& metadata_head, MsgpackReader& metadata,
                  std::uint64_t unix_ns) {
    json_.clear();
    JsonOfMsgpack json(json_);
    json.writer().BeginObject();
    bool written = json.Items(record.count, true, event, 0);
    if (written && metadata_head.type == MsgpackType::kMap && metadata_head.count > 0) {
      json.writer().Key("fluent.metadata");
      written = json.Write(metadata_head, metadata, 0);
    }
    json.writer().EndObject();
    if (!written) {
      finisher_.Reject("nested deeper than 64, or a key that is a container");
      return;
    }
    LogLine line;
    if (!line_reader_.Read(json_, line)) {
      finisher_.Reject(line_reader_.problem());
      return;
    }
    if (line_reader_.over_attributes()) {
      finisher_.Reject("more than " + std::to_string(options_.attributes_per_record) +
                       " attributes");
      return;
    }
    if (line.time_unix_ns == 0) line.time_unix_ns = unix_ns;
    batch_.attributes.push_back(tag_);
    ++line.attributes.count;
    finisher_.Accept(line, {});
  }

  MsgpackReader reader_;
  const std::size_t inflated_bytes_;
  const DecodeOptions& options_;
  Batch& batch_;
  JsonLineReader line_reader_;
  FluentMessage message_;
  LineFinisher finisher_;
  Attribute tag_;
  Options option_;
  std::string json_;  // The record at hand.
};

}  // namespace

FluentFramer::Frame FluentFramer::Next(std::string_view unread) {
  if (unread.empty()) return {};
  const auto first = static_cast<unsigned char>(unread.front());
  if (first == 0xc0) return {State::kHeartbeat, 1};
  const bool is_array = (first & 0xf0U) == 0x90U || first == 0xdc || first == 0xdd;
  if (!is_array) return {State::kMalformed, 0};
  switch (scanner_.Scan(unread)) {
    case wire::MsgpackScanner::State::kNeedMore: return {};
    case wire::MsgpackScanner::State::kMalformed: return {State::kMalformed, 0};
    case wire::MsgpackScanner::State::kTooLarge: return {State::kTooLarge, 0};
    case wire::MsgpackScanner::State::kWhole: break;
  }
  const std::size_t size = scanner_.size();
  scanner_.Reset();
  return {State::kMessage, size};
}

Result<FluentMessage> DecodeFluent(std::string_view message, std::size_t inflated_bytes,
                                   const DecodeOptions& options, Batch& batch) {
  const std::size_t logs = batch.logs.size();
  const std::size_t attributes = batch.attributes.size();
  const std::size_t related = batch.related.size();
  auto decoded = FluentDecoder(message, inflated_bytes, options, batch).Decode();
  if (!decoded) {
    batch.logs.resize(logs);
    batch.attributes.resize(attributes);
    batch.related.resize(related);
  }
  return decoded;
}

std::string FluentAck(std::string_view chunk) {
  std::string ack;
  wire::AppendMsgpackMap(1, ack);
  wire::AppendMsgpackString("ack", ack);
  wire::AppendMsgpackString(chunk, ack);
  return ack;
}

}  // namespace throughline::logs
