// Brings OTLP's KeyValue and AnyValue messages to the stored format (correlate/attribute.h),
// whatever order, merging and encoding the sender chose.
// Source: opentelemetry-proto v1.x common/v1/common.proto;
// protobuf.dev/programming-guides/encoding, "Last One Wins" and the merging of messages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/protobuf.h"

namespace throughline::otlp {

// True when the bytes are a canonical AnyValue already: what senders write nearly always. `depth`
// is the number of arrays and maps around it. False says nothing but that.
bool IsCanonicalValue(std::string_view any_value, int depth);

// Rebuilds messages canonically. Keeps its buffer between calls. Not thread-safe.
class Canonical {
 public:
  // Reads a KeyValue message: key() views it, value() is the canonical value, valid until the next
  // call. False: fault() says why.
  bool KeyValue(std::string_view message);
  // Reads an AnyValue that was sent in one or several parts, which are merged.
  bool AnyValue(std::span<const std::string_view> parts);

  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  const wire::ProtoFault& fault() const { return fault_; }

 private:
  // Parts of one message, in the order they were sent.
  using Parts = std::vector<std::string_view>;

  bool ReadKeyValue(std::string_view message, std::string_view& key, Parts& values);
  bool AppendKeyValue(std::string_view message, int depth, std::string& out);
  bool AppendValue(std::span<const std::string_view> parts, int depth, std::string& out);
  bool AppendItems(const Parts& contents, bool map, int depth, std::string& out);
  bool Fail(const wire::ProtoFault& fault);

  std::string_view key_;
  std::string value_;
  wire::ProtoFault fault_;
};

}  // namespace throughline::otlp
