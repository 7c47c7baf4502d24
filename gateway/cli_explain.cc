#include "gateway/cli_explain.h"

#include <algorithm>

#include "gateway/cli_state.h"
#include "wire/json_writer.h"

namespace throughline::gateway {

std::string ExplainBody(const ExplainQuestion& question) {
  std::string body;
  wire::JsonWriter json(body);
  json.BeginObject();
  if (question.window.given() || question.trace_id.empty()) {
    WriteWindow(json.Key("window"), question.window);
  }
  if (question.baseline.given()) {
    json.Key("baseline").BeginArray();
    WriteWindow(json, question.baseline);
    json.EndArray();
  }
  const auto text = [&json](std::string_view key, const std::string& value) {
    if (!value.empty()) json.Key(key).String(value);
  };
  text("service", question.service);
  text("operation", question.operation);
  text("metric", question.metric);
  text("trace_id", question.trace_id);
  text("kind", question.kind);
  const bool is_number =
      !question.limit.empty() && std::all_of(question.limit.begin(), question.limit.end(),
                                             [](char c) { return c >= '0' && c <= '9'; });
  if (is_number && question.limit.size() < 10) {
    json.Key("limit").Uint(std::stoull(question.limit));
  } else {
    text("limit", question.limit);  // The gateway says what is wrong with it.
  }
  json.EndObject();
  return body;
}

Rendered RenderExplain(const Json& answer, const TerminalStyle& style) {
  const bool named = answer["verdict"].Text() == "culprit";
  return RenderReport(answer, named ? Colour::kRed : Colour::kYellow,
                      named ? kExitFound : kExitNotFound, style);
}

}  // namespace throughline::gateway
