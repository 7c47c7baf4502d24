// Fields of a line's text: what LogQL's json and logfmt stages take out.
//
// Pure. Bounded: kMaxFields of one line.
// Source: grafana.com/docs/loki/latest/query/log_queries, "Parser expression".
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace throughline::api::loki {

inline constexpr std::size_t kMaxFields = 500;

using OnField = std::function<void(std::string_view key, std::string_view value)>;

// Scalars of a JSON object, nested ones under their path joined by '_'; arrays and nulls are passed
// by. False: the line is no JSON object.
bool ParseJson(std::string_view line, const OnField& on_field);

// The value at `a.b[0]["c"]`: a string's text, anything else as it stands. False: it is not there,
// or the line is no JSON.
bool JsonAt(std::string_view line, std::string_view path, std::string& value);

// key=value key="value with spaces" key
void ParseLogfmt(std::string_view line, const OnField& on_field);

// A field's name as a label: other characters than letters, digits and _ become _.
std::string FieldLabel(std::string_view key);

}  // namespace throughline::api::loki
