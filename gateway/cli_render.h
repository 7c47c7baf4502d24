// The answers of the lookups as tables for people, and what each is worth as an exit code.
//
// Pure: an answer in, text out. The shapes are those of docs/api.md.
#pragma once

#include <string>
#include <vector>

#include "gateway/cli_answer.h"
#include "gateway/terminal.h"

namespace throughline::gateway {

struct Rendered {
  std::string text;
  int exit_code = 0;  // cli_state.h.
};

Rendered RenderLocate(const Json& answer, const TerminalStyle& style);
Rendered RenderLogs(const Json& answer, const TerminalStyle& style);
Rendered RenderExemplars(const Json& answer, const TerminalStyle& style);
// `ids` and `lines` are the inputs, in the order in which they were sent.
Rendered RenderResolve(const Json& answer, const std::vector<std::string>& ids,
                       const std::vector<std::string>& lines, const TerminalStyle& style);
// A problem document (RFC 9457) in one line for stderr; with the matches of an ambiguous id.
std::string RenderProblem(const Json& problem, int http_status);

// True for what is a line to find ids in; false for what is an id by itself.
bool IsLine(std::string_view text);

}  // namespace throughline::gateway
