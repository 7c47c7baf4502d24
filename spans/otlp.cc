#include "spans/otlp.h"

#include <string_view>
#include <vector>

#include "otlp/proto.h"
#include "spans/finish_span.h"

namespace throughline::spans {
namespace {

// Bytes of the usual attribute, for a first guess at how many there are.
constexpr std::size_t kAttributeBytes = 40;

Range RangeFrom(std::size_t begin, std::size_t end) {
  return {.begin = static_cast<std::uint32_t>(begin),
          .count = static_cast<std::uint32_t>(end - begin)};
}

class SpanReader final : public otlp::Envelope {
 public:
  SpanReader(otlp::ProtoRequest& request, Decoded& decoded)
      : request_(request),
        batch_(request.batch),
        decoded_(decoded),
        finisher_(request.options, request.batch, decoded) {}

 private:
  // The id fields of one span as they were sent.
  struct Ids {
    std::string_view trace_id;
    std::string_view span_id;
    std::string_view parent_span_id;
  };

  void OnScope(std::size_t count) override { otlp::ReserveMore(batch_.spans, count); }

  void OnRestart() override { decoded_ = {}; }

  bool OnRecord(std::string_view message, std::uint32_t resource, std::uint32_t scope) override {
    if (!finisher_.Begin()) return request_.Fail(finisher_.TooMany());
    request_.BeginRecord();
    Span span;
    Ids ids;
    span.resource = resource;
    span.scope = scope;
    repaired_ = {};
    dropped_links_ = 0;
    if (!ReadFields(message, span, ids)) return false;
    if (!events_.empty() && !ReadEvents(span)) return false;
    if (!links_.empty() && !ReadLinks(span)) return false;
    ReadIds(ids, span);
    if (request_.problem.empty()) {
      finisher_.Accept(span, repaired_);
      decoded_.dropped_links += dropped_links_;
    } else {
      finisher_.Reject(request_.problem);
    }
    return true;
  }

  // Events and links are kept for later, so that the span's attributes stand together.
  bool ReadFields(std::string_view message, Span& span, Ids& ids) {
    const std::size_t begin = batch_.attributes.size();
    wire::ProtoReader reader(message);
    const auto read_attribute = [this](std::string_view item) {
      return otlp::ReadKeyValue(item, request_);
    };
    events_.clear();
    links_.clear();
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: ids.trace_id = reader.Bytes(); break;
        case 2: ids.span_id = reader.Bytes(); break;
        case 3: span.trace_state = otlp::ReadText(reader); break;
        case 4: ids.parent_span_id = reader.Bytes(); break;
        case 5: span.name = otlp::ReadText(reader); break;
        case 6: span.kind = reader.Varint32(); break;
        case 7: span.start_unix_ns = reader.Fixed64(); break;
        case 8: span.end_unix_ns = reader.Fixed64(); break;
        case 9:
          if (!reader.BytesRun(read_attribute)) return false;
          break;
        case 11: Keep(reader.Bytes(), "events", events_); break;
        case 13: Keep(reader.Bytes(), "links", links_); break;
        case 15:
          if (const std::string_view status = reader.Bytes(); reader.ok()) {
            if (!ReadStatus(status, span)) return false;
          }
          break;
        case 16: span.flags = reader.Fixed32(); break;
        default: reader.Skip();
      }
    }
    span.attributes = RangeFrom(begin, batch_.attributes.size());
    return reader.ok() || request_.Fail(reader.fault());
  }

  // Events and links have the bound of attributes, each.
  void Keep(std::string_view message, const char* what, std::vector<std::string_view>& kept) {
    if (kept.size() < request_.options.attributes_per_record) {
      kept.push_back(message);
    } else if (request_.problem.empty()) {
      request_.problem =
          "more than " + std::to_string(request_.options.attributes_per_record) + ' ' + what;
    }
  }

