#include "api/tempo/legacy_tags.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "api/query/tag_condition.h"
#include "api/query/traceql_names.h"
#include "api/tempo/parameters.h"

namespace throughline::api::tempo {
namespace {

// Tempo's own names for what is no attribute.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kSpecial = {
    {{"name", "name"}, {"root.name", "rootName"}, {"root.service.name", "rootServiceName"}}};

std::string ConditionOf(std::string_view key, std::string_view value) {
  for (const auto& [name, field] : kSpecial) {
    if (key == name) return std::string(field) + " = " + query::traceql::QuotedText(value);
  }
  if (key == "status.code") {
    const bool known = query::traceql::IndexOf(query::traceql::kStatusWords, value).has_value();
    return known ? "status = " + std::string(value) : "false";
  }
  if (key == "error" && value == "true") return "status = error";
  return query::TagCondition(key, value);
}

Result<std::vector<std::string>> ConditionsOf(std::string_view tags) {
  std::vector<std::string> conditions;
  const auto wrong = [](std::size_t at, std::string_view want) {
    return InvalidArgument("invalid tags: byte " + std::to_string(at) + ": " + std::string(want));
  };
  std::size_t at = 0;
  while (true) {
    while (at < tags.size() && tags[at] == ' ') ++at;
    if (at == tags.size()) return conditions;
    const std::size_t equals = tags.find('=', at);
    if (equals == tags.npos || equals == at) return wrong(at, "want key=value");
    const std::string_view key = tags.substr(at, equals - at);
    if (key.find_first_of(" \"") != key.npos) return wrong(at, "want key=value");
    at = equals + 1;
    std::string value;
    if (at < tags.size() && tags[at] == '"') {
      for (++at; at < tags.size() && tags[at] != '"'; ++at) {
        if (tags[at] == '\\' && at + 1 < tags.size()) ++at;
        value += tags[at];
      }
      if (at == tags.size()) return wrong(equals, "want the closing quote");
      ++at;
    } else {
      while (at < tags.size() && tags[at] != ' ') value += tags[at++];
    }
    conditions.push_back(ConditionOf(key, value));
  }
}

}  // namespace

Result<std::string> QueryOfTags(const Request& request) {
  TL_TRY_ASSIGN(std::vector<std::string> conditions,
                ConditionsOf(request.Query("tags").value_or("")));
  TL_TRY_ASSIGN(const auto durations, ReadDurations(request, "traceDuration"));
  conditions.insert(conditions.end(), durations.begin(), durations.end());
  std::string query = "{";
  for (const std::string& condition : conditions) {
    if (query.size() > 1) query += " && ";
    query += condition;
  }
  return query + "}";
}

}  // namespace throughline::api::tempo
