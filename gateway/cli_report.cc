#include "gateway/cli_report.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace throughline::gateway {

std::string StartOf(const WindowQuestion& window) {
  return window.since.empty() ? window.start : "now-" + window.since;
}

void WriteWindow(wire::JsonWriter& json, const WindowQuestion& window) {
  const std::string start = StartOf(window);
  json.BeginObject();
  json.Key("start").String(start.empty() ? "now-5m" : start);
  json.Key("end").String(window.end.empty() ? "now" : window.end);
  json.EndObject();
}

Rendered RenderReport(const Json& answer, Colour colour, int exit_code,
                      const TerminalStyle& style) {
  Rendered rendered;
  rendered.exit_code = exit_code;
  std::string_view text = answer["text"].Text();
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line = Printable(text.substr(0, end));
    if (first) line = Paint(std::move(line), colour, style);
    first = false;
    rendered.text += line + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rendered;
}

}  // namespace throughline::gateway
