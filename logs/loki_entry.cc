#include "logs/loki_entry.h"

#include <charconv>
#include <cstddef>

namespace throughline::logs {

using wire::JsonCursor;

std::string_view ReadLokiEntry(JsonCursor& json, LokiEntry& entry) {
  using Type = JsonCursor::Type;
  if (json.Peek() != Type::kArray) {
    json.Skip();
    return "want [time, line]";
  }
  std::string_view problem;
  std::size_t items = 0;
  const auto refuse = [&](std::string_view why) {
    json.Skip();
    if (problem.empty()) problem = why;
  };
  for (json.BeginArray(); json.NextItem(); ++items) {
    const Type type = json.Peek();
    if (items == 0) {
      if (type == Type::kString) {
        entry.time = json.String();
      } else if (type == Type::kNumber) {
        entry.time = {.raw = json.Number(), .escaped = false};
      } else {
        refuse("time is no string");
      }
    } else if (items == 1) {
      if (type == Type::kString) {
        entry.line = json.String();
      } else {
        refuse("line is no string");
      }
    } else if (items == 2 && type == Type::kObject) {
      entry.metadata = json.Skip();
    } else {
      refuse(items == 2 ? "structured metadata is no object" : "more than three elements");
    }
  }
  if (items < 2 && problem.empty()) problem = "less than two elements";
  return problem;
}

bool ReadLokiTime(std::string_view text, std::uint64_t& time_unix_ns) {
  time_unix_ns = 0;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto read = std::from_chars(text.data(), text.data() + text.size(), time_unix_ns);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return false;
  if (negative) time_unix_ns = 0;
  return true;
}

}  // namespace throughline::logs
