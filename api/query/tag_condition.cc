#include "api/query/tag_condition.h"

#include "api/query/traceql.h"

namespace throughline::api::query {

std::string TagCondition(std::string_view key, std::string_view value) {
  const std::string field = "." + traceql::QuotedText(key);
  const std::string as_text = field + " = " + traceql::QuotedText(value);
  const std::string bare = field + " = " + std::string(value);
  const bool plain =
      !value.empty() && value.find_first_not_of("0123456789.-truefals") == value.npos;
  if (plain && traceql::Parse("{" + bare + "}")) return "(" + as_text + " || " + bare + ")";
  return as_text;
}

}  // namespace throughline::api::query