  bool ReadStatus(std::string_view message, Span& span) {
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 2: span.status_message = otlp::ReadText(reader); break;
        case 3: span.status_code = reader.Varint32(); break;
        default: reader.Skip();
      }
    }
    return reader.ok() || request_.Fail(reader.fault());
  }

  bool ReadEvents(Span& span) {
    const std::size_t begin = batch_.events.size();
    for (const std::string_view message : events_) {
      SpanEvent event;
      const std::size_t attributes = batch_.attributes.size();
      wire::ProtoReader reader(message);
      while (reader.Next()) {
        switch (reader.field()) {
          case 1: event.time_unix_ns = reader.Fixed64(); break;
          case 2: event.name = otlp::ReadText(reader); break;
          case 3:
            if (const std::string_view item = reader.Bytes(); reader.ok()) {
              if (!otlp::ReadKeyValue(item, request_)) return false;
            }
            break;
          default: reader.Skip();
        }
      }
      if (!reader.ok()) return request_.Fail(reader.fault());
      event.attributes = RangeFrom(attributes, batch_.attributes.size());
      batch_.events.push_back(event);
    }
    span.events = RangeFrom(begin, batch_.events.size());
    return true;
  }

  bool ReadLinks(Span& span) {
    const std::size_t begin = batch_.span_links.size();
    for (const std::string_view message : links_) {
      if (!ReadLink(message)) return false;
    }
    span.links = RangeFrom(begin, batch_.span_links.size());
    return true;
  }

  bool ReadLink(std::string_view message) {
    SpanLink link;
    Ids ids;
    const std::size_t attributes = batch_.attributes.size();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: ids.trace_id = reader.Bytes(); break;
        case 2: ids.span_id = reader.Bytes(); break;
        case 3: link.trace_state = otlp::ReadText(reader); break;
        case 4:
          if (const std::string_view item = reader.Bytes(); reader.ok()) {
            if (!otlp::ReadKeyValue(item, request_)) return false;
          }
          break;
        case 6: link.flags = reader.Fixed32(); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return request_.Fail(reader.fault());
    bool repaired = false;
    if (otlp::ReadTraceId(ids.trace_id, link.trace_id, repaired) != otlp::IdState::kValid ||
        otlp::ReadSpanId(ids.span_id, link.span_id, repaired) != otlp::IdState::kValid) {
      ++dropped_links_;
      batch_.attributes.resize(attributes);
      return true;
    }
    if (repaired) repaired_ = "a link's id";
    link.attributes = RangeFrom(attributes, batch_.attributes.size());
    batch_.span_links.push_back(link);
    return true;
  }

  // Sets request_.problem where the span is to be rejected.
  void ReadIds(const Ids& ids, Span& span) {
    using otlp::IdState;
    bool trace_repaired = false;
    bool repaired = false;
    if (otlp::ReadTraceId(ids.trace_id, span.trace_id, trace_repaired) != IdState::kValid) {
      request_.problem = otlp::IdProblem("trace_id", ids.trace_id, sizeof(TraceId));
    } else if (otlp::ReadSpanId(ids.span_id, span.span_id, repaired) != IdState::kValid) {
      request_.problem = otlp::IdProblem("span_id", ids.span_id, sizeof(SpanId));
    } else if (!ids.parent_span_id.empty() &&
               otlp::ReadSpanId(ids.parent_span_id, span.parent_span_id, repaired) ==
                   IdState::kBroken) {
      request_.problem = otlp::IdProblem("parent_span_id", ids.parent_span_id, sizeof(SpanId));
    }
    if (trace_repaired) {
      repaired_ = "trace_id";
    } else if (repaired) {
      repaired_ = "a span id";
    }
  }

  otlp::ProtoRequest& request_;
  Batch& batch_;
  Decoded& decoded_;
  SpanFinisher finisher_;
  std::vector<std::string_view> events_;
  std::vector<std::string_view> links_;
  // Of the span at hand:
  std::string_view repaired_;  // The id field that was repaired; empty: none.
  std::size_t dropped_links_ = 0;
};

}  // namespace

Result<Decoded> DecodeOtlp(std::string_view bytes, const DecodeOptions& options, Batch& batch) {
  Decoded decoded;
  otlp::ProtoRequest request(bytes, options, batch);
  otlp::ReserveMore(batch.attributes, bytes.size() / kAttributeBytes);
  SpanReader reader(request, decoded);
  if (!reader.Read(request)) return request.ErrorOf();
  return decoded;
}

}  // namespace throughline::spans
