// What the commands that ask for an analysis (explain, compare) share: the window in the question,
// and the answer's text.
#pragma once

#include <string>

#include "gateway/cli_render.h"
#include "gateway/terminal.h"
#include "wire/json_writer.h"

namespace throughline::gateway {

// As on the command line; empty: not given.
struct WindowQuestion {
  std::string since, start, end;
  bool given() const { return !since.empty() || !start.empty(); }
};

// "now-15m" of since 15m; else the start.
std::string StartOf(const WindowQuestion& window);

// {"start", "end"}; without a start the five minutes before now, without an end until now.
void WriteWindow(wire::JsonWriter& json, const WindowQuestion& window);

// The lines of the answer's `text`, the first one in `colour`.
Rendered RenderReport(const Json& answer, Colour colour, int exit_code, const TerminalStyle& style);

}  // namespace throughline::gateway
