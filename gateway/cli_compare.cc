#include "gateway/cli_compare.h"

#include <algorithm>
#include <string_view>

#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

void WriteConditions(wire::JsonWriter& json, const std::vector<std::string>& conditions) {
  if (conditions.empty()) return;
  json.Key("attributes").BeginObject();
  for (const std::string_view condition : conditions) {
    const std::size_t equals = std::min(condition.find('='), condition.size());
    const std::size_t value = std::min(equals + 1, condition.size());
    json.Key(condition.substr(0, equals)).String(condition.substr(value));
  }
  json.EndObject();
}

}  // namespace

std::string CompareBody(const CompareQuestion& question) {
  std::string body;
  wire::JsonWriter json(body);
  json.BeginObject();
  WriteWindow(json.Key("window"), question.window);
  if (!question.service.empty()) json.Key("service").String(question.service);
  if (!question.operation.empty()) json.Key("operation").String(question.operation);
  json.Key("baseline").BeginObject();
  if (question.baseline_window.given()) {
    WriteWindow(json.Key("window"), question.baseline_window);
  }
  WriteConditions(json, question.baseline);
  json.EndObject();
  json.Key("candidate").BeginObject();
  WriteConditions(json, question.candidate);
  json.EndObject();
  json.EndObject();
  return body;
}

Rendered RenderCompare(const Json& answer, const TerminalStyle& style) {
  const std::string_view verdict = answer["verdict"].Text();
  if (verdict == "pass") return RenderReport(answer, Colour::kGreen, kExitPass, style);
  if (verdict == "fail") return RenderReport(answer, Colour::kRed, kExitFail, style);
  return RenderReport(answer, Colour::kYellow, kExitInconclusive, style);
}

}  // namespace throughline::gateway
