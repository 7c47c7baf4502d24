// The JSON of the columns of the SQLite form: one place for export and for SQL over a store.
#pragma once

#include <string>

#include "correlate/batch.h"

namespace throughline::store::transfer {

// Each appends; what the record does not have is an empty array, or an empty object.
void PutEventsText(const Span& span, const Batch& batch, std::string& out);
void PutLinksText(const Span& span, const Batch& batch, std::string& out);
void PutRelatedText(const LogLine& line, const Batch& batch, std::string& out);
void PutAttributesText(Range attributes, const Batch& batch, std::string& out);

// `body`, and `body_json` where the body is more than text; neither, where there is none.
struct BodyTexts {
  bool is_there = false;
  std::string text;
  std::string json;  // Empty: the text says all.
};
BodyTexts BodyTextsOf(const LogLine& line);

}  // namespace throughline::store::transfer
