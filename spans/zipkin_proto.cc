#include <arpa/inet.h>

#include <string>
#include <string_view>

#include "otlp/proto.h"
#include "spans/zipkin.h"
#include "spans/zipkin_span.h"

namespace throughline::spans {
namespace {

using otlp::IdState;
using wire::ProtoReader;

constexpr std::size_t kShortTraceIdBytes = 8;

// zipkin.proto's Span.Kind to Span::kind.
std::uint32_t KindOf(std::uint32_t kind) {
  constexpr std::uint32_t kKinds[] = {0, 3, 2, 4, 5};  // None, client, server, producer, consumer.
  return kind < std::size(kKinds) ? kKinds[kind] : 0;
}

std::string AddressText(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  return ::inet_ntop(family, bytes.data(), text, sizeof text) == nullptr ? std::string() : text;
}

class ProtoSpanReader {
 public:
  ProtoSpanReader(otlp::ProtoRequest& request, Decoded& decoded)
      : request_(request),
        translator_(request.options, request.batch, decoded, ZipkinTranslator::Texts::kStay),
        span_(translator_.span) {}

  // False: see otlp::ProtoRequest.
  bool Read(std::string_view message) {
    if (!translator_.Begin()) return request_.Fail(translator_.TooMany());
    Ids ids;
    if (!ReadFields(message, ids)) return false;
    ReadIds(ids);
    translator_.Finish();
    return true;
  }

 private:
  struct Ids {
    std::string_view trace_id;
    std::string_view parent_id;
    std::string_view id;
  };

  bool ReadFields(std::string_view message, Ids& ids) {
    ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: ids.trace_id = reader.Bytes(); break;
        case 2: ids.parent_id = reader.Bytes(); break;
        case 3: ids.id = reader.Bytes(); break;
        case 4: span_.kind = KindOf(reader.Varint32()); break;
        case 5: span_.name = otlp::ReadText(reader); break;
        case 6: span_.start_unix_ns = NsOfMicros(reader.Fixed64()); break;
        case 7: span_.duration_ns = NsOfMicros(reader.Varint()); break;
        case 8:
          if (!ReadEndpoint(reader.Bytes(), span_.local)) return false;
          break;
        case 9:
          if (!ReadEndpoint(reader.Bytes(), span_.remote)) return false;
          break;
        case 10:
          if (!ReadAnnotation(reader.Bytes())) return false;
          break;
        case 11:
          if (!ReadTag(reader.Bytes())) return false;
          break;
        case 12: span_.debug = reader.Bool(); break;
        case 13: span_.shared = reader.Bool(); break;
        default: reader.Skip();
      }
    }
    return reader.ok() || request_.Fail(reader.fault());
  }

  bool ReadEndpoint(std::string_view message, ZipkinEndpoint& endpoint) {
    ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: endpoint.service = otlp::ReadText(reader); break;
        case 2: endpoint.ipv4 = AddressText(reader.Bytes()); break;
        case 3: endpoint.ipv6 = AddressText(reader.Bytes()); break;
        case 4: endpoint.port = static_cast<std::int32_t>(reader.Varint32()); break;
        default: reader.Skip();
      }
    }
    return reader.ok() || request_.Fail(reader.fault());
  }

  bool ReadAnnotation(std::string_view message) {
    ZipkinAnnotation annotation;
    ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: annotation.time_unix_ns = NsOfMicros(reader.Fixed64()); break;
        case 2: annotation.value = otlp::ReadText(reader); break;
        default: reader.Skip();
      }
    }
    span_.annotations.push_back(annotation);
    return reader.ok() || request_.Fail(reader.fault());
  }

  bool ReadTag(std::string_view message) {
    ZipkinTag tag;
    tag.value.type = ValueType::kString;
    ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: tag.key = otlp::ReadText(reader); break;
        case 2: tag.value.bytes = otlp::ReadText(reader); break;
        default: reader.Skip();
      }
    }
    span_.tags.push_back(tag);
    return reader.ok() || request_.Fail(reader.fault());
  }

  void ReadIds(const Ids& ids) {
    bool trace_repaired = false;
    bool repaired = false;
    if (ids.trace_id.size() == kShortTraceIdBytes) {
      span_.trace_id.low = SpanIdFromBytes(ids.trace_id.data()).value;
      if (!span_.trace_id.IsValid()) translator_.Reject("trace_id is all zero");
    } else if (otlp::ReadTraceId(ids.trace_id, span_.trace_id, trace_repaired) != IdState::kValid) {
      translator_.Reject(otlp::IdProblem("trace_id", ids.trace_id, sizeof(TraceId)));
    }
    if (otlp::ReadSpanId(ids.id, span_.span_id, repaired) != IdState::kValid) {
      translator_.Reject(otlp::IdProblem("id", ids.id, sizeof(SpanId)));
    }
    if (otlp::ReadSpanId(ids.parent_id, span_.parent_span_id, repaired) == IdState::kBroken) {
      translator_.Reject(otlp::IdProblem("parent_id", ids.parent_id, sizeof(SpanId)));
    }
    if (repaired) translator_.Repaired("a span id");
    if (trace_repaired) translator_.Repaired("trace_id");
  }

  otlp::ProtoRequest& request_;
  ZipkinTranslator translator_;
  ZipkinSpan& span_;
};

}  // namespace

Result<Decoded> DecodeZipkinProto(std::string_view bytes, const DecodeOptions& options,
                                  Batch& batch) {
  if (bytes.size() > otlp::kMaxMessageBytes) {
    return Error{Errc::kTooLarge, "message has " + std::to_string(bytes.size()) + " bytes"};
  }
  Decoded decoded;
  otlp::ProtoRequest request(bytes, options, batch);
  ProtoSpanReader spans(request, decoded);
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() != 1) {
      reader.Skip();
      continue;
    }
    const std::string_view message = reader.Bytes();
    if (reader.ok() && !spans.Read(message)) return request.ErrorOf();
  }
  if (!reader.ok()) request.Fail(reader.fault());
  if (!reader.ok()) return request.ErrorOf();
  return decoded;
}

}  // namespace throughline::spans
