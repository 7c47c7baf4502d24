#include "gateway/cli_answer.h"

#include <charconv>
#include <ctime>

namespace throughline::gateway {

Json Json::operator[](std::string_view key) const {
  simdjson::dom::object object;
  if (!element_.has_value() || element_->get(object) != simdjson::SUCCESS) return {};
  simdjson::dom::element found;
  if (object.at_key(key).get(found) != simdjson::SUCCESS) return {};
  return Json(found);
}

std::string_view Json::Text() const {
  std::string_view text;
  if (!element_.has_value() || element_->get(text) != simdjson::SUCCESS) return {};
  return text;
}

std::uint64_t Json::Uint() const {
  std::uint64_t value = 0;
  if (!element_.has_value()) return 0;
  if (element_->get(value) == simdjson::SUCCESS) return value;
  const std::string_view text = Text();
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && at == end ? value : 0;
}

double Json::Number() const {
  double value = 0;
  if (!element_.has_value() || element_->get(value) != simdjson::SUCCESS) return 0;
  return value;
}

bool Json::Bool() const {
  bool value = false;
  return element_.has_value() && element_->get(value) == simdjson::SUCCESS && value;
}

std::vector<Json> Json::Items() const {
  std::vector<Json> items;
  simdjson::dom::array array;
  if (!element_.has_value() || element_->get(array) != simdjson::SUCCESS) return items;
  for (const simdjson::dom::element item : array) items.emplace_back(item);
  return items;
}

std::vector<std::pair<std::string_view, Json>> Json::Fields() const {
  std::vector<std::pair<std::string_view, Json>> fields;
  simdjson::dom::object object;
  if (!element_.has_value() || element_->get(object) != simdjson::SUCCESS) return fields;
  for (const auto field : object) fields.emplace_back(field.key, Json(field.value));
  return fields;
}

std::string Json::ToText() const {
  if (!present()) return {};
  if (element_->is_string()) return std::string(Text());
  return simdjson::to_string(*element_);
}

bool JsonDocument::Parse(std::string_view text) {
  simdjson::dom::element element;
  if (parser_.parse(text.data(), text.size(), true).get(element) != simdjson::SUCCESS) return false;
  root_ = Json(element);
  return true;
}

std::string DurationText(std::uint64_t ns) {
  if (ns == 0) return "0";
  if (ns < 1'000) return std::to_string(ns) + " ns";
  struct Unit {
    double ns;
    const char* name;
  };
  constexpr Unit kUnits[] = {{1e3, "us"}, {1e6, "ms"}, {1e9, "s"}};
  std::size_t unit = 0;
  while (unit < 2 && static_cast<double>(ns) >= kUnits[unit + 1].ns * 0.9995) ++unit;
  const double value = static_cast<double>(ns) / kUnits[unit].ns;
  char text[32];
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals);
  return std::string(text, end.ptr) + " " + kUnits[unit].name;
}

std::string TimeText(std::uint64_t unix_ns) {
  if (unix_ns == 0) return "-";
  const auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  const std::string ms = std::to_string(unix_ns / 1'000'000 % 1'000);
  return std::string(text, size) + "." + std::string(3 - ms.size(), '0') + ms;
}

std::string ClockText(std::uint64_t unix_ns) {
  const std::string text = TimeText(unix_ns);
  const std::size_t space = text.find(' ');
  return space == std::string::npos ? text : text.substr(space + 1);
}

std::string CountText(std::uint64_t count, std::string_view noun) {
  std::string text = std::to_string(count) + " " + std::string(noun);
  if (count != 1) text += 's';
  return text;
}

std::string SeverityText(const Json& line) {
  const std::string_view severity = line["severity"].Text();
  return severity.empty() || severity == "unspecified" ? "-" : std::string(severity);
}

std::string Joined(const Json& array) {
  std::string out;
  for (const Json& item : array.Items()) {
    if (!out.empty()) out += ", ";
    out += item.ToText();
  }
  return out;
}

std::string NumberText(const Json& number) {
  std::string text = number.ToText();
  if (!number.Text().empty() || text.size() <= 9) return text;
  // A person does not need seventeen digits.
  char shorter[32];
  const auto end = std::to_chars(shorter, shorter + sizeof shorter, number.Number(),
                                 std::chars_format::general, 6);
  return std::string(shorter, end.ptr);
}

}  // namespace throughline::gateway
