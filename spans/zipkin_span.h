// One Zipkin span as it was sent, and its translation to a Span: what both encodings share.
//
// The translation follows the OpenTelemetry Collector's, so that what its Zipkin exporter (or that
// of an OpenTelemetry SDK) wrote comes back as it was:
//
//  - localEndpoint.serviceName and the tags that name a resource attribute (service.*, k8s.*, ...)
//    become the Resource; equal ones are one. A service.name tag wins over the endpoint.
//  - otel.scope.name, otel.scope.version (and otel.library.*) become the scope; w3c.tracestate the
//    trace state; otlp.link.N the links; span.kind the kind where none was sent.
//  - otel.status_code and otel.status_description become the status. An `error` tag makes it an
//    error whatever else is said, as in Zipkin; its text, unless "true", is the message. Only
//    "false" leaves the span alone.
//  - Other tags become attributes. They are a map, so they are sorted by key, and of equal keys the
//    last wins: the order of sending changes nothing.
//  - Annotations become events: "name", the Collector's "name|{json}|dropped", or OpenTelemetry's
//    {"name": {json}}.
//  - Addresses and ports become network.local.* and network.peer.* (the semantic conventions of
//    today; the Collector still writes net.host.* and net.peer.*), the other side's service
//    peer.service; zipkin.debug and zipkin.shared say that these were set.
//  - A span that names itself as its parent has none. Shared spans keep their id; the tree puts
//    the server half under the client half (correlate/analysis/trace_tree.h).
//  - Microseconds become nanoseconds; times that 64 bits do not hold become the largest. Without a
//    timestamp the start is 0, not sent. Without a duration the span ends when it starts.
// Sources: opentelemetry-collector-contrib, pkg/translator/zipkin/zipkinv2; OpenTelemetry
// specification, trace/sdk_exporters/zipkin.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "spans/finish_span.h"

namespace throughline::spans {

struct ZipkinEndpoint {
  std::string_view service;
  std::string ipv4;  // As text; empty: absent.
  std::string ipv6;
  std::int64_t port = 0;  // 0: absent.
};

// A tag of one of the types that JSON has; Zipkin's own are text.
struct ZipkinTag {
  std::string_view key;
  Value value;  // Text, a boolean, an integer or a double.
};

struct ZipkinAnnotation {
  std::uint64_t time_unix_ns = 0;
  std::string_view value;
};

// Holds views of the document; valid as long as it.
struct ZipkinSpan {
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t duration_ns = 0;
  std::uint32_t kind = 0;  // Span::kind.
  bool debug = false;
  bool shared = false;
  std::string_view name;
  ZipkinEndpoint local;
  ZipkinEndpoint remote;
  std::vector<ZipkinTag> tags;
  std::vector<ZipkinAnnotation> annotations;

  void Clear();  // Keeps memory.
};

// Span::kind of "CLIENT", "SERVER", "PRODUCER" and "CONSUMER", in any case; 0 for others.
std::uint32_t KindOfZipkin(std::string_view name);

// Microseconds, saturated.
std::uint64_t NsOfMicros(std::uint64_t micros);

//   while (more) {
//     if (!translator.Begin()) return translator.TooMany();
//     ... fill translator.span, or translator.Reject(...)
//     translator.Finish();
//   }
class ZipkinTranslator {
 public:
  // What becomes of the texts that a span holds: views into what outlives the batch, or not.
  enum class Texts { kStay, kGo };

  // All must outlive it.
  ZipkinTranslator(const DecodeOptions& options, Batch& batch, Decoded& decoded, Texts texts)
      : options_(options),
        batch_(batch),
        decoded_(decoded),
        finisher_(options, batch, decoded),
        texts_stay_(texts == Texts::kStay) {}

  // Starts the next span. False: one too many.
  bool Begin();
  Error TooMany() const { return finisher_.TooMany(); }

  // Rejects the span at hand; the first reason stays.
  void Reject(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  // Names the id field that had to be repaired.
  void Repaired(std::string_view field) { repaired_ = field; }
  // Takes the span at hand into the batch, or counts it rejected.
  void Finish();

  ZipkinSpan span;

 private:
  void AddEndpoints();
  void SortTags();
  bool CheckBounds();
  void TakeTag(const ZipkinTag& tag, Span& out);
  bool TakeText(const ZipkinTag& tag, Span& out);
  bool TakeStatus(const ZipkinTag& tag, Span& out);
  void TakeError(Span& out);
  void Append(const ZipkinTag& tag);
  void ReadLinks(Span& out);
  bool ReadLink(std::string_view text);
  void ReadEvents(Span& out);
  bool ReadNamedObject(std::string_view text, SpanEvent& event);
  bool ReadCollectorEvent(std::string_view text, SpanEvent& event);
  bool AppendJson(std::string_view object, Range& attributes);
  std::uint32_t InternResource();
  std::uint32_t InternScope();
  std::string_view Keep(std::string_view text) {
    return texts_stay_ ? text : batch_.arena.Copy(text);
  }

  const DecodeOptions& options_;
  Batch& batch_;
  Decoded& decoded_;
  SpanFinisher finisher_;
  const bool texts_stay_;
  // By hash of their content, with the seed of the data directory: trusted as identities are.
  std::unordered_map<std::uint64_t, std::uint32_t> resources_;
  std::unordered_map<std::uint64_t, std::uint32_t> scopes_;

  // Of the span at hand:
  std::string problem_;
  std::string_view repaired_;
  std::size_t dropped_links_ = 0;
  std::vector<ZipkinTag> resource_;
  std::vector<std::pair<std::uint32_t, ZipkinTag>> links_;  // By number.
  std::string_view scope_name_;
  std::string_view scope_version_;
  const ZipkinTag* error_ = nullptr;
  std::string_view service_source_;  // The attribute that the service's name came from.

  std::string value_;  // The AnyValue under way.
  std::string key_;    // The unescaped key under way.
};

}  // namespace throughline::spans
