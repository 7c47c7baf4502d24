#include "api/form.h"

#include <algorithm>

namespace throughline::api {
namespace {

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A '%' without two digits stands for itself.
std::string Decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : HexDigit(text[i + 2]);
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

Form::Form(const Request& request) : parameters_(request.query) {
  if (request.method != "POST" || !request.Header("content-type").starts_with(kFormType)) return;
  std::string_view body = request.body.view();
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(body.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.size(), pair.find('='));
    const std::size_t value = std::min(pair.size(), equals + 1);
    parameters_.emplace_back(Decoded(pair.substr(0, equals)), Decoded(pair.substr(value)));
  }
}

std::optional<std::string_view> Form::Text(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name && !value.empty()) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Form::All(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : parameters_) {
    if (key == name) values.emplace_back(value);
  }
  return values;
}

}  // namespace throughline::api
