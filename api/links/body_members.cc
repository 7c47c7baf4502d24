#include "api/links/body_members.h"

#include "api/time_text.h"

namespace throughline::api::links {
namespace {

namespace dom = simdjson::dom;

Result<std::uint64_t> ReadTime(dom::element value, const std::string& name,
                               const Context& context) {
  std::string_view text;
  std::uint64_t number = 0;
  std::string digits;
  if (value.get(text) != simdjson::SUCCESS) {
    if (value.get(number) != simdjson::SUCCESS) {
      return InvalidArgument(name + ": want a time, as text or as a whole number");
    }
    digits = std::to_string(number);
    text = digits;
  }
  auto time = ParseTime(text, context.now_unix_ns);
  if (!time) return InvalidArgument(name + ": " + time.error().message);
  return *time;
}

}  // namespace

Result<dom::object> BodyDocument::Open(const Request& request, std::string_view want) {
  // Without room to read past the end, simdjson copies first.
  const bool copy = request.body.capacity() < request.body.size() + simdjson::SIMDJSON_PADDING;
  dom::element document;
  const auto error =
      parser_.parse(request.body.view().data(), request.body.size(), copy).get(document);
  if (error != simdjson::SUCCESS) {
    return InvalidArgument("body: " + std::string(simdjson::error_message(error)));
  }
  dom::object object;
  if (document.get(object) != simdjson::SUCCESS) {
    return InvalidArgument("body: want an object with " + std::string(want));
  }
  return object;
}

Result<TimeSpan> ReadWindow(dom::element value, const std::string& name, const Context& context) {
  dom::object object;
  dom::element start;
  dom::element end;
  if (value.get(object) != simdjson::SUCCESS || object["start"].get(start) != simdjson::SUCCESS ||
      object["end"].get(end) != simdjson::SUCCESS) {
    return InvalidArgument(name + ": want an object with start and end");
  }
  for (const dom::key_value_pair field : object) {
    if (field.key == "start" || field.key == "end") continue;
    return InvalidArgument(name + ": unknown member " + std::string(field.key) +
                           ", want start and end");
  }
  TimeSpan window;
  TL_TRY_ASSIGN(window.start_unix_ns, ReadTime(start, name + ".start", context));
  TL_TRY_ASSIGN(window.end_unix_ns, ReadTime(end, name + ".end", context));
  if (window.length_ns() == 0) return InvalidArgument(name + ": the end is not after the start");
  if (window.length_ns() > kLongestWindowNs) return InvalidArgument(name + ": longer than 24 h");
  return window;
}

Result<std::string> ReadText(dom::element value, const std::string& name) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return InvalidArgument(name + ": want text");
  return std::string(text);
}

}  // namespace throughline::api::links
