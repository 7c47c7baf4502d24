#include <cstdint>
#include <string>

#include "logs/loki.h"
#include "logs/loki_streams.h"
#include "wire/protobuf.h"

namespace throughline::logs {
namespace {

using wire::ProtoReader;

// google.protobuf.Timestamp.
struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;

  // Negative: 0. False: over 64 bits.
  bool ToUnixNs(std::uint64_t& unix_ns) const {
    __extension__ using Int128 = __int128;
    const Int128 ns = Int128{seconds} * 1'000'000'000 + nanos;
    if (ns > Int128{UINT64_MAX}) return false;
    unix_ns = ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
    return true;
  }
};

class LokiProtoReader {
 public:
  LokiProtoReader(std::string_view request, const DecodeOptions& options, Batch& batch,
                  Decoded& decoded)
      : streams_(request, options, batch, decoded) {}

  // False: `fault`, or too many entries.
  bool Read(std::string_view request) {
    ProtoReader reader(request);
    while (reader.Next()) {
      if (reader.field() != 1) {
        reader.Skip();
      } else if (const std::string_view stream = reader.Bytes(); reader.ok()) {
        if (!Stream(stream)) return false;
      }
    }
    return Ok(reader);
  }
  const wire::ProtoFault& fault() const { return fault_; }
  Error TooMany() const { return streams_.TooMany(); }

 private:
  struct Entry {
    Timestamp time;
    std::string_view line;
  };

  bool Ok(const ProtoReader& reader) {
    if (!reader.ok()) fault_ = reader.fault();
    return reader.ok();
  }

  // StreamAdapter. Labels may come last, but are needed first: they are looked for alone.
  bool Stream(std::string_view message) {
    streams_.Begin();
    if (!ReadLabels(message)) return false;
    ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() != 2) {
        reader.Skip();
      } else if (const std::string_view entry = reader.Bytes(); reader.ok()) {
        if (!ReadEntry(entry)) return false;
      }
    }
    streams_.End();
    return Ok(reader);
  }

  bool ReadLabels(std::string_view message) {
    std::string_view labels;
    ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() == 1) {
        labels = reader.Bytes();
      } else {
        reader.Skip();
      }
    }
    if (reader.ok()) streams_.Labels(labels);
    return Ok(reader);
  }

  // EntryAdapter.
  bool ReadEntry(std::string_view message) {
    if (!streams_.BeginEntry()) return false;
    Timestamp time;
    std::string_view line;
    ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1:
          if (const std::string_view bytes = reader.Bytes(); reader.ok()) {
            if (!ReadTime(bytes, time)) return false;
          }
          break;
        case 2: line = reader.Bytes(); break;
        case 3:
          if (const std::string_view pair = reader.Bytes(); reader.ok()) {
            if (!ReadPair(pair)) return false;
          }
          break;
        default: reader.Skip();
      }
    }
    if (!Ok(reader)) return false;
    std::uint64_t unix_ns = 0;
    if (time.ToUnixNs(unix_ns)) {
      streams_.Accept(unix_ns, line);
    } else {
      streams_.Reject("time is over 64 bits of nanoseconds");
    }
    return true;
  }

  // Timestamp; parts of one are merged.
  bool ReadTime(std::string_view message, Timestamp& time) {
    ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: time.seconds = static_cast<std::int64_t>(reader.Varint()); break;
        case 2: time.nanos = static_cast<std::int32_t>(reader.Varint32()); break;
        default: reader.Skip();
      }
    }
    return Ok(reader);
  }

  // LabelPairAdapter.
  bool ReadPair(std::string_view message) {
    std::string_view name;
    std::string_view value;
    ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: name = reader.Bytes(); break;
        case 2: value = reader.Bytes(); break;
        default: reader.Skip();
      }
    }
    if (reader.ok()) streams_.Metadata(name, value);
    return Ok(reader);
  }

  LokiStreams streams_;
  wire::ProtoFault fault_;
};

}  // namespace

Result<Decoded> DecodeLokiProto(std::string_view bytes, const DecodeOptions& options,
                                Batch& batch) {
  Decoded decoded;
  LokiProtoReader reader(bytes, options, batch, decoded);
  if (reader.Read(bytes)) return decoded;
  if (reader.fault()) return InvalidArgument(reader.fault().Text(bytes));
  return reader.TooMany();
}

}  // namespace throughline::logs
