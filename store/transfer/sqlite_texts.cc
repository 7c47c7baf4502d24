#include "store/transfer/sqlite_texts.h"

#include "store/transfer/plain_value.h"

namespace throughline::store::transfer {

void PutEventsText(const Span& span, const Batch& batch, std::string& out) {
  wire::JsonWriter json(out);
  json.BeginArray();
  for (const SpanEvent& event : batch.EventsOf(span)) {
    json.BeginObject();
    json.Key("time_unix_ns").Uint(event.time_unix_ns).Key("name").String(event.name);
    PutPlainAttributes(batch.Of(event.attributes), json.Key("attributes"));
    json.EndObject();
  }
  json.EndArray();
}

void PutLinksText(const Span& span, const Batch& batch, std::string& out) {
  wire::JsonWriter json(out);
  json.BeginArray();
  for (const SpanLink& link : batch.LinksOf(span)) {
    json.BeginObject();
    json.Key("trace_id").String(ToHex(link.trace_id)).Key("span_id").String(ToHex(link.span_id));
    json.Key("flags").Uint(link.flags).Key("trace_state").String(link.trace_state);
    PutPlainAttributes(batch.Of(link.attributes), json.Key("attributes"));
    json.EndObject();
  }
  json.EndArray();
}

void PutRelatedText(const LogLine& line, const Batch& batch, std::string& out) {
  wire::JsonWriter json(out);
  json.BeginArray();
  for (const RelatedId& id : batch.RelatedOf(line)) {
    json.BeginObject();
    json.Key("trace_id").String(ToHex(id.trace_id)).Key("span_id").String(ToHex(id.span_id));
    json.EndObject();
  }
  json.EndArray();
}

void PutAttributesText(Range attributes, const Batch& batch, std::string& out) {
  wire::JsonWriter json(out);
  PutPlainAttributes(batch.Of(attributes), json);
}

BodyTexts BodyTextsOf(const LogLine& line) {
  BodyTexts texts;
  const Value body = ReadValue(line.body);
  texts.is_there = body.type != ValueType::kEmpty;
  if (body.type == ValueType::kString) {
    texts.text = body.bytes;
  } else if (texts.is_there) {
    texts.text = ValueText(line.body);
    wire::JsonWriter json(texts.json);
    PutPlainValue(line.body, json);
  }
  return texts;
}

}  // namespace throughline::store::transfer
