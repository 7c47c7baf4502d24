#include "api/links/compare_request.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "api/links/body_members.h"

namespace throughline::api::links {
namespace {

namespace dom = simdjson::dom;

// What may stand in a selection, and beside both.
struct Members {
  std::optional<TimeSpan> window;
  TraceFilter filter;
};

Result<void> ReadAttributes(dom::element value, const std::string& name, TraceFilter& filter) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    return InvalidArgument(name + ": want an object of keys and texts");
  }
  for (const dom::key_value_pair field : object) {
    if (filter.attributes.size() == kMostConditions) {
      return InvalidArgument(name + ": more than " + std::to_string(kMostConditions));
    }
    TL_TRY_ASSIGN(std::string text, ReadText(field.value, name + "." + std::string(field.key)));
    filter.attributes.emplace_back(std::string(field.key), std::move(text));
  }
  return {};
}

// False: no member of a selection.
Result<bool> ReadMember(std::string_view key, dom::element value, const std::string& prefix,
                        const Context& context, Members& members) {
  const std::string name = prefix + std::string(key);
  if (key == "window") {
    TL_TRY_ASSIGN(members.window, ReadWindow(value, name, context));
  } else if (key == "service") {
    TL_TRY_ASSIGN(members.filter.service, ReadText(value, name));
  } else if (key == "operation") {
    TL_TRY_ASSIGN(members.filter.operation, ReadText(value, name));
  } else if (key == "attributes") {
    TL_TRY(ReadAttributes(value, name, members.filter));
  } else {
    return false;
  }
  return true;
}

Result<Members> ReadSelection(dom::element value, const std::string& name, const Context& context) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    return InvalidArgument(name + ": want an object with window, service, operation, attributes");
  }
  Members members;
  for (const dom::key_value_pair field : object) {
    TL_TRY_ASSIGN(const bool known,
                  ReadMember(field.key, field.value, name + ".", context, members));
    if (!known) {
      return InvalidArgument(name + ": unknown member " + std::string(field.key) +
                             ", want window, service, operation or attributes");
    }
  }
  return members;
}

Result<TraceSelection> Together(Members own, const Members& both, const std::string& name) {
  const std::optional<TimeSpan> window = own.window ? own.window : both.window;
  if (!window) return InvalidArgument(name + ": want a window, here or beside");
  TraceSelection selection{.window = *window, .filter = std::move(own.filter)};
  TraceFilter& filter = selection.filter;
  if (!filter.service) filter.service = both.filter.service;
  if (!filter.operation) filter.operation = both.filter.operation;
  for (const auto& condition : both.filter.attributes) {
    const bool has = std::any_of(filter.attributes.begin(), filter.attributes.end(),
                                 [&](const auto& other) { return other.first == condition.first; });
    if (!has) filter.attributes.push_back(condition);
  }
  return selection;
}

}  // namespace

Result<CompareRequest> ReadCompareRequest(const Request& http, const Context& context) {
  BodyDocument document;
  TL_TRY_ASSIGN(const dom::object object, document.Open(http, "baseline and candidate"));
  Members both;
  std::optional<Members> baseline;
  std::optional<Members> candidate;
  for (const dom::key_value_pair field : object) {
    if (field.key == "baseline") {
      TL_TRY_ASSIGN(baseline, ReadSelection(field.value, "baseline", context));
    } else if (field.key == "candidate") {
      TL_TRY_ASSIGN(candidate, ReadSelection(field.value, "candidate", context));
    } else {
      TL_TRY_ASSIGN(const bool known, ReadMember(field.key, field.value, "", context, both));
      if (!known) {
        return InvalidArgument("body: unknown member " + std::string(field.key) +
                               ", want baseline, candidate, window, service, operation or "
                               "attributes");
      }
    }
  }
  if (!baseline || !candidate) return InvalidArgument("body: want baseline and candidate");
  CompareRequest request;
  TL_TRY_ASSIGN(request.baseline, Together(std::move(*baseline), both, "baseline"));
  TL_TRY_ASSIGN(request.candidate, Together(std::move(*candidate), both, "candidate"));
  return request;
}

}  // namespace throughline::api::links
