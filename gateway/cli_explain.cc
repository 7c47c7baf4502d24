#include "gateway/cli_explain.h"

#include <algorithm>

#include "gateway/cli_state.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

void WriteWindow(wire::JsonWriter& json, const std::string& start, const std::string& end) {
  json.BeginObject();
  json.Key("start").String(start);
  json.Key("end").String(end.empty() ? "now" : end);
  json.EndObject();
}

}  // namespace

std::string ExplainBody(const ExplainQuestion& question) {
  std::string body;
  wire::JsonWriter json(body);
  json.BeginObject();
  const std::string start = question.since.empty() ? question.start : "now-" + question.since;
  if (!start.empty() || question.trace_id.empty()) {
    WriteWindow(json.Key("window"), start.empty() ? "now-5m" : start, question.end);
  }
  if (!question.baseline_start.empty()) {
    json.Key("baseline").BeginArray();
    WriteWindow(json, question.baseline_start, question.baseline_end);
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
  Rendered rendered;
  const std::string_view verdict = answer["verdict"].Text();
  rendered.exit_code = verdict == "culprit" ? kExitFound : kExitNotFound;
  std::string_view text = answer["text"].Text();
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line = Printable(text.substr(0, end));
    if (first) {
      line = Paint(std::move(line), verdict == "culprit" ? Colour::kRed : Colour::kYellow, style);
    }
    first = false;
    rendered.text += line + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rendered;
}

}  // namespace throughline::gateway
