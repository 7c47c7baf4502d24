// How the handlers of reports (explain, compare) answer: as JSON, or as text for people.
#pragma once

#include "api/http.h"
#include "api/links/handlers.h"
#include "api/links/report_text.h"
#include "api/parameters.h"
#include "api/status.h"
#include "wire/json_writer.h"

namespace throughline::api::links {

// `make` gives a Result of a report that has a TextOf and a WriteReport.
template <typename Make>
Response AnswerReport(const Request& http, const Context& context, Make make) {
  Parameters parameters(http, context.now_unix_ns);
  const bool text = WantsText(http, parameters);
  if (const auto checked = parameters.Check(); !checked) return Problem(checked.error());
  const auto report = make();
  if (!report) return Problem(report.error());
  if (text) return TextAnswer(TextOf(*report));
  Response response;
  wire::JsonWriter json(response.body);
  WriteReport(json, *report);
  return response;
}

}  // namespace throughline::api::links
